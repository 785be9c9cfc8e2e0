"""t tests, Holm's correction and the seeds needed, against scipy and statsmodels."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from zipo.study.claims import t_tests

RNG = np.random.default_rng(4)
A, B = RNG.normal(1.0, 0.2, 12), RNG.normal(1.1, 0.3, 12)


def test_p_greater_is_the_paired_t_test():
    expected = stats.ttest_rel(A, B, alternative="greater").pvalue
    assert t_tests.p_greater(A - B) == pytest.approx(expected, rel=1e-12)
    shifted = stats.ttest_1samp(A, 0.9, alternative="greater").pvalue
    assert t_tests.p_greater(A, 0.9) == pytest.approx(shifted, rel=1e-12)


def test_equivalence_is_two_one_sided_tests():
    assert t_tests.p_equivalent(A - B, 0.25) == pytest.approx(ttost_paired(A, B, -0.25, 0.25)[0], rel=1e-12)
    both = stats.ttest_1samp(A - B, 0.02, alternative="greater").pvalue
    other = stats.ttest_1samp(A - B, -0.02, alternative="less").pvalue
    assert t_tests.p_beyond(A - B, 0.02) == pytest.approx(min(1, 2 * min(both, other)), rel=1e-12)


def test_welch_and_the_interval_are_scipys():
    expected = stats.ttest_ind(A, B[:7], equal_var=False, alternative="greater").pvalue
    assert t_tests.p_welch(A, B[:7]) == pytest.approx(expected, rel=1e-12)
    expected_interval = stats.ttest_rel(A, B).confidence_interval(0.95)
    assert t_tests.interval(A - B) == pytest.approx(tuple(expected_interval), rel=1e-12)


def test_too_few_values_and_values_without_spread():
    assert math.isnan(t_tests.p_greater(np.array([1.0])))
    assert math.isnan(t_tests.interval(np.array([1.0]))[0])
    same = np.array([2.0, 2.0, 2.0])
    assert [t_tests.p_greater(same, bound) for bound in (1, 2, 3)] == [0, 0.5, 1]


def test_holm_by_hand_and_by_statsmodels():
    # smallest times 4, next times 3, and never below the one before: .02, .06, then .06 again, then .06
    assert t_tests.holm([0.005, 0.02, 0.03, math.nan, 0.04]) == pytest.approx(
        [0.02, 0.06, 0.06, math.nan, 0.06], nan_ok=True
    )
    p = RNG.uniform(size=20) ** 3
    assert t_tests.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert np.isnan(t_tests.holm([math.nan])).all()


@pytest.mark.parametrize("power", [0.8, 0.9])
@pytest.mark.parametrize("level", [0.05, 0.004])
@pytest.mark.parametrize("effect", [0.02, 0.3, 1.0, 2.5])
def test_seeds_needed_are_statsmodels(effect, level, power):
    exact = TTestPower().solve_power(effect, nobs=None, alpha=level, power=power, alternative="larger")
    assert t_tests.seeds_needed(3 * effect, 3.0, level, power) == max(2, math.ceil(exact))


def test_seeds_needed_at_the_ends():
    assert t_tests.seeds_needed(1.0, 0.0) == 2
    assert t_tests.seeds_needed(1e9, 1.0) == 2
    assert t_tests.seeds_needed(1e-9, 1.0) is None
    assert t_tests.seeds_needed(-1.0, 1.0) is None


@pytest.mark.parametrize("level", [0.05, 0.004])
@pytest.mark.parametrize("count", [2, 3, 12, 200])
def test_what_seeds_can_detect_is_statsmodels(count, level):
    exact = TTestPower().solve_power(None, nobs=count, alpha=level, power=0.8, alternative="larger")
    assert t_tests.detectable(3.0, count, level) == pytest.approx(3 * exact, rel=1e-4)
    assert t_tests.seeds_needed(3 * exact * 1.001, 3.0, level) == count
    assert math.isnan(t_tests.detectable(3.0, 1))


def test_the_interval_of_a_spread_covers_it():
    draws = np.random.default_rng(5).normal(0, 2, (2000, 12))
    ends = np.array([t_tests.spread_interval(float(np.std(draw, ddof=1)), 12) for draw in draws])
    covered = int(((ends[:, 0] < 2) & (ends[:, 1] > 2)).sum())
    assert stats.binom.ppf(0.001, 2000, 0.95) <= covered <= stats.binom.ppf(0.999, 2000, 0.95)
    # of three seeds, half to six times what was seen
    assert t_tests.spread_interval(1.0, 3) == pytest.approx((0.52, 6.28), abs=0.01)


@pytest.mark.parametrize(("effect", "level", "power"), [(0.5, 0.05, 0.8), (1.0, 0.05, 0.8), (1.0, 0.004, 0.9)])
def test_seeds_needed_have_the_stated_power_in_simulated_studies(effect, level, power):
    rng = np.random.default_rng(6)
    count = t_tests.seeds_needed(effect, 1.0, level, power)
    for seeds, least, most in ((count, power, 1.0), (count - 1, 0.0, power)):
        pairs = rng.normal(0, 5, (4000, seeds, 1)) + rng.normal(0, np.sqrt(0.5), (4000, seeds, 2)) + [effect, 0]
        p = stats.ttest_rel(pairs[..., 0], pairs[..., 1], axis=1, alternative="greater").pvalue
        error = 3 * np.sqrt(power * (1 - power) / 4000)
        assert least - error <= np.mean(p <= level) <= most + error
