"""Checks of the engine on a device, one kind at a time: gpu_checks.py KIND --device cuda [--small]

    numbers      losses of fifty steps against plain PyTorch on the processor, for every likelihood and option
    precision    losses in TF32, in bfloat16 and compiled, against float32
    refinement   the NLL after latents are refined, against the processor's
    waiting      that a training step never waits for the GPU
    checkpoints  that a training that was cut off goes on to the numbers of one that was not

Prints rows of a check, a deviation and its bound as JSON.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from shapes import Shape, draw_counts

from benchmarks.agreement import CASES, LIKELIHOODS, OPTIONS, Gathered, losses_of_both
from zipo.engine.checkpoints import Checkpoints, Stopped
from zipo.engine.evaluation import losses
from zipo.engine.factor_model import fit_prior
from zipo.engine.model import Network
from zipo.engine.optimizer import Adam
from zipo.engine.training import step, train
from zipo.parameters import Parameters

FIRST_STEP, FIFTY_STEPS = 1e-5, 1e-4  # relative; rounding grows along the training
REDUCED = 0.02  # of TF32 and bfloat16, whose products have ten and seven bits
REFINED = 1e-3
RESUMED = 1e-4  # the order of some sums on a GPU is not fixed
SHAPE = Shape(cells=320, genes=150, density=0.4, encoder="24-16-6", batch_size=32)


def row(check: str, deviation: float, bound: float) -> dict:
    # written so that what is no number fails
    return {"check": check, "deviation": float(deviation), "bound": bound, "ok": bool(deviation <= bound)}


def deviations(actual: list[float], expected: list[float]) -> np.ndarray:
    return np.abs(np.array(actual) / np.array(expected) - 1)


def numbers(device: torch.device, small: bool) -> Iterator[dict]:
    counts, none = draw_counts(SHAPE), np.zeros((SHAPE.cells, 0))
    network = Network(3, Parameters(encoder="4-2")).to(device)
    forms = {"kernel": True, "dense": False} if network.fuses_likelihood else {"dense": False}
    for likelihood, options in CASES[::9] if small else CASES:
        for form, kernels in forms.items():
            name = f"{likelihood}, {options}, {form}"
            with reported(name) as rows:
                both = losses_of_both(counts, none, device, kernels, likelihood=likelihood, **OPTIONS[options])
                apart = deviations(*both)
                rows += [row(f"{name}: first step", apart[0], FIRST_STEP)]
                rows += [row(f"{name}: fifty steps", apart.max(), FIFTY_STEPS)]
            yield from rows


def precision(device: torch.device, small: bool) -> Iterator[dict]:
    counts, none = draw_counts(SHAPE), np.zeros((SHAPE.cells, 0))
    changes = {"tf32": {"precision": "tf32"}, "bfloat16": {"precision": "bfloat16"}}
    if not small:
        changes["compiled"] = {"compiled": True}
    for likelihood in LIKELIHOODS[:1] if small else LIKELIHOODS:
        for name, change in changes.items():
            check = f"{likelihood}, {name}"
            with reported(check) as rows:
                both = losses_of_both(counts, none, device, kernels=False, likelihood=likelihood, **change)
                rows += [row(check, deviations(*both).max(), FIFTY_STEPS if name == "compiled" else REDUCED)]
            yield from rows


def refinement(device: torch.device, small: bool) -> Iterator[dict]:
    for likelihood in ("poisson", "nb"):
        with reported(likelihood) as rows:
            nll = {}
            setting = {"inference": "refined", "library": "observed", "dispersion": "gene"}
            network, _ = trained(torch.device("cpu"), 20, likelihood=likelihood, **setting)
            for place in (torch.device("cpu"), device):
                copy, moved = deepcopy(network).to(place), counts_on(place)
                fit_prior(copy, [moved], seed=1)
                nll[str(place)] = losses(copy, moved, copy.cells_at_once).nll
            apart = max(nll.values()) / min(nll.values()) - 1
            rows += [row(f"{likelihood}, refined latents", apart, REFINED)]
        yield from rows


def waiting(device: torch.device, small: bool) -> Iterator[dict]:
    """Every wait is an error for torch meanwhile; the first steps may wait, as they compile and allocate."""
    if device.type != "cuda":
        yield {"check": "no wait within a step", "skipped": "only a GPU can be waited for"}
        return
    changes = {"tf32": {"precision": "tf32"}, "bfloat16": {"precision": "bfloat16"}, "compiled": {"compiled": True}}
    cases = [(likelihood, name, OPTIONS[name]) for likelihood, name in CASES]
    cases += [(likelihood, name, change) for likelihood in LIKELIHOODS for name, change in changes.items()]
    for likelihood, name, options in cases:
        check = f"{likelihood}, {name}: no wait within a step"
        with reported(check) as rows:
            network, counts = trained(device, 3, likelihood=likelihood, **options)
            adam = Adam(network.parameters(), [network.encoder.first])
            cells = torch.arange(SHAPE.batch_size)
            step(network, adam, 0.001, counts.batch(cells))
            torch.cuda.set_sync_debug_mode("error")
            try:
                for _ in range(3):
                    step(network, adam, 0.001, counts.batch(cells))
            finally:
                torch.cuda.set_sync_debug_mode("default")
            rows += [row(check, 0.0, 0.0)]
        yield from rows


def checkpoints(device: torch.device, small: bool) -> Iterator[dict]:
    for likelihood in LIKELIHOODS[:1] if small else LIKELIHOODS:
        with reported(likelihood) as rows, tempfile.TemporaryDirectory() as folder:
            p = Parameters(likelihood=likelihood, encoder=SHAPE.encoder, batch_size=SHAPE.batch_size, max_epochs=4)
            histories = []
            for stopped in (False, True):
                kept = Checkpoints(Path(folder), likelihood, every=0.0) if stopped else None
                network, counts = new_network(p, device), counts_on(device)
                if kept:

                    def stop(epoch: int, nll: float, kept: Checkpoints = kept) -> None:
                        kept.stop_soon = epoch == 2

                    try:
                        train(network, counts, counts, 1, stop, kept)
                    except Stopped:
                        kept.stop_soon = False
                    network = new_network(p, device, seed=2)  # whose weights the checkpoint replaces
                history = train(network, counts, counts, 1, None, kept).history
                histories.append([epoch["validation_nll"] for epoch in history])
            apart = deviations(*histories).max() if len(histories[0]) == len(histories[1]) else np.nan
            rows += [row(f"{likelihood}: four epochs, cut off in the third", apart, RESUMED)]
        yield from rows


def trained(device: torch.device, steps: int, **parameters) -> tuple[Network, Gathered]:
    """A network after some steps, and the counts that it learns from."""
    p = Parameters(encoder=SHAPE.encoder, batch_size=SHAPE.batch_size, **parameters)
    network, counts = new_network(p, device), counts_on(device)
    network.train()
    adam = Adam(network.parameters(), [network.encoder.first])
    for number in range(steps):
        cells = (torch.arange(SHAPE.batch_size) + number * SHAPE.batch_size) % SHAPE.cells
        step(network, adam, 0.01, counts.batch(cells))
    return network, counts


def new_network(p: Parameters, device: torch.device, seed: int = 1) -> Network:
    network = Network(SHAPE.genes, p, median_library=100.0, seed=seed).to(device)
    network.kernels = device.type == "cuda"  # those of the processor need numba
    return network


def counts_on(device: torch.device) -> Gathered:
    return Gathered(draw_counts(SHAPE), np.zeros((SHAPE.cells, 0)), device)


@contextmanager
def reported(check: str) -> Iterator[list[dict]]:
    """Rows of a check, which are one of failure where it ends in an error: the other checks go on."""
    rows: list[dict] = []
    try:
        yield rows
    except Exception as error:
        rows[:] = [{"check": check, "ok": False, "failed": f"{type(error).__name__}: {error}"[:500]}]


KINDS = {each.__name__: each for each in (numbers, precision, refinement, waiting, checkpoints)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(1)
    rows = list(KINDS[options.kind](torch.device(options.device), options.small))
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
