"""The training loop: Adam, the paper's schedule, plateau, early stopping, best weights (section II-G)."""

import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from functools import cache, partial

import torch
from torch import Tensor

from zipo.engine.batches import AnyCounts, Batch
from zipo.engine.checkpoints import Checkpoints, State
from zipo.engine.evaluation import gene_poisson_nll
from zipo.engine.gradients import are_written_out, leave_gradients
from zipo.engine.loss import objective
from zipo.engine.model import Network
from zipo.engine.optimizer import Adam, Schedule
from zipo.engine.precision import tf32
from zipo.engine.sparsity import Sparsification
from zipo.engine.threads import training_threads

TIMES = ("seconds", "compute_seconds")
"""Fields of Training that differ between two trainings of the same numbers."""


@dataclass
class Training:
    """How a training went."""

    stopped_by: str = "max_epochs"
    """patience, max_epochs, or diverged."""
    best_epoch: int = 0
    """Epoch, counted from 1, whose weights were kept; 0 if none was."""
    history: list[dict[str, float]] = field(default_factory=list)
    """Per epoch: learning rate, training loss, validation loss and validation NLL."""
    seconds: float = 0.0
    """Time spent; what was lost when a training was cut off is not counted."""
    compute_seconds: float = 0.0
    """The same in seconds of the CPU, in all threads, where a CPU trains: other work on the machine does not count."""

    @property
    def diverged(self) -> bool:
        """Whether the loss was no longer finite, or exploded."""
        return self.stopped_by == "diverged"


