"""The evidence on differences against scipy and statsmodels."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from tests.study.claims.invented import HIGH, LESS, claims, evaluate, runs

SECOND = np.array(HIGH)
FIRST = SECOND + np.array([-0.2, 0.05, -0.1, -0.3, 0.02, -0.12])
TABLE = runs(**{"a0.1": list(SECOND), "a1": list(FIRST)})


@pytest.mark.parametrize(("direction", "opposite"), [("less", "greater"), ("greater", "less")])
def test_an_absolute_difference(direction, opposite):
    evidence = evaluate(TABLE, **LESS | {"direction": direction})
    test = stats.ttest_rel(FIRST, SECOND, alternative=direction)
    assert evidence.p == pytest.approx(test.pvalue, rel=1e-12)
    other = stats.ttest_rel(FIRST, SECOND, alternative=opposite).pvalue
    too_small = ttost_paired(FIRST, SECOND, -0.1, 0.1)[0]
    assert evidence.p_against == pytest.approx(min(other, too_small), rel=1e-12)
    assert evidence.opposite == (other <= too_small)
    welch = stats.ttest_ind(FIRST, SECOND, equal_var=False, alternative=direction)
    assert evidence.p_welch == pytest.approx(welch.pvalue, rel=1e-12)
    assert evidence.interval == pytest.approx(tuple(stats.ttest_rel(FIRST, SECOND).confidence_interval(0.95)))
    assert evidence.estimate == pytest.approx(np.mean(FIRST) - np.mean(SECOND))
    assert evidence.spread == pytest.approx(np.sqrt(np.cov(FIRST, SECOND).trace() - 2 * np.cov(FIRST, SECOND)[0, 1]))
    assert (evidence.count, evidence.runs, evidence.diverged, evidence.tests) == (6, 12, 0, 1)
    assert (evidence.of, evidence.than) == ("alpha_z 1", "alpha_z 0.1")


def test_a_relative_difference_is_of_logarithms():
    evidence = evaluate(TABLE, **LESS | {"smallest_effect": {"relative": 0.02}})
    x, y = np.log(FIRST), np.log(SECOND)
    assert evidence.p == pytest.approx(stats.ttest_rel(x, y, alternative="less").pvalue, rel=1e-12)
    assert evidence.effect == pytest.approx(stats.gmean(FIRST) / stats.gmean(SECOND) - 1)
    assert evidence.margin == pytest.approx(np.log(1.02))
    assert (evidence.mean_of, evidence.mean_than) == pytest.approx((FIRST.mean(), SECOND.mean()))


def test_a_seed_of_one_setting_alone_is_left_out():
    table = runs(**{"a0.1": [*SECOND, 9.0], "a1": list(FIRST)})
    evidence = evaluate(table, **LESS)
    assert evidence.p == pytest.approx(stats.ttest_rel(FIRST, SECOND, alternative="less").pvalue, rel=1e-12)
    assert (evidence.count, evidence.runs) == (6, 12)


def test_the_weakest_of_several_comparisons():
    third = SECOND - 0.25 + np.array([0.1, -0.1, 0.2, 0.0, -0.2, 0.1])
    table = runs(**{"a0.1": list(SECOND), "a1": list(FIRST), "a10": list(third)})
    evidence = evaluate(table, **LESS | {"of": {"alpha_z": [1, 10]}})
    single = [evaluate(table, **LESS | {"of": {"alpha_z": value}}) for value in (1, 10)]
    assert evidence.p == max(each.p for each in single)
    assert evidence.p_against == min(1, 2 * min(each.p_against for each in single))
    assert evidence.tests == 2


def test_the_seeds_needed_are_statsmodels():
    claim = claims(it=LESS)["it"]
    evidence = evaluate(TABLE, **LESS)

    def needed(distance):
        power = TTestPower().solve_power(distance / evidence.spread, alpha=0.01, power=0.8, alternative="larger")
        return math.ceil(power)

    assert claim.seeds_as_observed(evidence, 0.01) == max(7, needed(-evidence.estimate))
    assert claim.seeds_for_smallest(evidence, 0.01) == needed(0.1)
