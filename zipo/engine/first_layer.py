"""The first layer, genes to neurons: by far the most weights, met by counts that are mostly zero.

On a processor its product and its learning are the kernels of zipo.engine.kernels.first_layer, which touch the counts
that are there, and each weight once a step. Elsewhere, and where `dense` is set, it is torch's own arithmetic on dense
counts, to which tests hold the kernels.
"""

import numpy as np
import torch
from torch import Tensor, nn

from zipo.engine import kernels, penalties
from zipo.engine.batches import Batch

Entries = tuple[np.ndarray, np.ndarray, np.ndarray]  # as zipo.engine.kernels.first_layer.gene_major gives them

SumsOfWeights = tuple[np.ndarray, np.ndarray]
NARROWEST = 128  # neurons of a thread, at least


class FirstLayer(nn.Module):
    """A linear layer whose weights lie genes x neurons, started as torch's linear layers are."""

    def __init__(self, genes: int, neurons: int):
        super().__init__()
        start = nn.Linear(genes, neurons)
        self.weight = nn.Parameter(start.weight.detach().T.contiguous())
        self.bias = start.bias
        self.dense = False
        self._sums: tuple[int, SumsOfWeights] | None = None  # with the version of the weights they are of
        self.forget()

    @property
    def sparse(self) -> bool:
        """Whether the kernels do the work."""
        return self.weight.device.type == "cpu" and not self.dense

    def forward(self, batch: Batch, values: Tensor) -> Tensor:
        """(B, neurons) of a batch whose positive counts have been transformed to these values (N,)."""
        if self.sparse:
            return _Product.apply(self.weight, self, batch, values) + self.bias
        return torch.addmm(self.bias, batch.scattered(values), self.weight)

    def sparsity(self) -> Tensor:
        """The scale-invariant L1/L2 penalty on the weights (paper, section II-E)."""
        if self.sparse:
            return _Sparsity.apply(self.weight, self)
        return penalties.scale_invariant_sparsity(self.weight)

    def sums(self) -> SumsOfWeights:
        """(neurons,) float64 each: sum of sizes, and of squares, of each neuron's weights."""
        if self._sums is None or self._sums[0] != self.weight._version:
            found = self._empty_sums()
            kernels.load("first_layer").sums(_array(self.weight), *found)
            self._sums = (self.weight._version, found)
        return self._sums[1]

    def learn(self, first: Tensor, second: Tensor, adam: tuple[np.float32, ...]) -> None:
        """Take a step of Adam with its moments `first` and `second`, by what the backward pass left here.

        `adam` are the numbers that zipo.engine.kernels.first_layer.learn takes.
        """
        assert self.entries is not None
        assert self.by_output is not None
        a, b = penalties.sparsity_gradient(*self.sums(), len(self.weight), self.by_sparsity)
        penalty = a.astype(np.float32), b.astype(np.float32)
        found = self._empty_sums()
        state = map(_array, (self.weight, first, second))
        kernels.load("first_layer").learn(*self.entries, _array(self.by_output), penalty, *state, adam, *found)
        self._sums = (self.weight._version, found)
        self.forget()

    def _empty_sums(self) -> SumsOfWeights:
        neurons = self.weight.shape[1]
        return np.empty(neurons), np.empty(neurons)

    def forget(self) -> None:
        """Drop what a backward pass left."""
        self.entries: Entries | None = None
        self.by_output: Tensor | None = None
        self.by_sparsity = 0.0


class _Product(torch.autograd.Function):
    """The sparse product; its backward pass leaves the gradient's factors with the layer."""

    @staticmethod
    def forward(ctx, weight: Tensor, layer: FirstLayer, batch: Batch, values: Tensor) -> Tensor:
        ctx.layer, ctx.genes = layer, batch.genes
        ctx.entries = tuple(map(_array, (batch.starts, batch.columns, values)))
        out = torch.zeros(batch.cells, weight.shape[1])
        width = max(NARROWEST, -(-weight.shape[1] // torch.get_num_threads()))
        kernels.load("first_layer").product(*ctx.entries, _array(weight), _array(out), width)
        return out

    @staticmethod
    def backward(ctx, *grads: Tensor):
        ctx.layer.entries = kernels.load("first_layer").gene_major(*ctx.entries, ctx.genes)
        ctx.layer.by_output = grads[0].contiguous()
        return None, None, None, None


class _Sparsity(torch.autograd.Function):
    """The penalty from the sums of the weights; its backward pass leaves its factor with the layer."""

    @staticmethod
    def forward(ctx, weight: Tensor, layer: FirstLayer) -> Tensor:
        ctx.layer = layer
        return weight.new_tensor(penalties.sparsity_of_sums(*layer.sums(), len(weight)))

    @staticmethod
    def backward(ctx, *grads: Tensor):
        ctx.layer.by_sparsity = grads[0].item()
        return None, None


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy()
