"""One engine in a process of its own, which takes training steps on request and times them.

Reads requests from standard input, one JSON object a line, and answers each with another:

    {"steps": 8}    seconds that many steps took
    {"phases": 8}   seconds of that many steps by phase, {"load": ..., "forward": ..., ...}
    {"peak": true}  the most memory the process has held so far, in MB
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
from scipy.sparse import csr_matrix, load_npz

from zipo.parameters import Parameters

PHASES = ("load", "forward", "loss", "backward", "optimizer")
RATE = 0.001


class Ours:
    """The package's engine, through the functions that its training loop calls."""

    def __init__(self, matrix: csr_matrix, parameters: Parameters):
        from zipo.engine import gradients, loss, training
        from zipo.engine.batches import Counts
        from zipo.engine.model import Network
        from zipo.engine.optimizer import Adam
        from zipo.engine.threads import threads_for

        self.step_on, self.gradients, self.loss = training.step, gradients, loss
        self.counts = Counts(matrix, np.zeros((matrix.shape[0], 0)), torch.device("cpu"))
        self.network = Network(matrix.shape[1], parameters).train()
        self.optimizer = Adam(self.network.parameters(), [self.network.encoder.first])
        torch.set_num_threads(threads_for(self.network, parameters.batch_size))  # as a training does

    def step(self, cells: torch.Tensor) -> None:
        self.step_on(self.network, self.optimizer, RATE, self.counts.batch(cells)).item()

    def phases(self, cells: torch.Tensor) -> Iterator[None]:
        """The same step; yields after each of its phases. The phase `loss` includes the gradients by the outputs."""
        network, first = self.network, self.network.encoder.first
        batch = self.counts.batch(cells)
        yield
        self.optimizer.zero_grad()
        values, passes = network.transform(batch), self.gradients.Passes(network, network.layers)
        with torch.no_grad():
            outputs = passes.forward(batch, first.product(batch, values))
        yield
        by_logits, weights = network.hyper.dispersion == "logits", self.loss.TermWeights.of(network.hyper, batch)
        with torch.no_grad():
            scored = self.loss.scored(outputs, by_logits, batch, weights, learn=True, overwrite=True)
        yield
        with torch.no_grad():
            first.leave_gradient(batch, values, passes.backward(scored.gradients))
        first.by_sparsity = self.loss.penalty_weight(network.hyper)
        yield
        self.optimizer.step(RATE)
        yield


class Plain:
    """ZiPo in plain PyTorch, from benchmarks/plain.py."""

    def __init__(self, matrix: csr_matrix, parameters: Parameters):
        import plain

        self.plain, self.matrix = plain, matrix
        self.covariates = torch.zeros(matrix.shape[0], 0)
        self.model = plain.PlainZiPo(matrix.shape[1], parameters).train()
        self.optimizer = plain.adam(self.model)

    def step(self, cells: torch.Tensor) -> None:
        x = self.plain.dense(self.matrix, cells)
        self.plain.train_step(self.model, self.optimizer, x, self.covariates[cells])

    def phases(self, cells: torch.Tensor) -> Iterator[None]:
        """The same step; yields after each of its phases."""
        x, covariates = self.plain.dense(self.matrix, cells), self.covariates[cells]
        yield
        outputs = self.model(x, covariates)
        yield
        loss = self.model.objective(x, outputs)
        yield
        self.optimizer.zero_grad()
        loss.backward()
        yield
        self.optimizer.step()
        yield


def time_phases(contestant: Ours | Plain, batches: Iterator[torch.Tensor]) -> dict[str, float]:
    """Seconds of each phase, over all the batches."""
    spent = dict.fromkeys(PHASES, 0.0)
    for cells in batches:
        since = time.perf_counter()
        for phase, _ in zip(PHASES, contestant.phases(cells), strict=True):
            now = time.perf_counter()
            spent[phase] += now - since
            since = now
    return spent


def endless_batches(cells: int, size: int) -> Iterator[torch.Tensor]:
    """Full batches of cells in a random order, epoch after epoch."""
    generator = torch.Generator().manual_seed(1)
    while True:
        yield from torch.randperm(cells, generator=generator)[: cells - cells % size].split(size)


def answer(request: dict, contestant: Ours | Plain, batches: Iterator[torch.Tensor]) -> object:
    if "steps" in request:
        started = time.perf_counter()
        for cells in islice(batches, request["steps"]):
            contestant.step(cells)
        return time.perf_counter() - started
    if "phases" in request:
        return time_phases(contestant, islice(batches, request["phases"]))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux counts in KiB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("engine", choices=["ours", "plain"])
    parser.add_argument("--counts", required=True, help="cells x genes as scipy's .npz")
    parser.add_argument("--parameters", required=True, help="hyper-parameters as a JSON object")
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)  # of the plain network's weights
    replies = os.fdopen(os.dup(1), "w")  # answers alone go there; whatever a library prints goes to stderr
    os.dup2(2, 1)
    parameters = Parameters(**json.loads(options.parameters))
    matrix = load_npz(options.counts)
    contestant = {"ours": Ours, "plain": Plain}[options.engine](matrix, parameters)
    batches = endless_batches(matrix.shape[0], parameters.batch_size)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), contestant, batches)), file=replies, flush=True)


if __name__ == "__main__":
    main()