def train(
    network: Network,
    training: AnyCounts,
    validation: AnyCounts,
    seed: int,
    on_epoch: Callable[[int, float], None] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Training:
    """Train a network in place until its validation loss stalls; it ends with the best weights seen.

    The seed fixes the order of the batches. A run that diverges ends early, with the weights it has.
    `on_epoch` is called after each epoch with its number, from 1, and its validation NLL; what it raises ends the
    training. With checkpoints a training that was cut off goes on from its latest, to the same numbers. A small network
    is trained on fewer threads than torch has; see zipo.engine.threads.
    """
    trainer = Trainer(network, training, validation, seed)
    if checkpoints and (state := checkpoints.latest()):
        trainer.restore(state)
    after_batch = partial(checkpoints.offer, trainer.state) if checkpoints else None
    with training_threads(network, min(network.hyper.batch_size, training.cells)):
        trainer.run(on_epoch, after_batch)
    return trainer.outcome


class Trainer:
    """A training, which can be stopped between two batches: all that changes is an attribute, and in `state`."""

    def __init__(self, network: Network, training: AnyCounts, validation: AnyCounts, seed: int) -> None:
        self.network, self.training, self.validation = network, training, validation
        self.optimizer, self.schedule = Adam(network.parameters(), [network.encoder.first]), Schedule(network.hyper)
        self.sparsification = Sparsification(network, training)
        self.generator = torch.Generator().manual_seed(seed)
        self.outcome = Training()
        self.best = math.inf
        self.best_weights: dict[str, Tensor] = {}
        self.order = torch.empty(0, dtype=torch.int64)  # of the cells in the epoch at hand; empty between two epochs
        self.batches_done = 0
        self.loss_sum = torch.zeros((), device=training.device)  # over the cells of those batches
        self._clocks = {
            "seconds": time.perf_counter,
            "compute_seconds": time.process_time if training.device.type == "cpu" else time.perf_counter,
        }
        self._since = {name: clock() for name, clock in self._clocks.items()}

    def run(self, on_epoch: Callable[[int, float], None] | None, after_batch: Callable[[], None] | None) -> None:
        """Train to the end."""
        p, outcome = self.network.hyper, self.outcome
        ceiling = p.explosion * gene_poisson_nll(self.training.gene_totals(), self.validation, p.batch_size)
        for epoch in range(len(outcome.history) + 1, p.max_epochs + 1):
            rate = self.schedule.start(epoch)
            self.sparsification.start(epoch)
            training_loss = self._epoch(rate, after_batch)
            is_sparse = self.sparsification.end(epoch, self.optimizer)
            loss, nll = validation_losses(self.network, self.validation)
            losses = {"training_loss": training_loss, "validation_loss": loss, "validation_nll": nll}
            outcome.history.append({"learning_rate": rate} | losses)
            vars(outcome).update(self._times())
            if not (math.isfinite(training_loss) and math.isfinite(loss)) or (epoch > 1 and nll > ceiling):
                outcome.stopped_by = "diverged"
                return
            if on_epoch:
                on_epoch(epoch, nll)

            if not is_sparse:  # weights that are about to go are no result, and the loss rises as they do
                continue
            watched = loss if p.monitor == "loss" else nll
            if not self.best_weights or watched < self.best - p.stop_threshold * abs(self.best):
                self.best, outcome.best_epoch = watched, epoch
                self.best_weights = deepcopy(self.network.state_dict())
            elif epoch - outcome.best_epoch >= p.stop_patience:
                outcome.stopped_by = "patience"
                break
            self.schedule.end(epoch, watched)
        self.network.load_state_dict(self.best_weights)

    def _epoch(self, rate: float, after_batch: Callable[[], None] | None) -> float:
        """Train on the remaining batches of one pass over the cells; its mean loss, NaN if any batch's was."""
        self.network.train()
        if not len(self.order):
            self.order = self.training.order(self.generator)
        for batch in self.training.batches(self.network.hyper.batch_size, self.order, self.batches_done):
            self.loss_sum += step(self.network, self.optimizer, rate, batch) * batch.cells
            self.batches_done += 1
            if after_batch:
                after_batch()
        mean = self.loss_sum.item() / self.training.cells
        self.order, self.batches_done = self.order[:0], 0
        self.loss_sum.zero_()
        return mean

    def state(self) -> State:
        """The training as it stands; its tensors are the ones in use, not copies."""
        tensors = {"order": self.order, "loss_sum": self.loss_sum, "generator": self.generator.get_state()}
        tensors |= {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best_weights.items()}
        tensors |= {f"optimizer.{name}": tensor for name, tensor in self.optimizer.state().items()}
        outcome = asdict(self.outcome) | self._times()
        rest = {"outcome": outcome, "best": self.best, "batches_done": self.batches_done}
        return State(tensors, rest | {"schedule": self.schedule.state()})

    def restore(self, state: State) -> None:
        """Continue from a state that `state` gave."""
        groups: dict[str, dict[str, Tensor]] = {"network": {}, "best": {}, "optimizer": {}}
        for name, tensor in state.tensors.items():
            group, _, key = name.partition(".")
            if key:
                groups[group][key] = tensor
        # into the tensors that exist already: where one lies in memory may change its last digits
        self.network.load_state_dict(groups["network"])
        self.optimizer.restore(groups["optimizer"])
        self.best_weights = {name: tensor.to(self.training.device) for name, tensor in groups["best"].items()}
        self.order, self.batches_done = state.tensors["order"], state.rest["batches_done"]
        self.loss_sum.copy_(state.tensors["loss_sum"])
        self.generator.set_state(state.tensors["generator"])
        self.best, self.outcome = state.rest["best"], Training(**state.rest["outcome"])
        self.schedule.restore(state.rest["schedule"])
        self._since = {name: clock() - getattr(self.outcome, name) for name, clock in self._clocks.items()}

    def _times(self) -> dict[str, float]:
        """The fields of the outcome that say how long the training took so far."""
        return {name: clock() - self._since[name] for name, clock in self._clocks.items()}


@cache
def _fused() -> Callable[[Network, Batch], tuple[Tensor, Tensor]]:
    """The objective as torch's compiler fuses it, once for batches of any size."""
    return torch.compile(objective, dynamic=True)


def step(network: Network, optimizer: Adam, rate: float, batch: Batch) -> Tensor:
    """One step of the optimizer on a batch; returns its loss without waiting for the device."""
    optimizer.zero_grad()
    loss = (leave_gradients if are_written_out(network, batch) else _by_autograd)(network, batch)
    optimizer.step(rate)
    return loss


def _by_autograd(network: Network, batch: Batch) -> Tensor:
    """The loss of a batch; its gradients are left with the weights."""
    p = network.hyper
    loss_of = _fused() if p.compiled and not network.uses_kernels else objective
    with tf32(p.precision == "tf32"):
        loss, _ = loss_of(network, batch)
        loss.backward()
    return loss.detach()


@torch.no_grad()
def validation_losses(network: Network, counts: AnyCounts) -> tuple[float, float]:
    """Mean loss with penalties and mean NLL over the cells, in evaluation mode."""
    network.eval()
    total = torch.zeros(2, device=counts.device)
    for batch in counts.batches(network.hyper.batch_size):
        total += torch.stack(objective(network, batch)) * batch.cells
    loss, nll = (total / counts.cells).tolist()
    return loss, nll
