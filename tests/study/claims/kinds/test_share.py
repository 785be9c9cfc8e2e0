"""The evidence on levels against scipy."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from tests.study.claims.invented import SHARE, claims, evaluate, runs

KEPT = [0.06, 0.025, 0.048, 0.021]


@pytest.mark.parametrize(("direction", "opposite"), [("less", "greater"), ("greater", "less")])
def test_one_sample_against_the_bound(direction, opposite):
    evidence = evaluate(runs("pruned_0.0001_kept", a1=[*KEPT, None]), **SHARE | {"direction": direction})
    assert evidence.p == pytest.approx(stats.ttest_1samp(KEPT, 0.05, alternative=direction).pvalue, rel=1e-12)
    assert evidence.p_against == pytest.approx(stats.ttest_1samp(KEPT, 0.05, alternative=opposite).pvalue, rel=1e-12)
    assert evidence.interval == pytest.approx(tuple(stats.ttest_1samp(KEPT, 0).confidence_interval(0.95)))
    assert (evidence.count, evidence.runs, evidence.diverged) == (4, 5, 1)


def test_the_level_furthest_from_the_claim_is_shown_if_none_can_be_tested():
    table = runs("pruned_0.0001_kept", a1=[0.01], a10=[0.2])
    entry = SHARE | {"of": {"alpha_z": [1, 10]}}
    assert evaluate(table, **entry | {"direction": "greater"}).of == "alpha_z 1"
    assert evaluate(table, **entry | {"direction": "less"}).of == "alpha_z 10"


def test_the_seeds_needed_are_statsmodels():
    evidence = evaluate(runs("pruned_0.0001_kept", a1=KEPT), **SHARE)
    standard = (0.05 - np.mean(KEPT)) / np.std(KEPT, ddof=1)
    expected = TTestPower().solve_power(standard, alpha=0.05, power=0.8, alternative="larger")
    claim = claims(it=SHARE)["it"]
    assert claim.seeds_as_observed(evidence, 0.05) == math.ceil(expected)
    assert claim.seeds_for_smallest(evidence, 0.05) is None
