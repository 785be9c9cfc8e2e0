"""Effects of neurons against finite differences of the log rates."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from zipo.engine.batches import Counts
from zipo.engine.model import Network
from zipo.engine.neuron_effects import cells_for_effects, neuron_effects, neurons_of
from zipo.parameters import Parameters

STEP = 3e-3  # in float32
SETTINGS = {
    "linear decoder": {"library": "observed", "likelihood": "nb", "dispersion": "gene"},
    "predicted library": {"library": "predicted", "likelihood": "zip"},
    "hidden decoder": {"library": "predicted", "likelihood": "zip", "decoder": "4"},
    "norm before": {"batch_norm": "before", "activation": "gelu", "residuals": "none"},
    "refined": {"library": "observed", "likelihood": "nb", "dispersion": "gene", "inference": "refined"},
}


@pytest.fixture(scope="module")
def counts():
    matrix = csr_matrix(np.random.default_rng(1).poisson(1.0, size=(12, 9)).astype(np.float32))
    return Counts(matrix, np.zeros((12, 0)), torch.device("cpu"))


@pytest.fixture(params=SETTINGS)
def network(request, counts):
    """With weights larger than at the start, and an affine map to first latents where there is one."""
    network = Network(counts.genes, Parameters(encoder="5-4-3", **SETTINGS[request.param]), 0, 9.0, seed=3)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, values in network.named_parameters():
            if "weight" in name:
                values.add_(torch.randn(values.shape, generator=generator))
        if network.latent_prior is not None:
            network.latent_prior.start.copy_(torch.randn(3, 3, generator=generator))
            network.latent_prior.shift.copy_(torch.randn(3, generator=generator))
    return network.eval()


def log_rates(network, batch, outputs):
    """Log rates and shares, from the outputs of the first block."""
    latent = network.encoder.after_first(outputs)
    if network.latent_prior is not None:
        latent = network.latent_prior(latent)
    prediction = network.decode(latent, batch)
    return prediction.log_rates, torch.exp(prediction.log_proportions)


@torch.no_grad()
def test_an_effect_is_the_root_mean_square_change_of_log_rates_over_molecules(network, counts):
    (batch,) = counts.batches(12)
    _, outputs = neurons_of(network, batch)
    _, shares = log_rates(network, batch, outputs)
    expected = []
    for neuron in range(5):
        up, down = outputs.clone(), outputs.clone()
        up[:, neuron] += STEP
        down[:, neuron] -= STEP
        slope = (log_rates(network, batch, up)[0] - log_rates(network, batch, down)[0]) / (2 * STEP)
        expected.append(((shares * slope**2).sum(dim=1).mean() ** 0.5).item())
    actual = neuron_effects(network, counts.batches(5))
    np.testing.assert_allclose(actual, expected, rtol=1e-3)
    assert min(expected) > 1e-3


def test_neurons_are_the_first_layer_and_its_block(network, counts):
    (batch,) = counts.batches(12)
    inputs, outputs = neurons_of(network, batch)
    first = network.encoder.first
    seen = torch.log1p(batch.dense).double()
    np.testing.assert_allclose(inputs, (seen @ first.weight.double() + first.bias).detach(), rtol=1e-4, atol=1e-5)
    latent = network.encoder.after_first(outputs)
    np.testing.assert_allclose(
        latent.detach(), network.encoder(batch, network.transform(batch), False).detach(), rtol=1e-5, atol=1e-6
    )


def test_cells_at_once_hold_few_slopes():
    assert cells_for_effects(Network(20_000, Parameters(encoder="64-32"), 0, 9.0)) == 26  # 2^24 / (20,000 x 32)
