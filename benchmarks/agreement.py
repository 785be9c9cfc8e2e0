"""The engine beside plain PyTorch in double precision: the losses of fifty steps from the same weights and batches."""

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from benchmarks import plain
from zipo.engine.batches import Batch, Counts, gathered
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


class Gathered(Counts):
    """Counts whose batches are made by the device, also where that is a processor without numba."""

    def batch(self, cells: Tensor) -> Batch:
        """The batch of these cells, in this order."""
        index = cells.to(self.device)
        return Batch(len(cells), self.genes, *gathered(self, cells), self.library_size[index], self.covariates[index])


def train_engine(network: Network, counts: Counts, orders: list[Tensor]) -> list[float]:
    """The engine's loss of every batch; all that is known here of how the engine trains."""
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


def losses_of_both(
    counts: csr_matrix, covariates: np.ndarray, device: str = "cpu", kernels: bool = True, **parameters
) -> tuple[list[float], list[float]]:
    """The losses of the engine on a device, and those of plain PyTorch on the processor in double precision."""
    small = {"encoder": "24-16-6", "library_network": "8-4", "batch_size": BATCH, "learning_rate": LEARNING_RATE}
    p = Parameters(**small | parameters)
    matrix = counts[:CELLS]
    median = float(np.median(matrix.toarray().sum(axis=1)))
    network = Network(matrix.shape[1], p, covariates.shape[1], median, seed=1).to(device)
    network.kernels = kernels
    model = plain.PlainZiPo(matrix.shape[1], p, covariates.shape[1], median)
    model.load_state_dict(plain_weights(network))

    generator = torch.Generator().manual_seed(2)
    orders = [torch.randperm(CELLS, generator=generator) for _ in range(EPOCHS)]
    expected = plain.train(model.double(), matrix.astype(np.float64), torch.as_tensor(covariates), orders)
    make = Counts if kernels else Gathered
    return train_engine(network, make(matrix, covariates, torch.device(device)), orders), expected
