"""Least time of a training step: the work that the algorithm cannot avoid, over the speed of this machine."""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from shapes import Shape

from zipo.shared.likelihoods import FAMILIES

HEADS = {name: 1 + family.zero_inflated + family.overdispersed for name, family in FAMILIES.items()}
BYTES = 4  # of a float32
ADAM = 6 * BYTES  # weight and two moments, read and written; the gradient need never leave the cache
NONZERO = 2 * BYTES  # a count and its column


@dataclass(frozen=True)
class Part:
    """A part of a step that cannot overlap with the others."""

    name: str
    operations: float
    """Multiplications and additions of its matrix products."""
    traffic: float
    """Bytes that go to or come from memory at least."""

    def seconds(self, rates: dict[str, float]) -> float:
        """The longer of computing and moving, as if one hid the other."""
        return max(self.operations / rates["operations"], self.traffic / rates["traffic"])


def parts(shape: Shape, likelihood: str) -> list[Part]:
    """The work of one step: the first layer at the non-zero counts only, the rest densely.

    A product of the batch with I x O weights takes 2 B I O operations, and its two gradients twice that. Weights are
    read once on the way forward; Adam reads and writes them and their moments. Activations count once. What the
    likelihood computes entry by entry is left out, so the limit is a little beyond reach.
    """
    cells, widths = shape.batch_size, [int(width) for width in shape.encoder.split("-")]
    first, latents = widths[0], widths[-1]
    nonzero = cells * shape.genes * shape.density
    moved = NONZERO * nonzero + BYTES * cells * first
    products = [*pairwise(widths), *((width, latents) for width in widths[:-1])]
    weights = sum(inputs * outputs for inputs, outputs in products)
    activations = cells * sum(outputs for _, outputs in products)
    heads = HEADS[likelihood] * shape.genes
    return [
        Part("first layer", 2 * nonzero * first, BYTES * shape.genes * first + moved),
        Part("its gradient and Adam", 2 * nonzero * first, ADAM * shape.genes * first + moved),
        Part("other layers and Adam", 6 * cells * weights, (BYTES + ADAM) * weights + BYTES * activations),
        Part("heads and Adam", 6 * cells * latents * heads, (BYTES + ADAM) * latents * heads + BYTES * cells * heads),
    ]


def measured_rates(threads: int) -> dict[str, float]:
    """Operations a second of a large float32 matrix product, and bytes a second of a large copy; each the best."""
    import torch

    torch.set_num_threads(threads)
    side, length = 2048, 2**26
    a, b = torch.rand(side, side), torch.rand(side, side)
    source, target = torch.rand(length), torch.zeros(length)
    return {
        "operations": 2 * side**3 / _least_seconds(lambda: torch.mm(a, b)),
        "traffic": 2 * BYTES * length / _least_seconds(lambda: target.copy_(source)),
    }


def _least_seconds(work: Callable[[], object], times: int = 10) -> float:
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return min(spent)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    print(json.dumps(measured_rates(parser.parse_args().threads)))
