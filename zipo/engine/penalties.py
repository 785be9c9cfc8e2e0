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
    sums = weights.abs().sum(dim=0), weights.square().sum(dim=0)
    return sparsity_of_sums(*sums, len(weights)).mean()


def sparsity_of_sums(absolute: Tensor, squared: Tensor, genes: int) -> Tensor:
    """The same of each neuron (neurons,), from the sums of its weights' sizes and squares."""
    return absolute / genes / (torch.sqrt(squared / genes) + NORM_FLOOR)


def sparsity_gradient(absolute: Tensor, squared: Tensor, genes: int, factor: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of factor x the mean over neurons is a sign(w) + b w for a weight w: a and b of each neuron."""
    l1, l2 = absolute / genes, torch.sqrt(squared / genes) + NORM_FLOOR
    by_sign = factor / (l2 * genes * len(absolute))
    return by_sign.float(), (-by_sign * l1 / l2.square()).float()


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
