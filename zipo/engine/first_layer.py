"""The first layer, genes to neurons: by far the most weights, and inputs that are mostly zero.

On a processor its product and its optimizer step are the kernels of zipo.engine.kernels.first_layer, which read the
positive counts alone, and each weight once a step. For this the gradient of its weights is never made: `weight.grad`
stays None, and zipo.engine.optimizer.Adam takes the step from the gradient's sparse factors. Elsewhere, and where a
network has its kernels turned off, the layer is torch's own arithmetic on dense counts with an ordinary gradient, to
which tests hold the kernels.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zipo.engine import kernels
from zipo.engine.batches import Batch
from zipo.engine.loss import scale_invariant_sparsity, sparsity_gradient, sparsity_of_sums
from zipo.shared.errors import InputError

Entries = tuple[np.ndarray, np.ndarray, np.ndarray]  # as zipo.engine.kernels.first_layer.gene_major gives them

NARROWEST = 128  # neurons that a thread multiplies, at least


class FirstLayer(nn.Module):
    """A linear layer whose weights lie genes x neurons, uninitialised.

    With kernels, a backward pass leaves the factors of the weights' gradient here instead of `weight.grad`. Only an
    optimizer that has called `expect_gradient` uses them, in `learn`; for others the backward pass raises InputError.
    """

    def __init__(self, genes: int, neurons: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(genes, neurons))
        self.bias = nn.Parameter(torch.empty(neurons))
        self.thresholds: Tensor | None = None
        """(genes,) soft thresholds that follow each step of the optimizer, in learning rates."""
        self.fixed = False
        """Whether weights that are zero stay zero."""
        self.entries: Entries | None
        self.by_output: Tensor | None
        self._sums: tuple[int, np.ndarray] | None = None  # with the version of the weights that they belong to
        self._forget()

    def forward(self, batch: Batch, values: Tensor, use_kernel: bool) -> Tensor:
        """(B, neurons) of a batch whose positive counts have been transformed to these values (N,)."""
        if use_kernel:
            return _Product.apply(self.weight, self, batch, values) + self.bias
        return torch.addmm(self.bias, batch.scattered(values), self.weight)

    def product(self, batch: Batch, values: Tensor) -> Tensor:
        """(B, neurons) without the bias, by the kernel, with nothing recorded for a backward pass."""
        out = torch.zeros(batch.cells, self.weight.shape[1])
        entries = map(_array, (batch.starts, batch.columns, values))
        loop = kernels.load("first_layer").product
        kernels.share(loop, out.shape[1], *entries, _array(self.weight), _array(out), least=NARROWEST)
        return out

    def leave_gradient(self, batch: Batch, values: Tensor, by_output: Tensor) -> None:
        """Leave the factors of the gradient of the weights for `learn`, from the gradients by the product."""
        self.check_expected()
        entries = map(_array, (batch.starts, batch.columns, values))
        self.entries = kernels.load("first_layer").gene_major(*entries, batch.genes)
        self.by_output = by_output

    def sparsity(self, use_kernel: bool) -> Tensor:
        """The scale-invariant L1/L2 penalty on the weights (paper, section II-E)."""
        if use_kernel:
            return _Sparsity.apply(self.weight, self)
        return scale_invariant_sparsity(self.weight)

    def sums(self) -> np.ndarray:
        """(2, neurons) float64: sum of absolute values, and of squares, of each neuron's weights."""
        if self._sums is None or self._sums[0] != self.weight._version:
            loops, parts = kernels.load("first_layer"), self._empty_parts()
            kernels.share(loops.sums, len(parts), _array(self.weight), parts)
            self._sums = (self.weight._version, parts.sum(axis=0))
        return self._sums[1]

    def share(self) -> float:
        """Share of the weights that are not zero."""
        return self.weight.count_nonzero().item() / self.weight.numel()

    def learn(self, mean: Tensor, square: Tensor, adam: tuple[np.float32, ...], learning_rate: float) -> None:
        """Take a step of Adam with its moments, from the gradient's factors that the backward pass left here, and then
        the threshold.

        `adam` are the numbers that zipo.engine.kernels.first_layer.learn takes.
        """
        assert self.entries is not None
        assert self.by_output is not None
        a, b = sparsity_gradient(self.sums(), len(self.weight), self.by_sparsity)
        penalty = a.astype(np.float32), b.astype(np.float32)
        zeros = _array(self._thresholds(learning_rate)), self.fixed
        loops, parts = kernels.load("first_layer"), self._empty_parts()
        state = map(_array, (self.weight, mean, square))
        kernels.share(
            loops.learn, len(parts), self.entries, _array(self.by_output), penalty, *state, adam, zeros, parts
        )
        self._sums = (self.weight._version, parts.sum(axis=0))
        self._forget()

    def keep_zeros(self) -> None:
        """Leave out of an ordinary gradient the weights that are to stay zero."""
        if self.fixed and self.weight.grad is not None:
            self.weight.grad.mul_(self.weight != 0)

    def shrink(self, learning_rate: float) -> None:
        """Apply the threshold after an optimizer's step with an ordinary gradient."""
        if self.thresholds is not None:
            self.weight.copy_(softshrink(self.weight, self._thresholds(learning_rate)[:, None]))

    def expect_gradient(self) -> None:
        """Declare that `learn` will use what the next backward pass leaves; drop what an earlier one left."""
        self._forget()
        self.expects_gradient = True

    def check_expected(self) -> None:
        """Raise InputError where a backward pass would leave a gradient that no optimizer uses."""
        if not self.expects_gradient:
            raise InputError(
                "first layer: with kernels its weight.grad stays None, so an optimizer of torch.optim would leave it "
                "untrained; train with zipo.engine.optimizer.Adam(network.parameters(), [network.encoder.first]), "
                "zero_grad() before each backward pass, or turn the kernels off, network.kernels = False"
            )

    def _thresholds(self, learning_rate: float) -> Tensor:
        """(genes,) soft thresholds after a step."""
        if self.thresholds is None:
            return self.weight.new_zeros(len(self.weight))
        return self.thresholds * learning_rate

    def _empty_parts(self) -> np.ndarray:
        """(parts, 2, neurons) float64, for the sums of each part of the genes."""
        genes, neurons = self.weight.shape
        return np.empty((-(-genes // kernels.load("first_layer").PART), 2, neurons))

    def _forget(self) -> None:
        """Drop what a backward pass left."""
        self.entries = None
        self.by_output = None
        self.by_sparsity = 0.0
        self.expects_gradient = False


def softshrink(weights: Tensor, thresholds: Tensor) -> Tensor:
    """The weights moved towards zero by their thresholds, and to zero where they are smaller."""
    return weights.sgn() * (weights.abs() - thresholds).clamp(min=0)


class _Product(torch.autograd.Function):
    """The sparse product, whose backward pass leaves the factors of the weights' gradient with the layer."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, layer: FirstLayer, batch: Batch, values: Tensor) -> Tensor:
        ctx.layer, ctx.batch, ctx.values = layer, batch, values
        return layer.product(batch, values)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, ...]:
        ctx.layer.leave_gradient(ctx.batch, ctx.values, grads[0].contiguous())
        return None, None, None, None


class _Sparsity(torch.autograd.Function):
    """The penalty from the sums of the weights, whose backward pass leaves the penalty's factor with the layer."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, layer: FirstLayer) -> Tensor:
        ctx.layer = layer
        return weight.new_tensor(sparsity_of_sums(layer.sums(), len(weight)))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, ...]:
        ctx.layer.check_expected()
        ctx.layer.by_sparsity = grads[0].item()
        return None, None


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy()
