"""Speed and memory of one engine on a device: gpu_speed.py SHAPE ENGINE --device cuda [--small]

Engines: `engine` is the package's, `engine_dense` the same without the likelihood's kernel, `engine_compiled` with
torch's compiler; `plain` is plain.py with dense batches from the host, `plain_resident` with batches made on the
device, `plain_compiled` the same with torch's compiler. Without an engine, `rates`: what the device can do.

Prints rows as JSON, one for each precision.
"""

import argparse
import json
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise
from statistics import median

import numpy as np
import torch
from contestant import endless_batches
from limit import ADAM, BYTES, HEADS, Part
from shapes import SHAPES, Shape, draw_counts

from benchmarks import plain
from benchmarks.agreement import Gathered
from zipo.engine.model import Network
from zipo.engine.optimizer import Adam
from zipo.engine.precision import bfloat16, tf32
from zipo.engine.training import step
from zipo.parameters import Parameters

ENGINES = ("engine", "engine_dense", "engine_compiled", "plain", "plain_resident", "plain_compiled")
PRECISIONS = ("float32", "tf32", "bfloat16")
RATE = 0.001
WARM_UP = 5


def shape_of(name: str, small: bool) -> Shape:
    """A shape, or for a trial of the script one of its density with a few genes."""
    shape = SHAPES[name]
    return replace(shape, cells=64, genes=60, encoder="16-8-4", batch_size=16) if small else shape


def stepper(engine: str, shape: Shape, precision: str, device: torch.device) -> Callable[[torch.Tensor], object]:
    """A function that takes a training step of ZIP on a batch of these cells."""
    matrix = draw_counts(shape)
    counts = Gathered(matrix, np.zeros((shape.cells, 0)), device)
    p = Parameters(encoder=shape.encoder, batch_size=shape.batch_size)
    if engine.startswith("engine"):
        p = Parameters(**p.model_dump() | {"precision": precision, "compiled": engine == "engine_compiled"})
        network = Network(shape.genes, p).to(device).train()
        network.kernels = engine == "engine" and device.type == "cuda"
        if engine == "engine" and not network.fuses_likelihood:
            raise RuntimeError("the likelihood's kernel is not in use on this device: engine_dense is the engine here")
        adam = Adam(network.parameters(), [network.encoder.first])
        return lambda cells: step(network, adam, RATE, counts.batch(cells))

    model = plain.PlainZiPo(shape.genes, p).to(device).train()
    optimizer, none = torch.optim.Adam(model.parameters(), lr=RATE), torch.zeros(shape.batch_size, 0, device=device)
    objective = torch.compile(plain_objective) if engine == "plain_compiled" else plain_objective

    def take(cells: torch.Tensor) -> None:
        x = plain.dense(matrix, cells).to(device) if engine == "plain" else counts.batch(cells).dense
        optimizer.zero_grad()
        with tf32(precision == "tf32"):
            with bfloat16(precision == "bfloat16", device):
                loss = objective(model, x, none)
            loss.backward()
        optimizer.step()

    return take


def plain_objective(model: plain.PlainZiPo, x: torch.Tensor, covariates: torch.Tensor) -> torch.Tensor:
    outputs = model(x, covariates)
    with torch.autocast(x.device.type, enabled=False):  # likelihoods in float32, as the engine has them
        return model.objective(x, {name: each.float() for name, each in outputs.items()})


def timed(take: Callable[[torch.Tensor], object], shape: Shape, device: torch.device, small: bool) -> dict:
    """Cells a second as the median over turns, with least and most, and the device's peak memory."""
    batches = endless_batches(shape.cells, shape.batch_size)
    for _ in range(2 if small else WARM_UP):
        take(next(batches))
    synchronize(device)
    turns, steps = [], 2 if small else 50
    for _ in range(3 if small else 7):
        started = time.perf_counter()
        for _ in range(steps):
            take(next(batches))
        synchronize(device)
        turns.append(steps * shape.batch_size / (time.perf_counter() - started))
    peak = torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else None
    return {"cells_per_second": median(turns), "least": min(turns), "most": max(turns), "peak_mb": peak}


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def parts(shape: Shape, likelihood: str = "zip") -> list[Part]:
    """The least work of a step whose first layer is dense: products, Adam's traffic, and the likelihood's.

    A product has a gradient by its weights and, but for the first, one by its inputs. Adam reads weight, gradient and
    two moments, and writes all but the gradient. The likelihood reads each output of the decoder once and writes a
    gradient for it.
    """
    widths = [int(width) for width in shape.encoder.split("-")]
    first, latents = shape.genes * widths[0], widths[-1]
    heads = HEADS[likelihood] * shape.genes
    others = sum(a * b for a, b in pairwise(widths)) + sum(widths[:-1]) * latents + latents * heads
    cells = shape.batch_size
    return [
        Part("products", cells * (4 * first + 6 * others), 0.0),
        Part("Adam", 0.0, (ADAM + BYTES) * (first + others)),
        Part("likelihood", 0.0, 2 * BYTES * cells * heads),
    ]


def measured_rates(device: torch.device, small: bool) -> dict[str, float]:
    """Operations a second of a large matrix product in each precision, and bytes a second of a large copy."""
    side, length = (256, 2**18) if small else (8192, 2**28)
    a, b = torch.rand(side, side, device=device), torch.rand(side, side, device=device)
    rates = {}
    for precision in PRECISIONS:
        context = torch.autocast(device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext()
        left, right = (a.bfloat16(), b.bfloat16()) if precision == "bfloat16" else (a, b)
        with context, tf32(precision == "tf32"):
            rates[precision] = 2 * side**3 / least_seconds(lambda left=left, right=right: left @ right, device)
    source = torch.rand(length, device=device)
    target = torch.zeros_like(source)
    return rates | {"traffic": 2 * BYTES * length / least_seconds(lambda: target.copy_(source), device)}


def least_seconds(work: Callable[[], object], device: torch.device, times: int = 20) -> float:
    spent = []
    for _ in range(times):
        synchronize(device)
        started = time.perf_counter()
        work()
        synchronize(device)
        spent.append(time.perf_counter() - started)
    return min(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shape", choices=[*SHAPES, "rates"])
    parser.add_argument("engine", choices=ENGINES, nargs="?")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    device = torch.device(options.device)
    if options.shape == "rates":
        print(json.dumps({"rates": measured_rates(device, options.small)}))
        return
    shape, rows = shape_of(options.shape, options.small), []
    work = [vars(part) for part in parts(shape)]
    for precision in PRECISIONS:
        row = {"shape": options.shape, "engine": options.engine, "precision": precision, "parts": work}
        row["batch_size"] = shape.batch_size
        try:
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
            torch.manual_seed(1)
            row |= timed(stepper(options.engine, shape, precision, device), shape, device, options.small)
        except Exception as error:
            row["failed"] = f"{type(error).__name__}: {error}"[:500]
        rows.append(row)
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
