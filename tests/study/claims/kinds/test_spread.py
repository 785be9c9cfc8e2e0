"""The evidence on scatter over seeds against scipy."""

import numpy as np
import pytest
from scipy import stats

from tests.study.claims.invented import LESS, evaluate, runs

WIDE = np.array([2.0, 4.0, 3.0, 5.1, 1.0, 3.1])
NARROW = np.array([7.0, 7.2, 6.9, 7.1, 7.05, 6.95])
ENTRY = LESS | {"kind": "spread", "direction": "greater"}


def distances(values: np.ndarray) -> np.ndarray:
    return np.abs(values - np.sort(values)[2:4].mean())


def test_distances_from_the_median():
    evidence = evaluate(runs(**{"a0.1": list(NARROW), "a1": list(WIDE)}), **ENTRY)
    x, y = distances(WIDE), distances(NARROW)
    assert evidence.p == pytest.approx(stats.ttest_rel(x, y, alternative="greater").pvalue, rel=1e-9)
    assert evidence.p_welch == pytest.approx(stats.ttest_ind(x, y, equal_var=False, alternative="greater").pvalue)
    assert (evidence.mean_of, evidence.mean_than) == pytest.approx((x.mean(), y.mean()))
    # Brown and Forsythe's F of two groups is the square of the unpaired t of the same distances
    t = evidence.estimate / np.sqrt((np.var(x, ddof=1) + np.var(y, ddof=1)) / 6)
    assert t**2 == pytest.approx(stats.levene(WIDE, NARROW, center="median").statistic)


def test_relative_distances_are_of_logarithms():
    evidence = evaluate(
        runs(**{"a0.1": list(NARROW), "a1": list(WIDE)}), **ENTRY | {"smallest_effect": {"relative": 0.1}}
    )
    x, y = distances(np.log(WIDE)), distances(np.log(NARROW))
    assert evidence.p == pytest.approx(stats.ttest_rel(x, y, alternative="greater").pvalue, rel=1e-9)
    assert evidence.mean_of == pytest.approx(np.mean(np.exp(x) - 1))


def test_three_seeds_never_show_a_difference_in_scatter():
    rng = np.random.default_rng(3)
    p = []
    for _ in range(200):
        wide, narrow = rng.normal(0, 100, 3), rng.normal(0, 0.01, 3)
        p.append(evaluate(runs(**{"a0.1": list(narrow), "a1": list(wide)}), **ENTRY).p)
    bound = stats.t.sf(2, 2)  # of distances that are 1, 1 and 0
    assert bound - 1e-6 <= min(p) < bound + 0.005
    assert bound > 0.09
