"""Sizes of a negative binomial against scipy's likelihood, and log-linear sizes where the truth has them."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import approx_fprime
from scipy.sparse import csr_matrix

from zipo.engine.batches import Counts
from zipo.engine.factor_model import _map_heads
from zipo.engine.model import Network
from zipo.engine.size_regressions import SizeRegressions, adjustment, size_derivatives
from zipo.parameters import Parameters

CELLS, GENES = 400, 30


@pytest.fixture(scope="module")
def rates() -> np.ndarray:
    """(cells, genes) float32."""
    rng = np.random.default_rng(1)
    return rng.gamma(2.0, 4.0, (CELLS, GENES)).astype(np.float32)


def counts_of(matrix: np.ndarray) -> Counts:
    return Counts(csr_matrix(matrix), np.zeros((len(matrix), 0)), torch.device("cpu"))


def network_of(genes: int, latents: int, dispersion: str) -> Network:
    settings = {"likelihood": "nb", "library": "observed", "inference": "refined", "dispersion": dispersion}
    return Network(genes, Parameters(encoder=f"8-{latents}", **settings), median_library=150.0, seed=2)


def log_prob(x, log_sizes, rates):
    size = np.exp(log_sizes)
    return stats.nbinom.logpmf(x, size, size / (size + rates.astype(float)))


@pytest.mark.parametrize("shape", [(1, GENES), (CELLS, GENES)])
def test_derivatives_by_the_size_are_those_of_scipys_likelihood(rates, shape):
    x = np.random.default_rng(5).negative_binomial(2, 2 / (2 + rates))
    log_sizes = np.random.default_rng(2).uniform(-3, 6, shape)
    batch = counts_of(x).batch(torch.arange(CELLS))
    first, second = size_derivatives(torch.from_numpy(rates), torch.tensor(-log_sizes), batch)
    h = 1e-3
    up, at, down = (log_prob(x, log_sizes + step, rates) for step in (h, 0, -h))
    np.testing.assert_allclose(first, (up - down) / (2 * h), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(second, (up - 2 * at + down) / h**2, rtol=1e-2, atol=1e-3)


def test_adjustment_of_sizes_is_the_derivative_of_the_log_determinants():
    """Of the curvatures of all cells' latents, whose inverses give the variances of the log rates."""
    rng = np.random.default_rng(6)
    cells, genes, latents = 7, 9, 2
    rates, slopes = rng.gamma(1.0, 4.0, (cells, genes)), rng.normal(size=(genes, latents))
    log_sizes = np.linspace(-1, 3, genes)

    def curvatures(log_sizes):
        size = np.exp(log_sizes)
        return np.einsum("cg,gi,gj->cij", rates * size / (rates + size), slopes, slopes) + np.eye(latents)

    def half_log_determinants(log_sizes):
        return -np.linalg.slogdet(curvatures(log_sizes))[1].sum() / 2

    variance = np.einsum("gi,cij,gj->cg", slopes, np.linalg.inv(curvatures(log_sizes)), slopes)
    first, second = adjustment(*(torch.tensor(values) for values in (rates, -log_sizes, variance)))
    np.testing.assert_allclose(first.sum(dim=0), approx_fprime(log_sizes, half_log_determinants, 1e-6), rtol=1e-3)
    size, step = np.exp(log_sizes), np.exp(log_sizes + 1e-5)
    moved = -(rates * step / (rates + step) * variance * rates / (rates + step) / 2)
    still = -(rates * size / (rates + size) * variance * rates / (rates + size) / 2)
    np.testing.assert_allclose(second, (moved - still) / 1e-5, rtol=1e-2, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("dispersion", ["gene", "gene_cell"])
def test_steps_lead_to_the_maximum_of_scipys_likelihood(rates, dispersion):
    """With rates held fixed, and the variance of slopes that the prior has at the end."""
    rng = np.random.default_rng(3)
    latent = rng.normal(size=(CELLS, 2)).astype(np.float32)
    slopes = rng.normal(0, 0.5, (GENES, 2))
    log_sizes = latent @ slopes.T + rng.normal(1, 0.5, GENES)
    size = np.exp(log_sizes)
    x = rng.poisson(rates * rng.gamma(size, 1 / size))
    network = network_of(GENES, 2, dispersion)
    batch = counts_of(x).batch(torch.arange(CELLS))
    inputs = torch.from_numpy(np.column_stack([latent, np.ones(CELLS)]).astype(np.float32))
    known = torch.zeros(CELLS, GENES)
    for _ in range(40):
        regressions = SizeRegressions(network, network.dispersion)
        regressions.add(batch, torch.from_numpy(rates), network.dispersion(inputs[:, :2]), known, inputs)
        regressions.step(1e-6, [inputs])
    bias = -network.dispersion.bias.double().numpy()
    fitted = -network.dispersion.weight.double().numpy() if dispersion == "gene_cell" else np.zeros((GENES, 2))
    precision = 1 / np.square(fitted).mean(axis=0) if dispersion == "gene_cell" else np.zeros(2)
    for gene in range(0, GENES, 7):

        def objective(values):
            own = latent @ values[:2] * (dispersion == "gene_cell") + values[2]
            return log_prob(x[:, gene], own, rates[:, gene]).sum() - precision @ values[:2] ** 2 / 2  # noqa: B023

        at = np.append(fitted[gene], bias[gene])
        np.testing.assert_allclose(approx_fprime(at, objective, 1e-5), 0, atol=0.15)
    if dispersion == "gene_cell":
        assert np.corrcoef(fitted.ravel(), slopes.ravel())[0, 1] > 0.9


@torch.no_grad()
def test_a_cell_far_from_all_others_leaves_steps_finite_and_other_sizes_as_they_would_be(rates):
    rng = np.random.default_rng(7)
    x = rng.poisson(rates * rng.gamma(3, 1 / 3, rates.shape))
    latent = rng.normal(size=(CELLS, 2)).astype(np.float32)
    biases = []
    for far in (latent[0, 0], 300.0, -300.0):  # in standard deviations, of 0.5 log sizes each
        network = network_of(GENES, 2, "gene_cell")
        network.dispersion.weight.fill_(0.5)
        latent[0] = far
        inputs = torch.from_numpy(np.column_stack([latent, np.ones(CELLS)]).astype(np.float32))
        regressions = SizeRegressions(network, network.dispersion)
        variance = torch.full((CELLS, GENES), 0.1)
        variance[0] = 1e12
        batch = counts_of(x).batch(torch.arange(CELLS))
        regressions.add(batch, torch.from_numpy(rates), network.dispersion(inputs[:, :2]), variance, inputs)
        regressions.step(1e-6, [inputs.clamp(-5, 5)])
        assert network.dispersion.weight.isfinite().all()
        biases.append(network.dispersion.bias.clone())
    np.testing.assert_allclose(biases[1], biases[0], atol=0.3)
    np.testing.assert_allclose(biases[2], biases[0], atol=0.3)


@torch.no_grad()
def test_slopes_that_no_count_asks_for_vanish(rates):
    rng = np.random.default_rng(4)
    latent = rng.normal(size=(CELLS, 2)).astype(np.float32)
    x = rng.poisson(rates * rng.gamma(3, 1 / 3, rates.shape))
    network = network_of(GENES, 2, "gene_cell")
    network.dispersion.weight.normal_(0, 0.5, generator=torch.Generator().manual_seed(1))
    batch = counts_of(x).batch(torch.arange(CELLS))
    inputs = torch.from_numpy(np.column_stack([latent, np.ones(CELLS)]).astype(np.float32))
    for _ in range(60):
        regressions = SizeRegressions(network, network.dispersion)
        size = network.dispersion(inputs[:, :2])
        regressions.add(batch, torch.from_numpy(rates), size, torch.zeros(CELLS, GENES), inputs)
        regressions.step(1e-6, [inputs])
    assert network.dispersion.weight.square().mean().sqrt() < 0.1
    assert np.median(np.exp(-network.dispersion.bias.numpy())) == pytest.approx(3, rel=0.15)


@torch.no_grad()
def test_other_axes_of_the_latents_leave_rates_and_sizes_as_they_are(rates):
    network = network_of(GENES, 3, "gene_cell")
    batch = counts_of(np.random.default_rng(5).poisson(rates)).batch(torch.arange(CELLS))
    network.eval()
    rng = np.random.default_rng(6)
    matrix, centre, latent = (
        torch.tensor(rng.normal(size=shape), dtype=torch.float32) for shape in ((3, 3), 3, (CELLS, 3))
    )
    before = network.decode(latent @ matrix.T + centre, batch)
    _map_heads(network, matrix, centre)
    after = network.decode(latent, batch)
    np.testing.assert_allclose(after.log_rates, before.log_rates, atol=1e-4)
    np.testing.assert_allclose(after.dispersion, before.dispersion, atol=1e-4)
