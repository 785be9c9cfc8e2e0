"""The training loop: Adam, the paper's schedule, plateau, early stopping, best weights (section II-G)."""

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

import torch
from torch import Tensor

from zipo.engine.batches import Batch, Counts
from zipo.engine.evaluation import gene_poisson_nll, objective
from zipo.engine.model import Network
from zipo.engine.optimizer import Adam, Schedule


@dataclass
class Training:
    """How a training went."""

    stopped_by: str = "max_epochs"
    """patience, max_epochs, or diverged."""
    best_epoch: int = 0
    """Epoch, counted from 1, whose weights were kept; 0 if none was."""
    history: list[dict[str, float]] = field(default_factory=list)
    """Per epoch: learning rate, training loss, validation loss and validation NLL."""

    @property
    def diverged(self) -> bool:
        return self.stopped_by == "diverged"


def train(
    network: Network,
    training: Counts,
    validation: Counts,
    seed: int,
    on_epoch: Callable[[int, float], None] | None = None,
) -> Training:
    """Train a network in place until its validation loss stalls; it ends with the best weights seen.

    The seed fixes the order of the batches. A run that diverges ends early, with the weights it has.
    `on_epoch` is called after each epoch with its number, from 1, and its validation NLL; what it raises ends the
    training.
    """
    p = network.hyper
    optimizer, schedule = Adam(network.parameters()), Schedule(p)
    generator = torch.Generator().manual_seed(seed)
    ceiling = p.explosion * gene_poisson_nll(training, validation, p.batch_size)
    outcome, best = Training(), math.inf
    best_weights: dict[str, Tensor] | None = None

    for epoch in range(1, p.max_epochs + 1):
        rate = schedule.start(epoch)
        order = torch.randperm(training.cells, generator=generator)
        training_loss = train_epoch(network, optimizer, rate, training, order)
        loss, nll = validation_losses(network, validation)
        outcome.history.append(
            {
                "learning_rate": rate,
                "training_loss": training_loss,
                "validation_loss": loss,
                "validation_nll": nll,
            }
        )
        if not (math.isfinite(training_loss) and math.isfinite(loss)) or (epoch > 1 and nll > ceiling):
            outcome.stopped_by = "diverged"
            return outcome
        if on_epoch:
            on_epoch(epoch, nll)

        watched = loss if p.monitor == "loss" else nll
        if best_weights is None or watched < best - p.stop_threshold * abs(best):
            best, best_weights, outcome.best_epoch = watched, deepcopy(network.state_dict()), epoch
        elif epoch - outcome.best_epoch >= p.stop_patience:
            outcome.stopped_by = "patience"
            break
        schedule.end(epoch, watched)

    assert best_weights is not None  # the first epoch is the best until another is
    network.load_state_dict(best_weights)
    return outcome


def train_epoch(network: Network, optimizer: Adam, rate: float, counts: Counts, order: Tensor) -> float:
    """One pass over the cells in this order; the mean loss, NaN if any batch's was."""
    network.train()
    total = torch.zeros((), device=counts.device)
    for batch in counts.batches(network.hyper.batch_size, order):
        total += step(network, optimizer, rate, batch) * len(batch.dense)
    return total.item() / counts.cells


def step(network: Network, optimizer: Adam, rate: float, batch: Batch) -> Tensor:
    """One step of the optimizer on a batch; returns its loss without waiting for the device."""
    optimizer.zero_grad()
    loss, _ = objective(network, network(batch), batch)
    loss.backward()
    optimizer.step(rate)
    return loss.detach()


@torch.no_grad()
def validation_losses(network: Network, counts: Counts) -> tuple[float, float]:
    """Mean loss with penalties and mean NLL over the cells, in evaluation mode."""
    network.eval()
    total = torch.zeros(2, device=counts.device)
    for batch in counts.batches(network.hyper.batch_size):
        total += torch.stack(objective(network, network(batch), batch)) * len(batch.dense)
    loss, nll = (total / counts.cells).tolist()
    return loss, nll
