"""Posterior means against conjugate formulas, adaptive quadrature and simulation, and where the bound lies."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.sparse import csr_matrix
from scipy.special import expit

from zipo.datasets.simulation import simulate
from zipo.datasets.sources.simulated import SimulatedSource
from zipo.datasets.thinning import thinned
from zipo.methods import bayes, gene_mean, no_denoising, oracle, pca, shrinkage
from zipo.methods.bayes import posterior
from zipo.metrics import held_out_counts, simulated_truth
from zipo.metrics.shared.case import Case
from zipo.shared.errors import InputError

LOSS = {"midpoint": -0.5, "slope": -1.3}


def by_quadrature(x: int, mean: float, dispersion: float) -> list[float]:
    """Posterior means of m, z and (1 - z) m by adaptive quadrature."""
    prior = stats.gamma(1 / dispersion, scale=mean * dispersion)

    def integral(of):
        def integrand(m):
            z = expit(LOSS["slope"] * (np.log(m) - LOSS["midpoint"]))
            likelihood = (1 - z) * stats.poisson.pmf(x, m) + z * (x == 0)
            return of(m, z) * likelihood * prior.pdf(m)

        without_loss = stats.gamma(1 / dispersion + x, scale=1 / (1 + 1 / (mean * dispersion)))
        ends = [prior.ppf(1e-13), prior.median(), without_loss.median(), max(prior.isf(1e-13), without_loss.isf(1e-13))]
        return sum(integrate.quad(integrand, *part, limit=500, epsabs=0)[0] for part in pairwise(sorted(ends)))

    total = integral(lambda m, z: 1.0)
    return [integral(of) / total for of in (lambda m, z: m, lambda m, z: z, lambda m, z: (1 - z) * m)]


@pytest.mark.parametrize("dispersion", [0.05, 0.4, 2.0])
@pytest.mark.parametrize("mean", [0.03, 0.8, 15.0])
def test_with_loss_they_agree_with_adaptive_quadrature(mean, dispersion):
    x = np.array([[0.0, 1.0, 3.0, 20.0]])
    answer = posterior(x, np.full(x.shape, mean), np.full(4, dispersion), LOSS)
    expected = np.transpose([by_quadrature(int(value), mean, dispersion) for value in x[0]])
    for kind, values in zip(("rates", "zero_probability", "denoised"), expected, strict=True):
        np.testing.assert_allclose(answer[kind][0], values, rtol=3e-5)


def test_with_loss_they_are_the_means_of_what_was_simulated():
    """By brute force: a million rates and counts of one gene, and the means of the rates by count."""
    rng = np.random.default_rng(0)
    rates = rng.gamma(1 / 0.3, 0.3 * 2.0, size=1_000_000)
    z = expit(LOSS["slope"] * (np.log(rates) - LOSS["midpoint"]))
    counts = np.where(rng.random(rates.shape) < z, 0, rng.poisson(rates))
    x = np.arange(8.0)[None]
    answer = posterior(x, np.full(x.shape, 2.0), np.full(8, 0.3), LOSS)
    for kind, values in (("rates", rates), ("zero_probability", z), ("denoised", (1 - z) * rates)):
        by_count = [values[counts == value] for value in range(8)]
        errors = [part.std() / np.sqrt(len(part)) for part in by_count]
        assert (np.abs(answer[kind][0] - [part.mean() for part in by_count]) < 5 * np.array(errors)).all()


def test_without_loss_they_are_those_of_the_conjugate_gamma():
    x, means, dispersion = np.array([[0.0, 4.0, 900.0]]), np.array([[0.5, 2.0, 1000.0]]), np.array([0.1, 0.5, 0.2])
    answer = posterior(x, means, dispersion, None)
    expected = [
        stats.gamma(1 / d + k, scale=1 / (1 + 1 / (d * m))).mean()
        for k, m, d in zip(x[0], means[0], dispersion, strict=True)
    ]
    np.testing.assert_allclose(answer["rates"][0], expected, rtol=1e-12)
    assert answer["denoised"] is answer["rates"]


@pytest.mark.parametrize("loss", [None, LOSS])
def test_without_noise_of_their_own_rates_are_known(loss):
    x, means = np.array([[0.0, 4.0, 30.0]]), np.array([[0.5, 2.0, 100.0]])
    answer = posterior(x, means, np.zeros(3), loss)
    np.testing.assert_allclose(answer["rates"], means, rtol=1e-5)
    if loss:
        z = expit(loss["slope"] * (np.log(means) - loss["midpoint"]))
        np.testing.assert_allclose(answer["denoised"], (1 - z) * means, rtol=1e-5)


def test_chunks_and_dense_counts_change_nothing(simulated, monkeypatch):
    before = simulated.X.copy()
    answer = bayes.denoise(simulated, seed=1)
    monkeypatch.setattr(bayes, "CHUNK", 40_000)
    dense = simulated.copy()
    dense.X = simulated.X.toarray()
    again = bayes.denoise(dense, seed=2)
    for kind in ("denoised", "rates", "zero_probability"):
        assert answer.layers[kind].dtype == np.float32
        np.testing.assert_array_equal(answer.layers[kind], again.layers[kind])
    assert (csr_matrix(simulated.X) != before).nnz == 0
    assert "denoised" not in simulated.layers


def test_it_needs_the_truth(counts):
    with pytest.raises(InputError, match="bayes: layers\\['true_state_rates'\\] is missing"):
        bayes.denoise(counts, seed=1)


@pytest.mark.parametrize(
    "options",
    [
        {"dropout_midpoint": -1.0},
        {"dispersion": 0.3},
        {"programs": 5, "tail_index": 2.0, "trajectory": True, "batches": 2},
    ],
    ids=["loss", "noise", "structure"],
)
def test_it_lies_between_the_truth_and_all_that_infer_states(options):
    """Of the molecules that are held out too, where it is given the training molecules alone."""
    source = {"kind": "simulated", "cells": 300, "genes": 400, "cell_types": 3, "seed": 8}
    training, held_out = thinned(simulate(SimulatedSource(**source | options)), 0.7, seed=1)
    scores = {}
    for method in (oracle, bayes, no_denoising, gene_mean, pca, shrinkage):
        answer = method.denoise(training, seed=1)
        case = Case.of(training, answer, held_out=held_out, training_share=0.7)
        scores[method.name] = [simulated_truth.score(case)["truth_mse"], *held_out_counts.score(case).values()]
    truth, bound = np.array(scores.pop("oracle")), np.array(scores.pop("bayes"))
    assert (truth < bound).all()
    assert (bound < np.min(list(scores.values()), axis=0)).all()
