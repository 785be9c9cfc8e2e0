"""Blocks of a network, forward and backward without autograd: products by torch, the rest by compiled loops.

A block is a linear layer, activation and batch norm, as modules of the network that own its weights and statistics.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from zipo.engine import kernels

ACTIVATIONS: dict[type[nn.Module], int] = {nn.Sigmoid: 0, nn.ReLU: 1, nn.ReLU6: 2}
"""Those that the loops know, by the numbers that zipo.engine.kernels.blocks has for them."""
NONE, BEFORE, AFTER = 0, 1, 2  # where batch norm is, likewise
NOTHING = np.empty(0, np.float32)


@dataclass
class Done:
    """What a block's forward pass leaves for the backward pass."""

    inputs: Tensor  # (B, inputs)
    values: Tensor  # (B, neurons) what batch norm saw; the outputs where there is none
    outputs: Tensor  # (B, neurons)
    statistics: np.ndarray  # (4, neurons) of batch norm, as the loops have them
    form: tuple[int, int, bool]


@dataclass
class Block:
    """The modules of a block; its product, of the first layer, may be taken elsewhere."""

    weight: nn.Parameter | None  # (neurons, inputs)
    bias: nn.Parameter
    norm: nn.BatchNorm1d | None
    order: int
    activation: int

    @classmethod
    def of(cls, linear: nn.Module, modules: list[nn.Module], has_product: bool = True) -> "Block | None":
        """The block of a linear layer and the modules that follow it; None if the loops do not know these."""
        norms = [module for module in modules if isinstance(module, nn.BatchNorm1d)]
        activation = next(module for module in modules if not isinstance(module, nn.BatchNorm1d))
        number = ACTIVATIONS.get(type(activation))
        if number is None:
            return None
        order = NONE if not norms else BEFORE if modules[0] is norms[0] else AFTER
        weight = linear.get_parameter("weight") if has_product else None
        return cls(weight, linear.get_parameter("bias"), norms[0] if norms else None, order, number)

    def forward(self, inputs: Tensor) -> Done:
        """The outputs of (B, inputs), or of the product (B, neurons), which is changed, where that is taken elsewhere.

        Statistics of batch norm are updated as torch does, but for the number of batches.
        """
        values = inputs if self.weight is None else torch.mm(inputs, self.weight.t())
        norm, own = self.norm, False
        weights: tuple[np.ndarray, ...] = (NOTHING, NOTHING)
        running, numbers = weights, (np.float32(0), np.float32(0))
        outputs, statistics = values, NOTHING[:, None]
        if norm is not None:
            own = norm.training
            weights = _array(norm.weight), _array(norm.bias)
            running = tuple(each.numpy() for each in (norm.running_mean, norm.running_var) if each is not None)
            numbers = np.float32(norm.momentum), np.float32(norm.eps)
            outputs, statistics = torch.empty_like(values), np.empty((4, values.shape[1]), np.float32)
        form = self.order, self.activation, own
        arrays = values.numpy(), _array(self.bias), weights, running, numbers, statistics, outputs.numpy()
        kernels.load("blocks").forward(form, *arrays)
        return Done(inputs, values, outputs, statistics, form)

    def backward(self, done: Done, gradients: Tensor) -> Tensor:
        """Set the gradients of all weights from those by the outputs (B, neurons), which become those by the product.

        Returns the gradients by the inputs, or by the product where that is taken elsewhere.
        """
        sums = torch.empty(3, gradients.shape[1])
        arrays = done.values.numpy(), done.statistics, done.outputs.numpy(), gradients.numpy(), sums.numpy()
        kernels.load("blocks").backward(done.form, *arrays)
        by_bias, by_factor, by_summand = sums.unbind()
        set_gradient(self.bias, by_bias)
        if self.norm is not None:
            set_gradient(self.norm.weight, by_factor)
            set_gradient(self.norm.bias, by_summand)
        if self.weight is None:
            return gradients
        if self.weight.requires_grad:
            self.weight.grad = torch.mm(gradients.t(), done.inputs)
        return torch.mm(gradients, self.weight)


def set_gradient(weight: nn.Parameter, gradient: Tensor) -> None:
    """Set the gradient of a weight that has one."""
    if weight.requires_grad:
        weight.grad = gradient


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy()
