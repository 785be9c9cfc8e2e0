"""Counts in compressed sparse rows on a device, and the mini-batches cut from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Protocol

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from zipo.engine import kernels
from zipo.engine.cached_attribute import cached_attribute
from zipo.engine.likelihoods import count_constant

Stored = tuple[Tensor, Tensor, Tensor, Tensor]  # of some cells: starts, columns, values and constant, as in Batch


@dataclass
class Batch:
    """Some cells, by their positive counts in the order of cells, then genes."""

    cells: int  # B
    genes: int  # G
    starts: Tensor  # (B + 1,) where each cell's positive counts begin and end
    columns: Tensor  # (N,) gene of each positive count
    values: Tensor  # (N,) the count
    constant: Tensor  # (N,) its count_constant, which training would otherwise compute in every step
    library_size: Tensor  # (B, 1) observed library sizes
    covariates: Tensor  # (B, C)

    @property
    def entries(self) -> int:
        """B x G."""
        return self.cells * self.genes

    @cached_attribute
    def rows(self) -> Tensor:
        """(N,) cell of each positive count, from 0."""
        cells = torch.arange(self.cells, device=self.starts.device)
        return torch.repeat_interleave(cells, self.starts.diff(), output_size=len(self.values))

    @cached_attribute
    def index(self) -> Tensor:
        """(N,) places of the positive counts in the flattened batch."""
        return self.rows * self.genes + self.columns

    @cached_attribute
    def dense(self) -> Tensor:
        """(B, G) counts."""
        return self.scattered(self.values)

    def scattered(self, values: Tensor) -> Tensor:
        """(B, G) with these values (N,) in place of the positive counts."""
        dense = torch.zeros(self.entries, device=values.device)
        dense[self.index] = values
        return dense.view(self.cells, self.genes)

    def some(self, cells: Tensor) -> "Batch":
        """The batch of these of its cells, by their places, in this order."""
        chosen = selected(self, cells) if self.values.device.type == "cpu" else gathered(self, cells)
        return Batch(len(cells), self.genes, *chosen, self.library_size[cells], self.covariates[cells])


class AnyCounts(Protocol):
    """Interface of counts of cells x genes for training and evaluation, in memory or on disk."""

    cells: int
    genes: int
    device: torch.device
    library_size: Tensor  # (cells, 1) observed library sizes
    covariates: Tensor  # (cells, C)

    def order(self, generator: torch.Generator) -> Tensor:
        """(cells,) all cells in a random order, for one epoch."""
        ...

    def batches(self, size: int, order: Tensor | None = None, skip: int = 0) -> Iterator[Batch]:
        """All cells in batches, in file order or in the given one, but for the first `skip` batches."""
        ...

    def gene_totals(self) -> Tensor:
        """(genes,) float64 sums of the counts over the cells."""
        ...

    def gene_cells(self) -> Tensor:
        """(genes,) float64 numbers of cells with a count of each gene."""
        ...


class Counts:
    """Counts of cells x genes with their covariates, held on a device and densified a batch at a time.

    On the processor they share the memory of a matrix of float32 with int32 indices, and never change it.
    """

    def __init__(self, matrix: csr_matrix, covariates: np.ndarray, device: torch.device) -> None:
        matrix = csr_matrix(matrix)
        if not matrix.has_sorted_indices or not matrix.data.all():
            matrix = matrix.copy()  # else the caller's own would change
            matrix.eliminate_zeros()
            matrix.sort_indices()
        self.cells, self.genes = matrix.shape
        self.device = device
        # on the processor, which so knows how long a batch is without asking the device
        self.starts = torch.as_tensor(_array(matrix.indptr, np.int64))
        self.columns = to_device(torch.as_tensor(_array(matrix.indices, np.int32)), device)
        self.values = to_device(torch.as_tensor(_array(matrix.data, np.float32)), device)
        self.constant = count_constant(self.values)
        library = np.asarray(matrix.sum(axis=1, dtype=np.float64), np.float32)
        self.library_size = to_device(torch.as_tensor(library.reshape(-1, 1)), device)
        self.covariates = to_device(torch.as_tensor(covariates.astype(np.float32)), device)

    def batch(self, cells: Tensor) -> Batch:
        """The batch of these cells (on the processor), in this order."""
        chosen = selected(self, cells) if self.device.type == "cpu" else gathered(self, cells)
        index = to_device(cells, self.device)
        return Batch(len(cells), self.genes, *chosen, self.library_size[index], self.covariates[index])

    def order(self, generator: torch.Generator) -> Tensor:
        """(cells,) all cells in a random order, for one epoch."""
        return torch.randperm(self.cells, generator=generator)

    def batches(self, size: int, order: Tensor | None = None, skip: int = 0) -> Iterator[Batch]:
        """All cells in batches, in file order or in the given one, but for the first `skip` batches."""
        order = torch.arange(self.cells) if order is None else order
        for begin, end in islice(batch_bounds(self.cells, size), skip, None):
            yield self.batch(order[begin:end])

    def gene_totals(self) -> Tensor:
        """(genes,) float64 sums of the counts over the cells."""
        totals = torch.zeros(self.genes, dtype=torch.float64, device=self.device)
        return totals.index_add_(0, self.columns, self.values.double())

    def gene_cells(self) -> Tensor:
        """(genes,) float64 numbers of cells with a count of each gene."""
        return torch.bincount(self.columns, minlength=self.genes).double()


def _array(values: np.ndarray, kind: type) -> np.ndarray:
    """The values in this type, a copy only where they have another or cannot be written, of which torch would warn."""
    return values.astype(kind, copy=not values.flags.writeable)


def selected(counts: "Batch | Counts", cells: Tensor) -> Stored:
    """Where the positive counts of these cells begin and end in a batch of them, and their columns, values, constants;
    on the processor."""
    stored = counts.starts, counts.columns, counts.values, counts.constant
    chosen = kernels.load("rows").take(*(each.numpy() for each in (*stored, cells)))
    starts, columns, values, constant = map(torch.from_numpy, chosen)
    return starts, columns, values, constant


def gathered(counts: "Batch | Counts", cells: Tensor) -> Stored:
    """The same as `selected`, computed by the device that the counts are on, without waiting for it where `starts` and
    `cells` are on the processor."""
    begin, length = counts.starts[cells], counts.starts[cells + 1] - counts.starts[cells]
    starts = torch.nn.functional.pad(torch.cumsum(length, 0), (1, 0))
    entries = int(starts[-1])
    device = counts.values.device
    shift, length, starts = (to_device(each, device) for each in (begin - starts[:-1], length, starts))
    source = torch.repeat_interleave(shift, length, output_size=entries)
    source += torch.arange(entries, device=device)
    return starts, counts.columns[source], counts.values[source], counts.constant[source]


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device; a GPU copies it while the processor computes on."""
    pinned = tensor.pin_memory() if device.type == "cuda" and tensor.device.type == "cpu" else tensor
    return pinned.to(device, non_blocking=True)


def batch_bounds(cells: int, size: int) -> Iterator[tuple[int, int]]:
    """Where each batch of an epoch's order begins and ends.

    A last batch of one cell joins the batch before it: batch norm needs two.
    """
    bounds = [*range(0, cells, size), cells]
    if len(bounds) > 2 and bounds[-1] - bounds[-2] == 1:
        del bounds[-2]
    return pairwise(bounds)
