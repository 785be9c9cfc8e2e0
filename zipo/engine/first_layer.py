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

NARROWEST = 128  # neurons that a thread multiplies, at least


class FirstLayer(nn.Module):
    """A linear layer whose weights lie genes x neurons, and are yet to be drawn."""

    def __init__(self, genes: int, neurons: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(genes, neurons))
        self.bias = nn.Parameter(torch.empty(neurons))
        self.dense = False
        self._sums: tuple[int, np.ndarray] | None = None  # with the version of the weights they are of
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

    def sums(self) -> np.ndarray:
        """(2, neurons) float64: sum of sizes, and of squares, of each neuron's weights."""
        if self._sums is None or self._sums[0] != self.weight._version:
            loops, found = kernels.load("first_layer"), self._sums_of_parts()
            kernels.share(loops.sums, len(found), _array(self.weight), found)
            self._sums = (self.weight._version, found.sum(axis=0))
        return self._sums[1]

    def learn(self, mean: Tensor, square: Tensor, adam: tuple[np.float32, ...]) -> None:
        """Take a step of Adam with its moments, by what the backward pass left here.

        `adam` are the numbers that zipo.engine.kernels.first_layer.learn takes.
        """
        assert self.entries is not None
        assert self.by_output is not None
        a, b = penalties.sparsity_gradient(self.sums(), len(self.weight), self.by_sparsity)
        penalty = a.astype(np.float32), b.astype(np.float32)
        loops, found = kernels.load("first_layer"), self._sums_of_parts()
        state = map(_array, (self.weight, mean, square))
        kernels.share(loops.learn, len(found), self.entries, _array(self.by_output), penalty, *state, adam, found)
        self._sums = (self.weight._version, found.sum(axis=0))
        self.forget()

    def _sums_of_parts(self) -> np.ndarray:
        genes, neurons = self.weight.shape
        return np.empty((-(-genes // kernels.load("first_layer").PART), 2, neurons))

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
        product = kernels.load("first_layer").product
        kernels.share(product, weight.shape[1], *ctx.entries, _array(weight), _array(out), least=NARROWEST)
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
        return weight.new_tensor(penalties.sparsity_of_sums(layer.sums(), len(weight)))

    @staticmethod
    def backward(ctx, *grads: Tensor):
        ctx.layer.by_sparsity = grads[0].item()
        return None, None


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy()
