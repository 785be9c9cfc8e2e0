"""Refined latents against scipy's optimiser, and their curvature against the Hessian of the expected loss."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import log_softmax

from zipo.engine.batches import Counts
from zipo.engine.model import Network
from zipo.engine.refinement import TOLERANCE, Place, curvature, place, refined
from zipo.parameters import Parameters

CELLS, GENES, LATENTS = 12, 60, 3
SETTINGS = [
    {"likelihood": "poisson"},
    {"likelihood": "nb", "dispersion": "gene"},
    {"likelihood": "nb"},
    {"likelihood": "zip"},
    {"likelihood": "zinb"},
    {"likelihood": "poisson", "library": "predicted"},
    {"likelihood": "nb", "dispersion": "gene", "decoder": "5"},
]


def named(setting: dict) -> str:
    return "-".join(setting.values())


def network_of(setting: dict, **more) -> Network:
    """A network with random weights of some size, whose latents have a prior that matters."""
    parameters = {"encoder": f"8-{LATENTS}", "library": "observed", "inference": "refined"} | setting | more
    network = Network(GENES, Parameters(**parameters), covariates=1, median_library=150.0, seed=2)
    network.eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weights in (network.log_proportions.weight, *(layer.weight for layer in linear(network.decoder))):
            weights.copy_(0.7 * torch.randn(weights.shape, generator=generator))
        network.prior_of_latents.precision.copy_(torch.tensor([1.0, 2.0, 0.5]))
        network.prior_of_latents.centre.copy_(torch.tensor([0.1, 0.0, -0.2]))
        if network.dispersion is not None and setting.get("dispersion") == "gene":
            network.dispersion.bias.copy_(torch.linspace(-2, 1, GENES))
    return network


def linear(module: torch.nn.Module) -> list[torch.nn.Linear]:
    return [each for each in module.modules() if isinstance(each, torch.nn.Linear)]


@pytest.fixture(scope="module")
def counts() -> Counts:
    rng = np.random.default_rng(4)
    drawn = rng.poisson(rng.gamma(0.5, 5.0, (CELLS, GENES)))
    return Counts(csr_matrix(drawn), rng.normal(size=(CELLS, 1)), torch.device("cpu"))


def whole(counts: Counts):
    return counts.batch(torch.arange(counts.cells))


def gain_left(at: Place) -> torch.Tensor:
    """(cells,) nats that another step is expected to gain."""
    return (at.gradient * torch.linalg.solve(at.curvature, at.gradient)).sum(dim=1)


@pytest.mark.parametrize("likelihood", ["poisson", "nb"])
def test_each_cell_is_at_the_optimum_that_scipy_finds(counts, likelihood):
    network, batch = network_of({"likelihood": likelihood, "dispersion": "gene"}), whole(counts)
    ours = refined(network, batch, torch.zeros(CELLS, LATENTS)).latent
    weights = network.log_proportions.weight.detach().double().numpy()
    bias = network.log_proportions.bias.detach().double().numpy()
    precision, centre = np.array([1.0, 2.0, 0.5]), np.array([0.1, 0.0, -0.2])
    x = batch.dense.double().numpy()
    for cell in range(CELLS):

        def loss(u, cell=cell):
            known = np.concatenate([u, batch.covariates[cell].numpy()])
            rates = x[cell].sum() * np.exp(log_softmax(weights @ known + bias))
            if likelihood == "poisson":
                log_prob = stats.poisson.logpmf(x[cell], rates)
            else:
                size = np.exp(-np.linspace(-2, 1, GENES))
                log_prob = stats.nbinom.logpmf(x[cell], size, size / (size + rates))
            return -log_prob.sum() + precision @ (u - centre) ** 2 / 2

        best = min((minimize(loss, start) for start in (np.zeros(3), ours[cell].numpy())), key=lambda each: each.fun)
        assert loss(ours[cell].double().numpy()) < best.fun + TOLERANCE
        np.testing.assert_allclose(ours[cell], best.x, atol=0.02)


@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("setting", SETTINGS, ids=named)
def test_a_refined_cell_has_nowhere_better_to_go(counts, setting, kernels):
    """By the gradient, in units of the curvature, and by trial in all directions."""
    network, batch = network_of(setting), whole(counts)
    network.kernels = kernels
    first = torch.full((CELLS, LATENTS), 0.3)
    ours = refined(network, batch, first).latent
    before, at = place(network, batch, first), place(network, batch, ours)
    assert (at.value < before.value - 0.1).all()
    assert gain_left(at).max() < 3 * TOLERANCE
    for direction in torch.eye(LATENTS):
        for sign in (-0.1, 0.1):
            assert (place(network, batch, ours + sign * direction).value > at.value - 2 * TOLERANCE).all()


def test_cells_of_genes_whose_sizes_change_with_the_latents_come_to_rest():
    """Their steps overshoot, one after another, since the curvature is that of the rates alone."""
    network, rng = network_of({"likelihood": "nb", "dispersion": "gene_cell"}), np.random.default_rng(6)
    with torch.no_grad():
        network.dispersion.weight.normal_(0, 3, generator=torch.Generator().manual_seed(5))
    drawn = csr_matrix(rng.poisson(rng.gamma(0.1, 25.0, (1000, GENES))))
    batch = whole(Counts(drawn, np.zeros((1000, 1)), torch.device("cpu")))
    at = place(network, batch, refined(network, batch, torch.zeros(1000, LATENTS)).latent)
    assert (gain_left(at) > 3 * TOLERANCE).float().mean() < 0.005  # halving each step anew left .055, up to 22 nats


@pytest.mark.parametrize("setting", SETTINGS, ids=named)
def test_a_guess_far_off_leads_where_a_near_one_does(counts, setting):
    """As an encoder makes them at cells unlike those that it was trained on."""
    network, batch = network_of(setting), whole(counts)
    network.prior_of_latents.fitted.fill_(True)
    at = []
    with torch.no_grad():
        for shift in (0.0, 1e4):
            network.prior_of_latents.shift.fill_(shift)
            at.append(place(network, batch, network(batch).latent).value)
    # where the loss has more than one minimum, another may be reached, of much the same value
    torch.testing.assert_close(at[1], at[0], rtol=0.05, atol=0.1)


@pytest.mark.parametrize("setting", SETTINGS, ids=named)
def test_what_other_cells_are_in_the_batch_does_not_matter(counts, setting):
    network, first = network_of(setting), torch.zeros(CELLS, LATENTS)
    together = refined(network, whole(counts), first).latent
    for cell in range(CELLS):
        alone = refined(network, counts.batch(torch.tensor([cell])), first[:1]).latent
        # rounding of other products may end the search a step earlier or later
        torch.testing.assert_close(alone[0], together[cell], atol=0.02, rtol=0)


@pytest.mark.parametrize("setting", [SETTINGS[0], SETTINGS[5]], ids=named)
def test_curvature_of_the_poisson_is_the_hessian_of_its_expected_loss(counts, setting):
    network, batch = network_of(setting), whole(counts)
    latent = torch.randn(CELLS, LATENTS, generator=torch.Generator().manual_seed(5)) / 2
    with torch.no_grad():
        prediction = network.decode(latent, batch)
        ours, expected = curvature(network, batch, prediction), prediction.rates
    for cell in range(3):
        one = counts.batch(torch.tensor([cell]))

        def loss(u, cell=cell, one=one):
            log_rates = network.decode(u[None], one).log_rates[0]
            return (log_rates.exp() - expected[cell] * log_rates).sum()

        hessian = torch.autograd.functional.hessian(loss, latent[cell])
        torch.testing.assert_close(
            ours[cell] - torch.diag(torch.tensor([1.0, 2.0, 0.5])), hessian, rtol=2e-3, atol=0.02
        )


def test_curvature_does_not_depend_on_how_slopes_are_computed(counts):
    """A linear decoder's closed form against the derivatives that serve any decoder."""
    network, batch = network_of(SETTINGS[1]), whole(counts)
    latent = torch.randn(CELLS, LATENTS, generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        prediction = network.decode(latent, batch)
        closed = curvature(network, batch, prediction)
        type(network).has_linear_rates, kept = property(lambda self: False), type(network).has_linear_rates
        try:
            general = curvature(network, batch, prediction)
        finally:
            type(network).has_linear_rates = kept
    torch.testing.assert_close(closed, general, rtol=1e-3, atol=1e-2)


def test_a_network_predicts_from_refined_latents_once_its_prior_is_fitted(counts):
    network, batch = network_of(SETTINGS[0]), whole(counts)
    with torch.no_grad():
        guess = network(batch).latent
        network.prior_of_latents.fitted.fill_(True)
        torch.testing.assert_close(network(batch).latent, refined(network, batch, guess).latent)
        network.train()
        assert not torch.equal(network(batch).latent, refined(network, batch, guess).latent)
