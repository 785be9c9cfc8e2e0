"""Held-out counts: deviance against sklearn, likelihoods and posteriors against scipy and sums over what is hidden."""

import dataclasses

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.sparse import csr_matrix
from sklearn.metrics import mean_poisson_deviance, mean_squared_error

from zipo.metrics import held_out_counts, held_out_likelihood, held_out_posterior
from zipo.metrics.shared import chunks
from zipo.metrics.shared.case import Case
from zipo.metrics.shared.distribution import Distribution, poisson_deviance

P = 0.8  # share of the training molecules
M, Z, R = 3.0, 0.3, 1.7  # full-depth mean, zero inflation, NB size


@pytest.mark.parametrize("control", ["gene_mean", "no_denoising"])
def test_deviance_and_squared_error_agree_with_sklearn(shallow_cases, control):
    """Both of the denoised counts; the deviance with a hundredth of each gene's mean as the least."""
    case = shallow_cases[control]
    observed, counts = case.held_out.toarray().astype(float), case.counts.toarray().astype(float)
    predicted = case.denoised.astype(float) / 9
    least = np.maximum(0.01 * counts.mean(axis=0) / 9, 1e-6)  # a gene without training counts has no mean
    scores = held_out_counts.score(case)
    deviance = mean_poisson_deviance(observed.ravel(), np.maximum(predicted, least).ravel())
    assert scores["poisson_deviance"] == pytest.approx(deviance, rel=1e-9)
    assert scores["mse_counts"] == pytest.approx(mean_squared_error(observed, predicted), rel=1e-9)


def test_what_a_molecule_costs_where_none_is_expected():
    """Two cells of which one has 3 molecules of a gene, and the other turns out to have one too: y = .01 x 1.5 / 9."""
    case = Case(
        counts=csr_matrix([[3.0], [0.0]]),
        denoised=np.array([[3.0], [0.0]], dtype=np.float32),
        held_out=csr_matrix([[0.0], [1.0]]),
        training_share=0.9,
    )
    y = np.array([3, 0.015]) / 9
    deviance = 2 * (y[0] - np.log(y[1]) - 1 + y[1]) / 2
    assert held_out_counts.score(case)["poisson_deviance"] == pytest.approx(deviance, rel=1e-12)
    nll = -stats.poisson(y).logpmf([0, 1]).mean()
    assert held_out_likelihood.score(case)["held_out_nll"] == pytest.approx(nll, rel=1e-12)


def test_everyone_is_scored_on_the_denoised_counts_alone(shallow_cases):
    case = shallow_cases["oracle"]
    assert case.zero_probability is not None
    bare = dataclasses.replace(case, rates=None, zero_probability=None)
    assert held_out_counts.score(case) == held_out_counts.score(bare)


def test_deviance_cannot_be_called_the_wrong_way_round():
    with pytest.raises(TypeError):
        poisson_deviance(np.ones(2), np.ones(2))
    assert poisson_deviance(observed=np.array([4.0]), predicted=np.array([1.0])) == pytest.approx(8 * np.log(4) - 6)
    assert poisson_deviance(observed=np.array([0.0]), predicted=np.array([2.5])) == pytest.approx(5.0)


def pmf_by_hand(x, seen, z, size):
    """Pr(held-out = x | training = seen), from joint probabilities over loss and, of an NB, over its gamma variable."""
    rate = np.linspace(1e-9, 80, 100_001)
    density = None if size is None else stats.gamma(size, scale=M / size).pdf(rate)

    def over_rates(given):
        return given(M) if size is None else integrate.trapezoid(given(rate) * density, rate)

    train = over_rates(lambda m: stats.poisson.pmf(seen, P * m))
    both = over_rates(lambda m: stats.poisson.pmf(seen, P * m) * stats.poisson.pmf(x, (1 - P) * m))
    return (z * (x == 0) * (seen == 0) + (1 - z) * both) / (z * (seen == 0) + (1 - z) * train)


@pytest.mark.parametrize("size", [None, R])
@pytest.mark.parametrize("z", [0.0, Z])
def test_likelihood_given_training_counts(z, size):
    """All of Poisson, ZIP, NB and ZINB, cells that saw 0 to 4 molecules and hold out 0 to 3."""
    seen, x = (grid.astype(float) for grid in np.meshgrid(range(5), range(4)))
    full = np.ones_like(seen)
    case = Case(
        counts=csr_matrix(seen),
        denoised=(1 - z) * P * M * full,
        held_out=csr_matrix(x),
        training_share=P,
        rates=P * M * full,
        zero_probability=z * full if z else None,
        size=np.full(5, size) if size else None,
    )
    by_hand = [pmf_by_hand(a, b, z, size) for a, b in zip(x.ravel(), seen.ravel(), strict=True)]
    assert held_out_likelihood.score(case)["held_out_nll"] == pytest.approx(-np.mean(np.log(by_hand)), rel=1e-6)


