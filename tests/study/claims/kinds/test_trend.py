"""The evidence on trends against least squares by numpy and t tests by scipy."""

import numpy as np
import pytest
from scipy import stats

from tests.study.claims.invented import HIGH, TREND, evaluate, runs

SEEDS = np.array(HIGH)[:, None] + np.array([0, -0.1, -0.1, -0.2]) + np.random.default_rng(2).normal(0, 0.1, (6, 4))
GRID = ("a0.1", "a1", "a10", "a1e8")


def table(seeds: np.ndarray, **change):
    return runs(**{name: list(column) for name, column in zip(GRID, seeds.T, strict=True)} | change)


@pytest.mark.parametrize("relative", [False, True])
def test_changes_are_of_fitted_lines(relative):
    effect = {"relative": 0.05} if relative else {"absolute": 0.1}
    evidence = evaluate(table(SEEDS), **TREND | {"smallest_effect": effect})
    changes = 3 * np.polyfit(range(4), (np.log(SEEDS) if relative else SEEDS).T, 1)[0]
    assert evidence.p == pytest.approx(stats.ttest_1samp(changes, 0, alternative="less").pvalue)
    assert evidence.estimate == pytest.approx(changes.mean())
    assert evidence.interval == pytest.approx(tuple(stats.ttest_1samp(changes, 0).confidence_interval(0.95)))
    assert (evidence.mean_of, evidence.mean_than) == pytest.approx((SEEDS[:, 3].mean(), SEEDS[:, 0].mean()))
    assert (evidence.of, evidence.than) == ("alpha_z 1e+08", "alpha_z 0.1")


def test_a_seed_that_diverged_at_one_end_has_the_steepest_change():
    # seeds 1 and 2 diverge at the last value and rise; 3 at the first and falls; 4 at both, which tells nothing
    last, first = [None, None, SEEDS[2, 3], None, *SEEDS[4:, 3]], [*SEEDS[:2, 0], None, None, *SEEDS[4:, 0]]
    evidence = evaluate(table(SEEDS, **{"a1e8": last, "a0.1": first}), **TREND)
    changes = 3 * np.polyfit(range(4), SEEDS[4:].T, 1)[0]
    falls = 1 + int((changes < 0).sum())
    assert evidence.p == pytest.approx(stats.binomtest(falls, 6, 0.5, alternative="greater").pvalue)
    assert (evidence.count, evidence.runs, evidence.diverged) == (6, 24, 5)


def test_a_seed_that_diverged_has_no_share_of_weights():
    shares = runs("pruned_0.1_kept", **{"a0.1": SEEDS[:, 0], "a1": [None, *SEEDS[1:, 1]], "a10": SEEDS[:, 2]})
    evidence = evaluate(shares, **TREND | {"measure": "pruned_0.1_kept"})
    changes = 2 * np.polyfit(range(3), SEEDS[1:, :3].T, 1)[0]
    assert evidence.p == pytest.approx(stats.ttest_1samp(changes, 0, alternative="less").pvalue)
    assert (evidence.count, evidence.diverged) == (5, 1)
