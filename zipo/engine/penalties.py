"""Penalties of the loss that are not sums over entries (paper, sections II-E and III-F); each is a scalar tensor."""

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

Sums = TypeVar("Sums", Tensor, np.ndarray)
NORM_FLOOR = 1e-12  # keeps the L1/L2 ratio defined for a neuron whose weights are all zero


def scale_invariant_sparsity(weights: Tensor) -> Tensor:
    """`mean_i (mean_g |W_gi|) / (mean_g W_gi^2)^(1/2)` for weights (genes, neurons), for alpha_w.

    Lies in [1/sqrt(genes), 1] for any scale of a neuron's weights: the lower end is one gene a neuron.
    """
    return _L1OverL2.apply(weights)


def sparsity_of_sums(sums: Sums, genes: int) -> Sums:
    """The same from the sums over genes of sizes and of squares (2, neurons)."""
    absolute, squared = sums
    return (absolute / genes / _root_mean_square(squared, genes)).mean()


def sparsity_gradient(sums: Sums, genes: int, factor: Sums | float) -> tuple[Sums, Sums]:
    """The gradient of factor times the same by a weight w is a sign(w) + b w: a and b of each neuron."""
    absolute, squared = sums
    l1, l2 = absolute / genes, _root_mean_square(squared, genes)
    by_sign = factor / (l2 * genes * len(absolute))
    return by_sign, -by_sign * l1 / l2**2


def _root_mean_square(squared: Sums, genes: int) -> Sums:
    return (squared / genes) ** 0.5 + NORM_FLOOR


class _L1OverL2(torch.autograd.Function):
    """The penalty with its gradient in closed form, which is zero where all weights of a neuron are."""

    @staticmethod
    def forward(ctx, weights: Tensor) -> Tensor:
        sums = torch.stack([weights.abs().sum(dim=0), weights.square().sum(dim=0)])
        ctx.save_for_backward(weights, sums)
        return sparsity_of_sums(sums, len(weights))

    @staticmethod
    def backward(ctx, *grads: Tensor):
        weights, sums = ctx.saved_tensors
        by_sign, by_weight = sparsity_gradient(sums, len(weights), grads[0])
        return torch.addcmul(weights.sgn() * by_sign, weights, by_weight)


def library_rate(library_size: Tensor, observed: Tensor) -> Tensor:
    """E[(l_c - sum_g x_cg)^2] over cells."""
    return (library_size - observed).square().mean()
