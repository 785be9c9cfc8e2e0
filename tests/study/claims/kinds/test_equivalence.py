"""The evidence on equivalences against scipy and statsmodels."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from tests.study.claims.invented import HIGH, SAME, claims, evaluate, runs

SECOND = np.array(HIGH)
FIRST = SECOND + np.array([-0.02, 0.05, -0.01, -0.13, 0.02, -0.05])
TABLE = runs(**{"a0.1": list(SECOND), "a1": list(FIRST)})


def test_two_one_sided_tests():
    evidence = evaluate(TABLE, **SAME)
    assert evidence.p == pytest.approx(ttost_paired(FIRST, SECOND, -0.1, 0.1)[0], rel=1e-12)
    above = stats.ttest_1samp(FIRST - SECOND, 0.1, alternative="greater").pvalue
    below = stats.ttest_1samp(FIRST - SECOND, -0.1, alternative="less").pvalue
    assert evidence.p_against == pytest.approx(min(1, 2 * min(above, below)), rel=1e-12)
    assert evidence.p_welch == pytest.approx(stats.ttest_ind(FIRST, SECOND, equal_var=False).pvalue, rel=1e-12)


def test_a_difference_beyond_the_margin():
    evidence = evaluate(runs(**{"a0.1": list(SECOND), "a1": list(FIRST + 0.2)}), **SAME)
    beyond = stats.ttest_1samp(FIRST + 0.2 - SECOND, 0.1, alternative="greater").pvalue
    assert evidence.p_against == pytest.approx(2 * beyond, rel=1e-9)


@pytest.mark.parametrize(
    ("direction", "bound", "side", "other"),
    [("no_less", -0.1, "greater", "less"), ("no_greater", 0.1, "less", "greater")],
)
def test_one_side_alone(direction, bound, side, other):
    evidence = evaluate(TABLE, **SAME | {"direction": direction})
    differences = FIRST - SECOND
    assert evidence.p == pytest.approx(stats.ttest_1samp(differences, bound, alternative=side).pvalue, rel=1e-12)
    against = stats.ttest_1samp(differences, bound, alternative=other).pvalue
    assert evidence.p_against == pytest.approx(against, rel=1e-12)


@pytest.mark.parametrize(("direction", "power"), [("equal", 0.9), ("no_less", 0.8)])
def test_the_seeds_needed_are_statsmodels(direction, power):
    entry = SAME | {"direction": direction, "smallest_effect": {"absolute": 0.03}}
    claim, evidence = claims(it=entry)["it"], evaluate(TABLE, **entry)

    def needed(distance, power):
        standard = distance / evidence.spread
        return math.ceil(TTestPower().solve_power(standard, alpha=0.02, power=power, alternative="larger"))

    # the mean difference is -0.0233: 0.0067 within the margin on the side that matters
    assert claim.seeds_as_observed(evidence, 0.02) == needed(0.03 + evidence.estimate, 0.8)
    assert claim.seeds_for_smallest(evidence, 0.02) == needed(0.03, power)
