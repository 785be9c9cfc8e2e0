"""The penalties of the loss (paper, sections II-D to II-F and III-F); each is a scalar tensor."""

import torch
from torch import Tensor

NORM_FLOOR = 1e-12  # keeps the L1/L2 ratio defined for a neuron whose weights are all zero


def zero_inflation(zero_probability: Tensor) -> Tensor:
    """E[z^2] over cells and genes, for alpha_z."""
    return zero_probability.square().mean()


def scale_invariant_sparsity(weights: Tensor) -> Tensor:
    """mean_i (mean_g |W_gi|) / (mean_g W_gi^2)^(1/2) for weights (genes, neurons), for alpha_w.

    Lies in [1/sqrt(genes), 1] for any scale of a neuron's weights: the lower end is one gene a neuron.
    """
    return _L1OverL2.apply(weights)


def sparsity_of_sums(absolute: Tensor, squared: Tensor, genes: int) -> Tensor:
    """The same from the sums over genes of sizes and of squares (neurons,)."""
    return (absolute / genes / _root_mean_square(squared, genes)).mean()


def sparsity_gradient(absolute: Tensor, squared: Tensor, genes: int, factor: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of factor times the same by a weight w is a sign(w) + b w: a and b of each neuron."""
    l1, l2 = absolute / genes, _root_mean_square(squared, genes)
    by_sign = factor / (l2 * genes * len(absolute))
    return by_sign, -by_sign * l1 / l2.square()


def _root_mean_square(squared: Tensor, genes: int) -> Tensor:
    return torch.sqrt(squared / genes) + NORM_FLOOR


class _L1OverL2(torch.autograd.Function):
    """The penalty with its gradient in closed form, which is zero where all weights of a neuron are."""

    @staticmethod
    def forward(ctx, weights: Tensor) -> Tensor:
        sums = weights.abs().sum(dim=0), weights.square().sum(dim=0)
        ctx.save_for_backward(weights, *sums)
        return sparsity_of_sums(*sums, len(weights))

    @staticmethod
    def backward(ctx, *grads: Tensor):
        weights, absolute, squared = ctx.saved_tensors
        by_sign, by_weight = sparsity_gradient(absolute, squared, len(weights), grads[0])
        return torch.addcmul(weights.sgn() * by_sign, weights, by_weight)


def dispersion(theta: Tensor) -> Tensor:
    """E[theta^2] of the NB's extra parameter, for alpha_theta."""
    return theta.square().mean()


def entrywise_rate(rates: Tensor, index: Tensor, values: Tensor) -> Tensor:
    """E[(l_c mu_cg - x_cg)^2] over all entries; counts given by the places and values of the positive ones."""
    return squared_error_sum(rates, index, values) / rates.numel()


def library_rate(library_size: Tensor, observed: Tensor) -> Tensor:
    """E[(l_c - sum_g x_cg)^2] over cells."""
    return (library_size - observed).square().mean()


def squared_error_sum(rates: Tensor, index: Tensor, values: Tensor) -> Tensor:
    """Sum of (m - x)^2 over all entries; counts given by the places and values of the positive ones."""
    # sum m^2 - 2 sum m x + sum x^2 would cancel; correct each positive entry instead
    at_positive = rates.flatten()[index]
    return rates.square().sum() + ((at_positive - values).square() - at_positive.square()).sum()
