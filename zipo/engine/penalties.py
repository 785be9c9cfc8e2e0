"""The penalties of the loss (paper, sections II-D to II-F and III-F); each is a scalar tensor."""

import math

import torch
from torch import Tensor

NORM_FLOOR = 1e-12  # keeps the L1/L2 ratio defined for a neuron whose weights are all zero


def zero_inflation(zero_probability: Tensor) -> Tensor:
    """E[z^2] over cells and genes, for alpha_z."""
    return zero_probability.square().mean()


def scale_invariant_sparsity(weights: Tensor) -> Tensor:
    """mean_i (mean_g |W_ig|) / (mean_g W_ig^2)^(1/2) for weights (neurons, genes), for alpha_w.

    Lies in [1/sqrt(genes), 1] for any scale of a neuron's weights: the lower end is one gene a neuron.
    """
    return _L1OverL2.apply(weights).mean()


class _L1OverL2(torch.autograd.Function):
    """Mean absolute over root mean square of each row; two passes over the weights and one back."""

    @staticmethod
    def forward(ctx, weights: Tensor) -> Tensor:
        genes = weights.shape[1]
        l1 = weights.abs().mean(dim=1)
        l2 = torch.linalg.vector_norm(weights, dim=1) / math.sqrt(genes) + NORM_FLOOR
        ctx.save_for_backward(weights, l1, l2)
        return l1 / l2

    @staticmethod
    def backward(ctx, *grads: Tensor):
        weights, l1, l2 = ctx.saved_tensors
        by_sign = (grads[0] / (l2 * weights.shape[1]))[:, None]
        by_weight = -by_sign * (l1 / l2.square())[:, None]
        return torch.addcmul(weights.sgn() * by_sign, weights, by_weight)


def dispersion(theta: Tensor) -> Tensor:
    """E[theta^2] of the NB's extra parameter, for alpha_theta."""
    return theta.square().mean()


def entrywise_rate(rates: Tensor, index: Tensor, values: Tensor) -> Tensor:
    """E[(l_c mu_cg - x_cg)^2] over all entries; counts given by the places and values of the positive ones."""
    return _squared_error_sum(rates, index, values) / rates.numel()


def library_rate(library_size: Tensor, observed: Tensor) -> Tensor:
    """E[(l_c - sum_g x_cg)^2] over cells."""
    return (library_size - observed).square().mean()


def _squared_error_sum(rates: Tensor, index: Tensor, values: Tensor) -> Tensor:
    # sum m^2 - 2 sum m x + sum x^2 would cancel; correct each positive entry instead
    at_positive = rates.flatten()[index]
    return rates.square().sum() + ((at_positive - values).square() - at_positive.square()).sum()
