"""The dip against linear programming, and its test on samples of one mode and of two."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog

from zipo.study.claims.dip import dip, p_unimodal


def nearest_unimodal(x: np.ndarray, mode: int) -> float:
    """The least distance of the empirical distribution from one that is convex up to x[mode] and concave from there.

    Variables: the distribution at each point, from the left at the mode; from the right at the mode; the distance.
    """
    n = len(x)
    constraints, bounds = [], []

    def at_most(bound: float, **terms: float) -> None:
        row = np.zeros(n + 2)
        for name, factor in terms.items():
            row[int(name[1:])] += factor
        constraints.append(row)
        bounds.append(bound)

    right = lambda i: n if i == mode else i  # noqa: E731
    for i in range(n):
        at_most(i / n, **{f"v{i}": 1, f"v{n + 1}": -1})
        at_most(-(i + 1) / n, **{f"v{right(i)}": -1, f"v{n + 1}": -1})
    at_most(0, **{f"v{mode}": 1, f"v{n}": -1})
    for i in range(n - 1):
        at_most(0, **{f"v{right(i)}": 1, f"v{i + 1}": -1})
    steps = np.diff(x)
    for i in range(1, mode):
        at_most(
            0, **{f"v{i - 1}": -1 / steps[i - 1], f"v{i}": 1 / steps[i - 1] + 1 / steps[i], f"v{i + 1}": -1 / steps[i]}
        )
    for i in range(mode + 1, n - 1):
        first = right(i - 1)
        at_most(
            0, **{f"v{first}": 1 / steps[i - 1], f"v{i}": -1 / steps[i - 1] - 1 / steps[i], f"v{i + 1}": 1 / steps[i]}
        )
    done = linprog(np.eye(n + 2)[-1], np.array(constraints), bounds, bounds=[(0, 1)] * (n + 2))
    return float(done.fun)


@pytest.mark.parametrize("seed", range(4))
def test_the_dip_is_the_distance_from_the_nearest_unimodal_distribution(seed):
    rng = np.random.default_rng(seed)
    x = np.sort(np.concatenate([rng.normal(size=7), rng.normal(rng.uniform(0, 6), 1, 7)]))
    assert dip(x) == pytest.approx(min(nearest_unimodal(x, mode) for mode in range(14)), abs=1e-9)


def test_two_far_points_of_one_weight_have_the_largest_dip():
    assert dip(np.repeat([0.0, 1.0], 500) + 1e-6 * np.random.default_rng(1).normal(size=1000)) == pytest.approx(
        0.25, abs=0.01
    )
    assert dip(np.arange(10.0)) == pytest.approx(1 / 20)  # no sample has a smaller one


def test_one_mode_is_seldom_called_two_and_two_modes_are():
    rng = np.random.default_rng(2)
    p = [p_unimodal(dip(values), 300, rng) for values in rng.uniform(size=(60, 300))]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    two = np.concatenate([rng.normal(0, 1, 150), rng.normal(4, 1, 150)])
    assert p_unimodal(dip(two), 300, rng) == pytest.approx(1 / 1001)


def test_larger_samples_are_compared_with_smaller_ones_scaled():
    rng = np.random.default_rng(3)
    p = [p_unimodal(dip(values), 8000, rng) for values in rng.uniform(size=(15, 8000))]
    assert stats.kstest(p, "uniform").pvalue > 0.01
