"""Standard errors against numerical Hessians of scipy's densities, and against draws from the posterior."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import log_softmax

from tests.engine.test_refinement import CELLS, GENES, LATENTS, SETTINGS, counts, named, network_of, whole
from zipo.engine.refinement import WeightPosterior, place, refined
from zipo.engine.uncertainty import Uncertainty

__all__ = ["counts"]  # a fixture
PRECISION, CENTRE = np.array([1.0, 2.0, 0.5]), np.array([0.1, 0.0, -0.2])
SIZE = np.exp(-np.linspace(-2, 1, GENES))
DRAWS = 20_000


def refined_prediction(network, batch):
    with torch.no_grad():
        return network.decode(refined(network, batch, torch.zeros(CELLS, LATENTS), steps=200).latent, batch)


def log_rates(network, batch, cell, latent):
    """log m (..., G) of a linear decoder with observed library sizes, in numpy."""
    weights = network.log_proportions.weight.detach().double().numpy()
    bias = network.log_proportions.bias.detach().double().numpy()
    known = np.concatenate([latent, np.broadcast_to(batch.covariates[cell].numpy(), (*latent.shape[:-1], 1))], axis=-1)
    return np.log(batch.library_size[cell].item()) + log_softmax(known @ weights.T + bias, axis=-1)


def hessian(loss, at, step=1e-3):
    """Second derivatives by central differences."""
    directions = step * np.eye(len(at))
    return np.array(
        [[(loss(at + a + b) - loss(at + a - b) - loss(at - a + b) + loss(at - a - b)) / (4 * step**2)
          for b in directions] for a in directions]
    )  # fmt: skip


def objective(network, batch, cell, x, likelihood):
    def loss(u):
        rates = np.exp(log_rates(network, batch, cell, u))
        if likelihood == "poisson":
            log_prob = x * np.log(rates) - rates
        else:  # but for what depends on counts alone, so that they may be expected counts, not whole
            log_prob = x * np.log(rates) - (x + SIZE) * np.log(rates + SIZE)
        return -log_prob.sum() + PRECISION @ (u - CENTRE) ** 2 / 2

    return loss


@pytest.mark.parametrize("likelihood", ["poisson", "nb"])
def test_latent_errors_are_those_of_the_hessian_at_the_maximum(counts, likelihood):
    """A Poisson's expected and observed information are the same, since the rates add up to the counts; an NB's are the
    same for the expected counts, and alike for those counted."""
    network, batch = network_of({"likelihood": likelihood, "dispersion": "gene"}), whole(counts)
    prediction = refined_prediction(network, batch)
    ours = Uncertainty(network, prediction).latent.numpy()
    ratios = []
    for cell in range(CELLS):
        at = prediction.latent[cell].double().numpy()

        def errors(x, cell=cell, at=at):
            return np.sqrt(np.diag(np.linalg.inv(hessian(objective(network, batch, cell, x, likelihood), at))))

        counted, expected = batch.dense[cell].double().numpy(), prediction.rates[cell].double().numpy()
        np.testing.assert_allclose(ours[cell], errors(counted if likelihood == "poisson" else expected), rtol=2e-3)
        ratios.append(ours[cell] / errors(counted))
    assert np.median(ratios) == pytest.approx(1, abs=0.002 if likelihood == "poisson" else 0.15)


@pytest.mark.parametrize("denoised", ["mean", "posterior"])
@pytest.mark.parametrize("setting", SETTINGS, ids=named)
def test_denoised_errors_are_the_spread_of_draws_from_the_posterior(counts, setting, denoised):
    """Latents from their normal posterior, then what is denoised, with sizes and zero inflation as they are."""
    network, batch = network_of(setting, denoised=denoised), whole(counts)
    with torch.no_grad():  # so narrow a posterior that a log rate's spread is near to its first order
        network.prior_of_latents.precision.mul_(400)
    prediction = refined_prediction(network, batch)
    ours = Uncertainty(network, prediction).denoised.double().numpy()
    rng = np.random.default_rng(1)
    parameters = {name: values.double().numpy() for name, values in prediction.likelihood.parameters.items()}
    for cell in range(3):
        covariance = np.linalg.inv(place(network, batch, prediction.latent).curvature[cell].double().numpy())
        drawn = rng.multivariate_normal(prediction.latent[cell].double().numpy(), covariance, size=DRAWS)
        if network.has_linear_rates:
            rates = np.exp(log_rates(network, batch, cell, drawn))
        else:
            many = counts.batch(torch.full((DRAWS,), cell))
            with torch.no_grad():
                rates = network.decode(torch.as_tensor(drawn, dtype=torch.float32), many).rates.double().numpy()
        x = batch.dense[cell].double().numpy()
        m0 = parameters["rates"][cell]
        z = parameters["zero_probability"][cell] if "zero_probability" in parameters else 0.0
        if network.library is None:  # the sum of counts, by what these vary without zero inflation
            excess = 1 + m0 / parameters["size"][cell] if "size" in parameters else 1.0
            error = np.sqrt(((1 - z) * m0 * excess).sum()) / ((1 - z) * m0).sum()
            rates = rates * np.exp(rng.normal(0, error, (DRAWS, 1)))
        values, zero = rates, np.exp(-rates)
        if "size" in parameters:
            size = parameters["size"][cell]
            values = rng.gamma(size + x, rates / (size + rates))
            zero = stats.nbinom.pmf(0, size, size / (size + rates))
        lost = np.where(x > 0, 0.0, z / (z + (1 - z) * zero))
        values = np.where(rng.random(rates.shape) < lost, 0.0, values)
        # the error of a mean is to first order, which its logarithm has exactly
        spread = values.std(axis=0) if denoised == "posterior" else (1 - z) * m0 * np.log(rates).std(axis=0)
        ratio = (ours[cell] / spread)[spread > 1e-3]  # below, one draw in thousands makes the spread
        assert len(ratio) > GENES / 3
        assert np.median(ratio) == pytest.approx(1, abs=0.05)
        assert np.quantile(np.abs(np.log(ratio)), 0.95) < 0.1


def test_what_is_known_of_weights_is_the_inverse_of_their_information():
    """Where it is diagonal on the axes of all genes together, the variance is that of each gene's own regression."""
    rng = np.random.default_rng(2)
    inputs, scales = rng.normal(size=(30, 4)), rng.uniform(1, 9, size=5)
    inputs[:, 3] = 1
    prior, common = np.diag([1.0, 2.0, 4.0, 0.1]), inputs.T @ inputs
    posterior = WeightPosterior(genes=5, inputs=4)
    root = np.diag(np.diag(prior) ** -0.5)
    axes = root @ np.linalg.eigh(root @ common @ root)[1]
    posterior.axes.copy_(torch.tensor(axes))
    along = np.einsum("ik,ij,jk->k", axes, common, axes)
    posterior.precision.copy_(torch.tensor(1 + scales[:, None] * along))
    ours = posterior(torch.tensor(inputs[:, :2]).float(), torch.tensor(inputs[:, 2:3]).float())
    for gene, scale in enumerate(scales):
        covariance = np.linalg.inv(scale * common + prior)
        np.testing.assert_allclose(ours[:, gene], np.einsum("ci,ij,cj->c", inputs, covariance, inputs), rtol=1e-4)
