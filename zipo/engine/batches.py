"""Counts in compressed sparse rows on a device, and the mini-batches cut from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from zipo.engine.likelihoods import count_constant


@dataclass
class Batch:
    """Some cells: dense for the encoder's matrix product, and the positive counts apart for the loss."""

    dense: Tensor  # (B, G) counts
    index: Tensor  # (N,) places of the positive counts in the flattened batch
    values: Tensor  # (N,) positive counts
    constant: Tensor  # (N,) their count_constant, which training would otherwise compute in every step
    covariates: Tensor  # (B, C)

    @property
    def library_size(self) -> Tensor:
        """(B, 1) observed library sizes."""
        return self.dense.sum(dim=1, keepdim=True)


class Counts:
    """Counts of cells x genes with their covariates, held on a device and densified a batch at a time."""

    def __init__(self, matrix: csr_matrix, covariates: np.ndarray, device: torch.device):
        matrix = csr_matrix(matrix)
        matrix.eliminate_zeros()
        self.cells, self.genes = matrix.shape
        self.device = device
        self.starts = torch.as_tensor(matrix.indptr.astype(np.int64), device=device)
        self.columns = torch.as_tensor(matrix.indices.astype(np.int64), device=device)
        self.values = torch.as_tensor(matrix.data.astype(np.float32), device=device)
        self.constant = count_constant(self.values)
        self.covariates = torch.as_tensor(covariates.astype(np.float32), device=device)

    def batch(self, cells: Tensor) -> Batch:
        """The batch of these cells, in this order."""
        begin, length = self.starts[cells], self.starts[cells + 1] - self.starts[cells]
        rows = torch.repeat_interleave(torch.arange(len(cells), device=self.device), length)
        offsets = torch.cumsum(length, 0) - length
        source = torch.arange(len(rows), device=self.device) - offsets[rows] + begin[rows]
        index, values = rows * self.genes + self.columns[source], self.values[source]
        dense = torch.zeros(len(cells) * self.genes, device=self.device)
        dense[index] = values
        return Batch(dense.view(len(cells), self.genes), index, values, self.constant[source], self.covariates[cells])

    def batches(self, size: int, order: Tensor | None = None, skip: int = 0) -> Iterator[Batch]:
        """All cells in batches, in file order or in the given one, but for the first `skip` batches.

        A last batch of one cell joins the batch before it: batch norm needs two.
        """
        order = torch.arange(self.cells) if order is None else order
        bounds = [*range(0, self.cells, size), self.cells]
        if len(bounds) > 2 and bounds[-1] - bounds[-2] == 1:
            del bounds[-2]
        for begin, end in islice(pairwise(bounds), skip, None):
            yield self.batch(order[begin:end].to(self.device))
