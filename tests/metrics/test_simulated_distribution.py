"""Rates and zero inflation against the truth: sklearn's errors, and the traps of a scale that means do not show."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import mean_squared_error

from zipo.metrics import simulated_distribution, simulated_truth
from zipo.metrics.shared import chunks

score = simulated_distribution.score


@pytest.fixture
def guess(shallow_cases):
    """The counts as rates, with a zero probability of .3 throughout."""
    case = shallow_cases["no_denoising"]
    return dataclasses.replace(case, rates=case.denoised, zero_probability=np.full(case.counts.shape, 0.3))


def test_agrees_with_sklearn(guess):
    true, z = guess.true_rates.astype(float), guess.true_zero_probability
    scale = 1e4 / true.sum(1, keepdims=True)
    expected = mean_squared_error(np.log1p(true * scale), np.log1p(guess.rates * scale))
    assert score(guess)["truth_rates_mse"] == pytest.approx(expected, rel=1e-6)
    assert score(guess)["truth_loss_mse"] == pytest.approx(mean_squared_error(z, guess.zero_probability), rel=1e-6)


def test_the_truth_has_no_error(shallow_cases, deep_cases):
    for cases in (shallow_cases, deep_cases):
        assert score(cases["oracle"]) == pytest.approx({"truth_rates_mse": 0, "truth_loss_mse": 0}, abs=1e-9)


def test_without_zero_inflation_its_probability_is_zero(guess, deep_cases):
    z = guess.true_zero_probability.astype(float)
    without = dataclasses.replace(guess, zero_probability=None)
    assert score(without)["truth_loss_mse"] == pytest.approx(np.mean(z**2), rel=1e-6)
    case = deep_cases["oracle"]  # of which nothing is lost
    made_up = dataclasses.replace(case, zero_probability=np.full(case.counts.shape, 0.2))
    assert score(made_up)["truth_loss_mse"] == pytest.approx(0.04, rel=1e-6)
    assert score(case)["truth_loss_mse"] == 0


def test_twice_the_rates_of_which_half_are_lost_are_not_the_truth(deep_cases):
    """Their means are those of the truth, so that all that looks at means finds no fault."""
    case = deep_cases["oracle"]
    doubled = dataclasses.replace(case, rates=2 * case.rates, zero_probability=np.full(case.counts.shape, 0.5))
    assert simulated_truth.score(doubled)["truth_mse"] == pytest.approx(0, abs=1e-9)
    assert score(doubled)["truth_rates_mse"] > 0.1
    assert score(doubled)["truth_loss_mse"] == pytest.approx(0.25)


def test_means_in_the_place_of_rates_are_not_the_truth(shallow_cases):
    case = shallow_cases["oracle"]
    means = dataclasses.replace(case, rates=case.denoised)
    assert score(means)["truth_rates_mse"] > 0.1
    swapped = dataclasses.replace(case, zero_probability=1 - case.zero_probability)
    assert score(swapped)["truth_loss_mse"] > 0.1


def test_chunks_change_nothing(guess, deep_cases, monkeypatch):
    cases = [guess, deep_cases["oracle"], dataclasses.replace(guess, zero_probability=None)]
    whole = [score(case) for case in cases]
    monkeypatch.setattr(chunks, "ENTRIES", 1100)
    for case, values in zip(cases, whole, strict=True):
        assert score(case) == pytest.approx(values, rel=1e-9, abs=1e-12)
