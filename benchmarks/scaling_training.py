"""One training of some steps on an .h5ad, from disk or from memory, in a process of its own; prints its cost and loss.

The answer is one JSON object: cells, seconds_per_cell and cpu_seconds_per_cell of the training after its first steps,
loading_share of those seconds, survey_seconds_per_cell of checking the file before, peak_mb of the process with Python
and torch, and nll of held-out cells after the last step.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator

import anndata as ad
import numpy as np
import torch

from zipo.datasets.on_disk import on_disk, survey
from zipo.engine.batches import AnyCounts, Batch, Counts
from zipo.engine.evaluation import losses
from zipo.engine.model import Network
from zipo.engine.optimizer import Adam
from zipo.engine.streamed import FETCH, StreamedCounts
from zipo.engine.training import step
from zipo.parameters import Parameters

ENCODER = "256-128-64-32-16"
RATE = 0.001
HELD_OUT = 1000  # cells
WARM_UP = 5  # steps that are not timed


def from_disk(adata: ad.AnnData, fetch: int) -> StreamedCounts:
    rows = on_disk(adata, "counts")
    totals = survey(rows, adata.obs_names, adata.var_names)
    return StreamedCounts(rows, totals, np.zeros((adata.n_obs, 0)), torch.device("cpu"), fetch)


def from_memory(adata: ad.AnnData) -> Counts:
    return Counts(adata.to_memory().X, np.zeros((adata.n_obs, 0)), torch.device("cpu"))


def endless_batches(counts: AnyCounts, size: int, seed: int) -> Iterator[Batch]:
    """Batches in one random order after another."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from counts.batches(size, counts.order(generator))


def train(network: Network, batches: Iterator[Batch], steps: int) -> dict[str, float]:
    """Take the steps; seconds per cell, of wall clock and CPU, and the share of loading."""
    optimizer = Adam(network.parameters(), [network.encoder.first])
    cells = 0
    for number in range(steps):
        if number == WARM_UP:
            started, cpu_started, loading, cells = time.perf_counter(), time.process_time(), 0.0, 0
        requested = time.perf_counter()
        batch = next(batches)
        if number >= WARM_UP:
            loading += time.perf_counter() - requested
        step(network, optimizer, RATE, batch)
        cells += batch.cells
    seconds = time.perf_counter() - started
    return {
        "cells_timed": cells,
        "seconds_per_cell": seconds / cells,
        "cpu_seconds_per_cell": (time.process_time() - cpu_started) / cells,
        "loading_share": loading / seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", help="counts as .h5ad")
    parser.add_argument("--memory", action="store_true", help="hold the counts in memory")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fetch", type=int, default=FETCH, help="stored counts read at a time")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    adata = ad.read_h5ad(options.file, backed="r")
    held_out = np.zeros(adata.n_obs, bool)
    held_out[np.random.default_rng(0).choice(adata.n_obs, HELD_OUT, replace=False)] = True
    started = time.perf_counter()
    training, test = adata[~held_out], from_memory(adata[held_out])
    counts = from_memory(training) if options.memory else from_disk(training, options.fetch)
    surveyed = time.perf_counter() - started

    parameters = Parameters(encoder=ENCODER, batch_size=options.batch_size)
    network = Network(adata.n_vars, parameters, seed=options.seed).train()
    batches = endless_batches(counts, options.batch_size, options.seed)
    row = {"cells": adata.n_obs, "survey_seconds_per_cell": surveyed / adata.n_obs}
    row |= train(network, batches, options.steps)
    row["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux counts in KiB
    row["nll"] = losses(network, test, options.batch_size).nll
    print(json.dumps(row))


if __name__ == "__main__":
    main()
