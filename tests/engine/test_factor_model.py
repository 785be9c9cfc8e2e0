"""A refined decoder against scipy's regressions, and what it brings on counts of known rates."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import approx_fprime, minimize
from scipy.sparse import csr_matrix
from scipy.spatial.distance import pdist

from zipo.engine import factor_model
from zipo.engine.batches import Counts
from zipo.engine.factor_model import Regressions, can_refine_decoder, fit_prior
from zipo.engine.model import Network
from zipo.engine.refinement import place
from zipo.engine.uncertainty import covariance_root
from zipo.parameters import Parameters

CELLS, GENES = 400, 50


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """(cells, genes) rates of three factors."""
    rng = np.random.default_rng(1)
    log_shares = rng.normal(size=(CELLS, 3)) @ rng.normal(size=(3, GENES)) * 0.5 + rng.normal(size=GENES)
    shares = np.exp(log_shares)
    return rng.lognormal(5, 0.3, (CELLS, 1)) * shares / shares.sum(axis=1, keepdims=True)


def counts_of(matrix: np.ndarray) -> Counts:
    return Counts(csr_matrix(matrix), np.zeros((len(matrix), 0)), torch.device("cpu"))


def network_of(**parameters) -> Network:
    settings = {"encoder": "16-5", "library": "observed", "inference": "refined"}
    return Network(GENES, Parameters(**settings | parameters), median_library=150.0, seed=2)


@torch.no_grad()
def denoised(network: Network, counts: Counts) -> np.ndarray:
    network.eval()
    return torch.cat([batch.denoised for batch in map(network, counts.batches(100))]).double().numpy()


def error(rates: np.ndarray, truth: np.ndarray) -> float:
    return np.mean((np.sqrt(rates) - np.sqrt(truth)) ** 2)


def of_gene_means(x: np.ndarray) -> np.ndarray:
    """Rates of cells that are all alike but for their library sizes."""
    return x.sum(axis=1, keepdims=True) * x.sum(axis=0) / x.sum()


def test_rates_come_close_to_the_true_ones(truth):
    """An untrained encoder gives the start alone; a regression for cells and genes in turn needs no better one."""
    x = np.random.default_rng(2).poisson(truth)
    network = network_of(likelihood="poisson")
    fit_prior(network, [counts_of(x)], seed=1)
    ours = error(denoised(network, counts_of(x)), truth)
    assert ours < 0.25 * error(x, truth)
    assert ours < 0.25 * error(of_gene_means(x), truth)


def test_priors_that_tighten_do_not_end_the_rounds(truth, monkeypatch):
    """Factors that fit the noise of sparse counts, as wide priors let them, lose it while the NLL rises by 3 %."""
    monkeypatch.setattr(factor_model, "OPEN_VARIANCE", 0.5)
    rates = truth / 5
    x = np.random.default_rng(2).poisson(rates)
    network = network_of(likelihood="poisson", encoder="16-20")
    fit_prior(network, [counts_of(x)], seed=1)
    # .61; where a rise by 1 % is the end, .80
    assert error(denoised(network, counts_of(x)), rates) < 0.7 * error(of_gene_means(x), rates)


@pytest.mark.parametrize(("likelihood", "dispersion"), [("poisson", "gene"), ("nb", "gene"), ("nb", "gene_cell")])
def test_posterior_means_add_up_to_the_counts_of_each_gene(truth, likelihood, dispersion):
    rng = np.random.default_rng(3)
    x = rng.poisson(truth * rng.gamma(2, 1 / 2, truth.shape))
    network = network_of(likelihood=likelihood, dispersion=dispersion, denoised="posterior")
    fit_prior(network, [counts_of(x[:300]), counts_of(x[300:])], seed=1)
    ours = denoised(network, counts_of(x))
    totals = x.sum(axis=0)
    ratio = (ours.sum(axis=0) / totals)[totals > 50]
    assert np.median(np.abs(ratio - 1)) < 0.02
    np.testing.assert_allclose(ratio, 1, atol=0.06)
    if likelihood == "nb":
        size = np.exp(-network.dispersion.bias.detach().numpy())[totals > 500]
        assert np.median(size) == pytest.approx(2, rel=0.3)


@torch.no_grad()
def test_distances_of_latents_are_those_of_log_proportions(truth):
    x = np.random.default_rng(2).poisson(truth)
    network, counts = network_of(likelihood="poisson"), counts_of(x)
    fit_prior(network, [counts], seed=1)
    prediction = network.eval()(next(counts.batches(CELLS)))
    # near a mean cell, where the sum of the proportions changes as its derivative has it
    small = 0.01 * prediction.latent
    logits = small.double() @ network.latent_weights.double().T + network.log_proportions.bias
    log_proportions = torch.log_softmax(logits, dim=1).numpy()
    np.testing.assert_allclose(pdist(small.numpy()), pdist(log_proportions) / np.sqrt(GENES), rtol=0.02, atol=1e-5)
    assert (np.diff(network.prior_of_latents.precision) >= 0).all()
    assert np.abs(np.corrcoef(prediction.latent.numpy()[:, :3].T) - np.eye(3)).max() < 0.3


@pytest.mark.parametrize("likelihood", ["poisson", "nb"])
def test_a_gene_ends_at_the_regression_that_scipy_finds(truth, likelihood):
    """With latents and proportions' sums held fixed, steps lead to the ridge-penalised maximum of the likelihood."""
    rng = np.random.default_rng(4)
    x = rng.poisson(truth * rng.gamma(3, 1 / 3, truth.shape))
    network = network_of(likelihood=likelihood, dispersion="gene")
    network.eval()
    counts = counts_of(x)
    batch = counts.batch(torch.arange(CELLS))
    latent = torch.tensor(rng.normal(size=(CELLS, 5)), dtype=torch.float32)
    head = network.log_proportions
    gene = int(np.argsort(x.sum(axis=0))[GENES // 2])
    with torch.no_grad():
        prediction = network.decode(latent, batch)
        shift = (prediction.log_rates - prediction.logits)[:, :1].double().numpy()[:, 0]
        size = 1.0 if network.dispersion is None else float(torch.exp(-network.dispersion.bias[gene]))
        variance = network.latent_weights.square().mean(dim=0).double().numpy()
        before = head.weight.clone(), head.bias.clone()
        regressions = Regressions(network)
        at = place(network, batch, latent)
        regressions.add(batch, at, covariance_root(network.prior_of_latents.precision, at.curvature))
        regressions.step()
    inputs = np.column_stack([latent.double().numpy(), np.ones(CELLS)])
    precision = np.append(1 / variance, factor_model.VAGUE)

    def loss(weights):
        rates = np.exp(inputs @ weights + shift)
        if likelihood == "poisson":
            log_prob = stats.poisson.logpmf(x[:, gene], rates)
        else:
            log_prob = stats.nbinom.logpmf(x[:, gene], size, size / (size + rates))
        return -log_prob.sum() + precision @ weights**2 / 2

    start = np.append(before[0][gene].double().numpy(), before[1][gene].item())
    after = np.append(head.weight.detach()[gene].double().numpy(), head.bias.detach()[gene].item())
    # one Newton step, taken here with numerical derivatives of scipy's likelihood
    gradient = approx_fprime(start, loss, 1e-6)
    best = minimize(loss, start).x
    assert loss(after) < loss(start)
    assert (after - start) @ gradient < 0
    assert loss(after) - loss(best) < 0.5 * (loss(start) - loss(best))


def test_more_latents_than_genes_do_no_harm(truth):
    few = truth[:, np.argsort(-truth.sum(axis=0))[:4]]
    x = np.random.default_rng(7).poisson(few)
    network = Network(
        4, Parameters(encoder="16-7", library="observed", inference="refined", likelihood="poisson"), seed=2
    )
    assert network.latent_weights.shape == (4, 7)
    fit_prior(network, [counts_of(x)], seed=1)
    ours = denoised(network, counts_of(x))
    np.testing.assert_allclose(ours.sum(axis=1), x.sum(axis=1), rtol=1e-4)
    assert error(ours, few) < error(of_gene_means(x), few)


@pytest.mark.parametrize(
    ("parameters", "can"),
    [
        ({"likelihood": "poisson"}, True),
        ({"likelihood": "nb", "dispersion": "gene"}, True),
        ({"likelihood": "nb", "dispersion": "gene_cell"}, True),
        ({"likelihood": "nb"}, False),
        ({"likelihood": "zip"}, False),
        ({"likelihood": "poisson", "library": "predicted"}, False),
        ({"likelihood": "poisson", "decoder": "8"}, False),
    ],
)
def test_other_decoders_stay_and_their_latents_get_a_prior(truth, parameters, can):
    x = np.random.default_rng(6).poisson(truth[:60])
    network = network_of(**parameters)
    assert can_refine_decoder(network) == can
    before = network.log_proportions.weight.clone()
    fit_prior(network, [counts_of(x)], seed=1)
    assert network.refines
    assert torch.equal(network.log_proportions.weight, before) != can
    assert torch.isfinite(torch.from_numpy(denoised(network, counts_of(x)))).all()
