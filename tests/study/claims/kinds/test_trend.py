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


def test_a_seed_that_diverged_at_one_value_is_left_out():
    evidence = evaluate(table(SEEDS, a10=[None, *SEEDS[1:, 2]]), **TREND)
    changes = 3 * np.polyfit(range(4), SEEDS[1:].T, 1)[0]
    assert evidence.p == pytest.approx(stats.ttest_1samp(changes, 0, alternative="less").pvalue)
    assert (evidence.count, evidence.runs, evidence.diverged) == (5, 24, 1)
