"""Losses over cells against dense scipy arithmetic, entry by entry."""

import numpy as np
import pytest
import torch
from scipy import stats

from zipo.engine.batches import Counts
from zipo.engine.evaluation import gene_poisson_nll, losses
from zipo.engine.loss import objective
from zipo.engine.model import Network
from zipo.parameters import Parameters

RNG = np.random.default_rng(8)
X = RNG.poisson(RNG.gamma(0.5, 3, size=(23, 9)))
X[:, 0] += 1


def counts(x=X) -> Counts:
    return Counts(x, np.zeros((len(x), 0)), torch.device("cpu"))


def trained_a_little(**parameters) -> Network:
    network = Network(9, Parameters(**{"encoder": "6-3"} | parameters), seed=1)
    network(counts().batch(torch.arange(23)))  # moves the batch norms' statistics
    return network.eval()


@torch.no_grad()
def expected_nll(network, log_library=None) -> float:
    prediction = network(counts().batch(torch.arange(23)))
    log_l = prediction.log_library.double().numpy() if log_library is None else log_library
    m = np.exp(log_l + prediction.log_proportions.double().numpy())
    if prediction.theta is None:
        log_f = stats.poisson.logpmf(X, m)
    else:
        theta = prediction.theta.double().numpy()
        log_f = stats.nbinom.logpmf(X, m * np.exp(-theta), 1 / (1 + np.exp(theta)))
    z = 0 if prediction.zero_logits is None else torch.sigmoid(prediction.zero_logits.double()).numpy()
    return -np.mean(np.log(z * (X == 0) + (1 - z) * np.exp(log_f)))


@pytest.mark.parametrize("likelihood", ["poisson", "nb", "zip", "zinb"])
def test_losses_agree_with_scipy(likelihood):
    network = trained_a_little(likelihood=likelihood)
    actual = losses(network, counts(), batch_size=10)
    assert actual.nll == pytest.approx(expected_nll(network), rel=1e-5)
    observed = np.log(X.sum(1, keepdims=True))
    assert actual.nll_observed_library == pytest.approx(expected_nll(network, observed), rel=1e-5)

    with torch.no_grad():
        prediction = network(counts().batch(torch.arange(23)))
        m = prediction.rates.numpy()
        z = 0 if prediction.zero_logits is None else torch.sigmoid(prediction.zero_logits).numpy()
    assert actual.mse_rates == pytest.approx(np.mean((m - X) ** 2), rel=1e-5)
    assert actual.mse_means == pytest.approx(np.mean(((1 - z) * m - X) ** 2), rel=1e-5)
    assert actual.mean_zero_probability == pytest.approx(np.mean(z), rel=1e-5)
    assert actual.penalty_z == pytest.approx(0.1 * np.mean(np.square(z)), rel=1e-5)
    log_error = prediction.log_library.numpy() - observed
    assert actual.library_error == pytest.approx(np.sqrt(np.mean(log_error**2)), rel=1e-5)


@pytest.mark.parametrize("alpha_w", [0.0, 0.7])
def test_the_penalty_on_the_weights_is_measured_without_one_too(alpha_w):
    network = trained_a_little(alpha_w=alpha_w)
    actual, w = losses(network, counts(), batch_size=10), network.encoder.first.weight.detach().numpy()
    assert actual.penalty_w_unweighted == pytest.approx(np.mean(np.abs(w).mean(0) / np.sqrt((w**2).mean(0))), rel=1e-5)
    assert actual.penalty_w == pytest.approx(alpha_w * actual.penalty_w_unweighted, rel=1e-5)


@pytest.mark.parametrize(("reduction", "factor"), [("mean", 1), ("sum", 9)])
def test_the_objective_is_the_nll_plus_the_weighted_penalties(reduction, factor):
    network = trained_a_little(
        likelihood="zinb", reduction=reduction, alpha_z=0.3, alpha_w=0.7, alpha_theta=0.2, alpha_rate=0.05
    )
    batch = counts().batch(torch.arange(23))
    with torch.no_grad():
        prediction = network(batch)
        total, nll = objective(network, batch)
        w = network.encoder.first.weight.numpy()
        z = torch.sigmoid(prediction.zero_logits).numpy()
        theta, m = prediction.theta.numpy(), prediction.rates.numpy()
    penalties = (
        0.3 * np.mean(z**2)
        + 0.7 * np.mean(np.abs(w).mean(0) / np.sqrt((w**2).mean(0)))
        + 0.2 * np.mean(theta**2)
        + 0.05 * np.mean((m - X) ** 2)
    )
    assert nll.item() == pytest.approx(expected_nll(network), rel=1e-5)
    assert total.item() == pytest.approx(factor * expected_nll(network) + penalties, rel=1e-5)


def test_the_trivial_prediction_is_gene_shares_times_observed_library():
    training, test = X[:15], X[15:]
    shares = (training.sum(0) + 1) / (training.sum() + 9)
    expected = -stats.poisson.logpmf(test, test.sum(1, keepdims=True) * shares).mean()
    totals = counts(training).gene_totals()
    assert gene_poisson_nll(totals, counts(test), batch_size=3) == pytest.approx(expected, rel=1e-5)