@pytest.mark.parametrize("size", [None, R])
@pytest.mark.parametrize("z", [0.0, Z])
@pytest.mark.parametrize("seen", [0, 2])
def test_the_posterior_expects_the_means_given_what_was_seen(seen, z, size):
    """Of all four: neither q m nor (1 - z) q m."""
    one = np.ones((1, 1))
    case = Case(
        counts=csr_matrix(seen * one),
        denoised=(1 - z) * P * M * one,
        held_out=csr_matrix(one),
        training_share=P,
        rates=P * M * one,
        zero_probability=z * one if z else None,
        size=size * one if size else None,
    )
    mean = sum(x * pmf_by_hand(x, seen, z, size) for x in range(60))
    scores = held_out_posterior.score(case)
    assert scores["posterior_deviance"] == pytest.approx(mean_poisson_deviance([1], [mean]), rel=1e-5)
    assert scores["posterior_mse"] == pytest.approx((1 - mean) ** 2, rel=1e-5)


def test_the_posterior_of_a_poisson_is_its_denoised_counts(shallow_cases):
    case = shallow_cases["gene_mean"]
    assert "distribution" not in case.has
    poisson = dataclasses.replace(case, rates=case.denoised)
    assert "distribution" in poisson.has
    expected = list(held_out_counts.score(case).values())
    assert list(held_out_posterior.score(poisson).values()) == pytest.approx(expected, rel=1e-12)


def test_knowing_the_loss_improves_the_prediction(shallow_cases):
    knowing = shallow_cases["oracle"]
    ignorant = dataclasses.replace(knowing, rates=None, zero_probability=None)
    better, worse = held_out_posterior.score(knowing), held_out_counts.score(ignorant)
    assert better["posterior_deviance"] < worse["poisson_deviance"]
    assert better["posterior_mse"] < worse["mse_counts"]
    better, worse = held_out_likelihood.score(knowing), held_out_likelihood.score(ignorant)
    assert better["held_out_nll"] < worse["held_out_nll"]


@pytest.mark.parametrize("z", [None, 0.0, 0.4, 1.0])
@pytest.mark.parametrize("size", [None, 1e-3, 2.0, 1e12])
def test_distributions_agree_with_scipy(z, size):
    m = np.array([[1e-6, 0.02, 1.5, 60.0, 5000.0]])
    distribution = Distribution(m, None if z is None else np.full_like(m, z), None if size is None else np.array(size))
    base = stats.poisson(m) if size in (None, 1e12) else stats.nbinom(size, size / (size + m))
    inflation = z or 0.0
    with np.errstate(divide="ignore"):
        zero = np.logaddexp(np.log(inflation), np.log1p(-inflation) + base.logpmf(0))
    np.testing.assert_allclose(distribution.log_prob_zero(), zero, rtol=1e-4, atol=1e-12)
    for x in (0, 1, 4, 70):
        np.testing.assert_allclose(
            distribution.cdf(np.full_like(m, x)), inflation + (1 - inflation) * base.cdf(x), rtol=1e-4, atol=1e-12
        )
    assert (distribution.cdf(np.full_like(m, -1)) == 0).all()
    if inflation < 1:
        at = (np.zeros(5, dtype=int), np.arange(5))
        for x in (1, 4, 70):
            expected = np.log1p(-inflation) + base.logpmf(x)[0]
            np.testing.assert_allclose(distribution.log_prob_positive(at, np.full(5, x)), expected, rtol=1e-4)


@pytest.mark.parametrize("module", [held_out_counts, held_out_likelihood, held_out_posterior])
def test_chunks_change_nothing(module, shallow_cases, monkeypatch):
    case = shallow_cases["oracle"]
    whole = module.score(case)
    monkeypatch.setattr(chunks, "ENTRIES", 1100)  # 7 cells, and a last chunk of fewer
    assert module.score(case) == pytest.approx(whole, rel=1e-9)


def test_a_zero_that_inflation_alone_explains_is_certain():
    """z / (z + (1 - z) e^-m) rounds to more than one here, and the log-probability of what is left must not be NaN."""
    z = np.array([[np.float32(0.16201715171337128)]]).astype(float)
    base = Distribution(np.array([[53.208106994628906]]), z)
    held_out = base.held_out(np.zeros((1, 1)), 1 / 9)
    assert held_out.zero_probability[0, 0] == 1
    assert held_out.log_prob_zero()[0, 0] == 0
