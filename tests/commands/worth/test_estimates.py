"""Intervals of ratios against the bootstrap over cells."""

import numpy as np
import pytest

from zipo.commands.worth.estimates import Estimate, ratio, ratio_error


def test_the_interval_is_that_of_a_bootstrap():
    rng = np.random.default_rng(1)
    denominators = rng.gamma(4.0, 25.0, 500)
    numerators = 0.3 * denominators + rng.normal(0, 10, 500)
    estimate = ratio(numerators, denominators)
    drawn = rng.integers(0, 500, (4000, 500))
    ratios = numerators[drawn].sum(axis=1) / denominators[drawn].sum(axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    assert estimate.value == pytest.approx(numerators.sum() / denominators.sum())
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=0.05 * (high - low))


def test_the_error_of_a_mean_is_the_textbooks():
    values = np.array([1.0, 4.0, 2.0, 7.0])
    squares = np.square(values - values.mean()).sum()
    assert ratio_error(squares, 4.0, 4) == pytest.approx(values.std(ddof=1) / 2)


def test_an_estimate_is_written_in_percent():
    assert Estimate(0.1234, 0.11, 0.1361).in_percent == "12.3 % (11.0 to 13.6)"
