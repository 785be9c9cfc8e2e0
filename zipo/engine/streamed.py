"""Counts that stay on disk, and the mini-batches cut from what is read of them.

An epoch's order is that of counts in memory where all cells are fetched at once, so that the same seed gives the same
numbers however a small file is stored. Else it is shuffled by blocks: blocks of neighbouring cells, which are read at
once, come in a random order; many of them are fetched together, and their cells shuffled among themselves. A batch is
thus drawn from cells of hundreds of places in the file. The order depends on the seed alone, so a training goes on from
a checkpoint as it does from counts in memory.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
from scipy.sparse import csr_matrix, vstack
from torch import Tensor

from zipo.datasets.on_disk import RowsOnDisk, Survey
from zipo.engine.batches import Batch, Counts, batch_bounds

FETCH = 1 << 22  # stored counts that are in memory at once, about; a batch with more takes what it needs
BLOCKS = 256  # of a fetch


class StreamedCounts:
    """Counts of cells x genes on disk, with their covariates; batches are like those of `Counts`.

    - `survey`: sums of the counts by cell and by gene.
    - `fetch`: stored counts that are read for some batches at a time.
    """

    def __init__(
        self, rows: RowsOnDisk, survey: Survey, covariates: np.ndarray, device: torch.device, fetch: int = FETCH
    ) -> None:
        self.rows, self.device = rows, device
        self.cells, self.genes = rows.shape
        self.library_size = torch.as_tensor(survey.library.astype(np.float32).reshape(-1, 1), device=device)
        self.covariates = torch.as_tensor(covariates.astype(np.float32))
        self._gene_totals = torch.as_tensor(survey.gene_totals, device=device)
        self._gene_cells = torch.as_tensor(survey.gene_cells, device=device)
        stored = max(1.0, rows.lengths.mean())
        self.block = max(1, int(fetch / BLOCKS / stored))
        """Neighbouring cells that an order keeps in one fetch."""
        self.fetch = self.block * max(1, int(fetch / stored / self.block))
        """Cells fetched together."""

    def order(self, generator: torch.Generator) -> Tensor:
        """(cells,) all cells in a random order, for one epoch."""
        if self.cells <= self.fetch:
            return torch.randperm(self.cells, generator=generator)
        by_row = torch.as_tensor(np.argsort(self.rows.rows, kind="stable"))
        blocks = by_row.split(self.block)
        shuffled = torch.cat([blocks[at] for at in torch.randperm(len(blocks), generator=generator)])
        fetches = shuffled.split(self.fetch)
        return torch.cat([cells[torch.randperm(len(cells), generator=generator)] for cells in fetches])

    def batches(self, size: int, order: Tensor | None = None, skip: int = 0) -> Iterator[Batch]:
        """All cells in batches, in file order or in the given one, but for the first `skip` batches."""
        order = torch.arange(self.cells) if order is None else order
        held, first, read = csr_matrix((0, self.genes), dtype=np.float32), 0, 0  # of the order, cells first to read
        for begin, end in islice(batch_bounds(self.cells, size), skip, None):
            if end > read:
                left, first, since = held[begin - first :], begin, max(begin, read)
                read = min(self.cells, -(-end // self.fetch) * self.fetch)
                held = vstack([left, self.rows.read(order[since:read].numpy())], format="csr")
            part = Counts(held[begin - first : end - first], self.covariates[order[begin:end]].numpy(), self.device)
            yield part.batch(torch.arange(part.cells))

    def gene_totals(self) -> Tensor:
        """(genes,) float64 sums of the counts over the cells."""
        return self._gene_totals

    def gene_cells(self) -> Tensor:
        """(genes,) float64 numbers of cells with a count of each gene."""
        return self._gene_cells
