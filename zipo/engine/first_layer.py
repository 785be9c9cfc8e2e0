"""The first layer, genes to neurons: by far the most weights, met by counts that are mostly zero.

On a processor its product and its learning are the kernels of zipo.engine.kernels, which touch the counts that are
there, and each weight once a step. Elsewhere, and where `dense` is set, it is torch's own arithmetic on dense counts,
to which tests hold the kernels.
"""

import numpy as np
import torch
from torch import Tensor, nn

from zipo.engine import penalties
from zipo.engine.batches import Batch

Entries = tuple[np.ndarray, np.ndarray, np.ndarray]  # as zipo.engine.kernels.gene_major gives them


class FirstLayer(nn.Module):
    """A linear layer whose weights lie genes x neurons, started as torch's linear layers are."""

    def __init__(self, genes: int, neurons: int):
        super().__init__()
        start = nn.Linear(genes, neurons)
        self.weight = nn.Parameter(start.weight.detach().T.contiguous())
        self.bias = start.bias
        self.dense = False
        self._sums: tuple[int, tuple[Tensor, Tensor]] | None = None  # with the version of the weights they are of
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

    def sums(self) -> tuple[Tensor, Tensor]:
        """(neurons,) float64 each: sum of sizes, and of squares, of each neuron's weights."""
        if self._sums is None or self._sums[0] != self.weight._version:
            absolute, squared = self._empty_sums()
            _kernels().sums(_array(self.weight), _array(absolute), _array(squared))
            self._sums = (self.weight._version, (absolute, squared))
        return self._sums[1]

    @torch.no_grad()
    def learn(self, first: Tensor, second: Tensor, adam: tuple[np.float32, ...]) -> None:
        """Take a step of Adam with its moments `first` and `second`, by what the backward pass left here.

        `adam` are the numbers that zipo.engine.kernels.learn takes.
        """
        assert self.entries is not None
        assert self.by_output is not None
        factor = torch.zeros(()) if self.by_sparsity is None else self.by_sparsity
        a, b = penalties.sparsity_gradient(*self.sums(), len(self.weight), factor)
        absolute, squared = self._empty_sums()
        gradient = self.by_output, a.float(), b.float()
        state = self.weight, first, second
        _kernels().learn(
            *self.entries, *map(_array, gradient), *map(_array, state), adam, *map(_array, (absolute, squared))
        )
        self._sums = (self.weight._version, (absolute, squared))
        self.forget()

    def _empty_sums(self) -> tuple[Tensor, Tensor]:
        neurons = self.weight.shape[1]
        return torch.empty(neurons, dtype=torch.float64), torch.empty(neurons, dtype=torch.float64)

    def forget(self) -> None:
        """Drop what a backward pass left."""
        self.entries: Entries | None = None
        self.by_output: Tensor | None = None
        self.by_sparsity: Tensor | None = None


class _Product(torch.autograd.Function):
    """The sparse product; its backward pass leaves the gradient's factors with the layer."""

    @staticmethod
    def forward(ctx, weight: Tensor, layer: FirstLayer, batch: Batch, values: Tensor) -> Tensor:
        kernels = _kernels()
        ctx.layer = layer
        ctx.entries = kernels.gene_major(*map(_array, (batch.rows, batch.columns, values)), batch.genes)
        out = torch.zeros(batch.cells, weight.shape[1])
        kernels.product(*ctx.entries, _array(weight), _array(out))
        return out

    @staticmethod
    def backward(ctx, *grads: Tensor):
        ctx.layer.entries, ctx.layer.by_output = ctx.entries, grads[0].contiguous()
        return None, None, None, None


class _Sparsity(torch.autograd.Function):
    """The penalty from the sums of the weights; its backward pass leaves its factor with the layer."""

    @staticmethod
    def forward(ctx, weight: Tensor, layer: FirstLayer) -> Tensor:
        ctx.layer = layer
        return penalties.sparsity_of_sums(*layer.sums(), len(weight)).float()

    @staticmethod
    def backward(ctx, *grads: Tensor):
        ctx.layer.by_sparsity = grads[0]
        return None, None


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy()


def _kernels():
    """The kernels, on as many threads as torch has; the compiler is loaded where they are first used."""
    import numba

    from zipo.engine import kernels

    threads = torch.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
    if torch.get_num_threads() != threads:  # numba starts its threads by telling OpenMP, which is torch's too
        torch.set_num_threads(threads)
    return kernels
