"""Pruning of the first layer: weights small beside their neuron's largest are set to zero (section III-E)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from zipo.engine.model import Network


def weights_above(weights: Tensor, threshold: float) -> Tensor:
    """Mask of the weights (genes, neurons) whose size is at least threshold times their neuron's largest."""
    size = weights.abs()
    return size >= threshold * size.amax(dim=0)


@contextmanager
def pruned(network: Network, threshold: float) -> Iterator[float]:
    """A network with its first layer pruned, within the context; yields the share of weights that are left."""
    weights = network.encoder.first.weight
    original = weights.detach().clone()
    mask = weights_above(original, threshold)
    with torch.no_grad():
        weights.mul_(mask)
    try:
        yield mask.float().mean().item()
    finally:
        with torch.no_grad():
            weights.copy_(original)
