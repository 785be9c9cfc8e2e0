"""The engine learns as plain PyTorch does: the same losses, step by step, from the same weights and batches."""

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks import plain
from zipo.engine.batches import Counts
from zipo.engine.model import Network
from zipo.engine.optimizer import Adam, Schedule
from zipo.engine.training import step
from zipo.parameters import Parameters

CELLS, BATCH, EPOCHS = 320, 32, 5  # fifty steps
# A tenth of the usual rate: at the full one rounding grows along the training until two float32 versions of plain
# PyTorch itself differ by 1e-3, and NB's theta sinks below -20, where the textbook's lgamma cancels even in float64.
LEARNING_RATE = 0.002
LIKELIHOODS = ["poisson", "nb", "zip", "zinb"]
OPTIONS = {
    "defaults": {},
    "no_residuals": {"residuals": "none"},
    "last_residual": {"residuals": 1},
    "decoder": {"decoder": "12-9"},
    "batch_norm_before": {"batch_norm": "before", "activation": "relu6"},
    "no_batch_norm": {"batch_norm": "none", "activation": "gelu"},
    "gene_dispersion": {"dispersion": "gene"},
    "gene_cell_dispersion": {"dispersion": "gene_cell"},
    "library_penalty": {"rate_penalty": "library", "alpha_rate": 1e-5},
    "no_rate_penalty": {"rate_penalty": "none"},
    "strong_penalties": {"alpha_z": 2.0, "alpha_w": 3.0, "alpha_theta": 0.5, "alpha_rate": 1.5},
    "sum": {"reduction": "sum"},
    "observed_library": {"library": "observed"},
    "raw_input": {"input": "raw"},
    "normalised_input": {"input": "normalised_log1p"},
}
OF_NB_ALONE = {"gene_dispersion", "gene_cell_dispersion", "library_penalty", "no_rate_penalty"}
CASES = [
    (likelihood, options)
    for likelihood in LIKELIHOODS
    for options in OPTIONS
    if likelihood in ("nb", "zinb") or options not in OF_NB_ALONE
]


def train_engine(network: Network, matrix, covariates: np.ndarray, orders: list[Tensor]) -> list[float]:
    """The engine's loss of every batch; all that these tests know of how the engine trains."""
    counts = Counts(matrix, covariates, torch.device("cpu"))
    optimizer, schedule = Adam(network.parameters(), [network.encoder.first]), Schedule(network.hyper)
    network.train()
    losses = []
    for epoch, order in enumerate(orders, start=1):
        rate = schedule.start(epoch)
        for batch in counts.batches(network.hyper.batch_size, order):
            losses.append(step(network, optimizer, rate, batch).item())
    return losses


def plain_weights(network: Network) -> dict[str, Tensor]:
    """The weights of the engine's network by the names, and in the shapes, of plain's."""
    weights = network.state_dict()
    weights["encoder.blocks.0.linear.weight"] = weights.pop("encoder.first.weight").T
    weights["encoder.blocks.0.linear.bias"] = weights.pop("encoder.first.bias")
    return weights


def losses_of_both(simulated, covariates: np.ndarray, **parameters) -> tuple[list[float], list[float]]:
    """The losses of the engine and those of plain PyTorch in double precision."""
    small = {"encoder": "24-16-6", "library_network": "8-4", "batch_size": BATCH, "learning_rate": LEARNING_RATE}
    p = Parameters(**small | parameters)
    matrix = simulated.X[:CELLS]
    median = float(np.median(matrix.toarray().sum(axis=1)))
    network = Network(matrix.shape[1], p, covariates.shape[1], median, seed=1)
    model = plain.PlainZiPo(matrix.shape[1], p, covariates.shape[1], median)
    model.load_state_dict(plain_weights(network))

    generator = torch.Generator().manual_seed(2)
    orders = [torch.randperm(CELLS, generator=generator) for _ in range(EPOCHS)]
    expected = plain.train(model.double(), matrix.astype(np.float64), torch.as_tensor(covariates), orders)
    return train_engine(network, matrix, covariates, orders), expected


@pytest.mark.parametrize(("likelihood", "options"), CASES)
def test_fifty_steps_give_the_losses_of_plain_pytorch(simulated, likelihood, options):
    found, expected = losses_of_both(simulated, np.zeros((CELLS, 0)), likelihood=likelihood, **OPTIONS[options])
    assert len(expected) == 50
    assert np.ptp(expected) > 0.01 * expected[0]  # the weights have moved
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_with_covariates_too(simulated, likelihood):
    rng = np.random.default_rng(5)
    covariates = np.column_stack([rng.normal(size=CELLS), rng.integers(2, size=CELLS)])
    found, expected = losses_of_both(simulated, covariates, likelihood=likelihood)
    assert found == pytest.approx(expected, rel=1e-5)
