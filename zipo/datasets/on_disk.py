"""Counts that stay in their file, as compressed sparse rows: reading some cells of many, and checking all in one pass.

A plain reader, and no library for it: measured in benchmarks/README.md.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from anndata.abc import CSCDataset, CSRDataset
from scipy.sparse import csr_matrix

from zipo.datasets.counts import check_names, checked_counts
from zipo.datasets.formats.hdf5 import checked_csr
from zipo.shared.errors import InputError

LONGEST_READ = 1 << 20  # entries that one read takes at once, but for a single cell with more
WIDEST_GAP = 1 << 13  # unwanted entries that are read along: they cost about what starting another read costs


class RowsOnDisk:
    """Some cells, and perhaps some genes only, of a CSR matrix in a file.

    - `stored`: the matrix, cells x genes; an .h5ad's, or a zarr group's.
    - `place`: what errors call it.
    - `rows`: (cells,) which of its rows, in which order.
    - `columns`: (genes,) which of its columns, in which order; None for all as they are.
    """

    def __init__(self, stored: CSRDataset, place: str, rows: np.ndarray, columns: np.ndarray | None = None) -> None:
        self._values, self._columns = stored.group["data"], stored.group["indices"]
        self._starts = stored.group["indptr"][:].astype(np.int64)
        self._width = stored.shape[1]
        lengths = np.diff(self._starts)
        if len(lengths) != stored.shape[0] or (lengths < 0).any() or self._starts[-1] > self._values.shape[0]:
            raise InputError(f"{place}: the matrix is damaged: indptr does not fit; fetch or write the file again")
        self.place, self.rows, self.columns = place, rows, columns
        self.lengths = lengths[rows]  # (cells,) stored entries of each

    @property
    def shape(self) -> tuple[int, int]:
        """Cells, genes."""
        return len(self.rows), self._width if self.columns is None else len(self.columns)

    @property
    def dtype(self) -> np.dtype:
        """The type of the stored entries."""
        return self._values.dtype

    def read(self, cells: np.ndarray, dtype: np.dtype | type = np.float32) -> csr_matrix:
        """Counts of `cells` (n,), positions in `rows`, in this order, as values of `dtype`; InputError for damage."""
        starts = np.concatenate([[0], np.cumsum(self.lengths[cells])])
        values, columns = np.empty(starts[-1], dtype), np.empty(starts[-1], np.int32)
        for group, low, high in self._reads(self.rows[cells]):
            lengths = self.lengths[cells[group]]
            source = ranges(self._starts[self.rows[cells[group]]] - low, lengths)
            target = ranges(starts[group], lengths)
            try:
                values[target] = self._values[low:high][source]
                columns[target] = self._columns[low:high][source]
            except OSError as error:
                problem = f"{self.place}: the HDF5 file is damaged or incomplete ({error}); fetch or write it again"
                raise InputError(problem) from None
        matrix = checked_csr(csr_matrix((values, columns, starts), shape=(len(cells), self._width)), self.place)
        matrix.sum_duplicates()
        return matrix if self.columns is None else matrix[:, self.columns]

    def parts(self, cells: np.ndarray) -> list[np.ndarray]:
        """These cells, in this order, in parts of about LONGEST_READ entries."""
        part = np.cumsum(self.lengths[cells]) // LONGEST_READ
        return np.split(cells, np.flatnonzero(np.diff(part)) + 1)

    def _reads(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, int, int]]:
        """Plan the reads of these rows of the file: for each, which of the rows it gets, and its first and last entry.

        They follow the order of the file, and rows that lie close together share a read.
        """
        order = np.argsort(rows, kind="stable")
        begin, end = self._starts[rows[order]], self._starts[rows[order] + 1]
        far = begin[1:] - end[:-1] > WIDEST_GAP
        full = begin[1:] // LONGEST_READ != begin[:-1] // LONGEST_READ
        cuts = [0, *(np.flatnonzero(far | full) + 1), len(rows)]
        for first, last in pairwise(cuts if len(rows) else []):
            yield order[first:last], begin[first], end[last - 1]


def ranges(begin: np.ndarray, length: np.ndarray) -> np.ndarray:
    """The numbers from begin[0] on, length[0] of them, then from begin[1] on, length[1] of them, and so on."""
    offsets = np.cumsum(length) - length
    return np.repeat(begin - offsets, length) + np.arange(length.sum())


def on_disk(adata: ad.AnnData, place: str) -> RowsOnDisk | None:
    """The counts of a backed AnnData, or of a view of one; None if they are in memory.

    Raises InputError unless they are stored as CSR. `X` of a view would be read into memory at the first touch.
    """
    stored = stored_x(adata)
    if isinstance(stored, CSCDataset | h5py.Dataset):
        kind = "CSC, gene by gene" if isinstance(stored, CSCDataset) else "a dense matrix"
        raise InputError(
            f"{place}: X lies in the file as {kind}, and can be read cell by cell only as CSR; write it once more as "
            "CSR (adata = adata.to_memory(); adata.X = scipy.sparse.csr_matrix(adata.X); adata.write_h5ad(...))"
        )
    return rows_of(adata, place)


def rows_of(adata: ad.AnnData, place: str) -> RowsOnDisk | None:
    """X of an AnnData, or of a view of one, where it is CSR on disk; None where it is anything else."""
    stored = stored_x(adata)
    if not isinstance(stored, CSRDataset):
        return None
    rows, columns = places(adata)
    everything = np.array_equal(columns, np.arange(stored.shape[1]))
    return RowsOnDisk(stored, place, rows, None if everything else columns)


def stored_x(adata: ad.AnnData) -> Any:
    """X of an AnnData, or of that under a view, as it is stored; None if there is none."""
    base = adata._adata_ref if adata.is_view else adata
    if base.isbacked:
        if not base.file.is_open:
            base.file.open()
        if "X" not in base.file:
            return None
    return base.X


def places(adata: ad.AnnData) -> tuple[np.ndarray, np.ndarray]:
    """Positions of a view's cells and genes in the AnnData under it, in the view's order; all if it is no view."""
    if not adata.is_view:
        return np.arange(adata.n_obs), np.arange(adata.n_vars)
    base = adata._adata_ref
    return np.arange(base.n_obs)[adata._oidx], np.arange(base.n_vars)[adata._vidx]


def some_cells(adata: ad.AnnData, cells: np.ndarray) -> ad.AnnData:
    """A view of the cells at these positions; also of a view of a backed AnnData, of which anndata makes none."""
    return _view(adata, cells, slice(None))


def some_genes(adata: ad.AnnData, genes: np.ndarray) -> ad.AnnData:
    """A view of the genes at these positions, as `some_cells` makes of cells."""
    return _view(adata, slice(None), genes)


def _view(adata: ad.AnnData, cells: np.ndarray | slice, genes: np.ndarray | slice) -> ad.AnnData:
    if not (adata.is_view and adata.isbacked):
        return adata[cells, genes]
    rows, columns = places(adata)
    return adata._adata_ref[rows[cells], columns[genes]]


class Survey(NamedTuple):
    """Sums over counts on disk, gathered in one pass."""

    library: np.ndarray
    """(cells,) sums of each cell's counts."""
    gene_totals: np.ndarray
    """(genes,) sums of each gene's counts."""
    gene_cells: np.ndarray
    """(genes,) numbers of cells with a count of each gene."""


def survey(counts: RowsOnDisk, cells: pd.Index, genes: pd.Index) -> Survey:
    """Check counts on disk as `zipo.datasets.counts.as_counts` does in memory, of which they never take much.

    Raises InputError as that does, and if the file is damaged.
    """
    check_names(counts.shape, cells, genes, counts.place)
    library, gene_totals, gene_cells = np.zeros(len(cells)), np.zeros(len(genes)), np.zeros(len(genes))
    by_row = np.argsort(counts.rows, kind="stable")
    for part in counts.parts(by_row):
        chunk = checked_counts(counts.read(part), cells[part], genes, counts.place)
        library[part] = np.asarray(chunk.sum(axis=1, dtype=np.float64)).ravel()
        gene_totals += np.asarray(chunk.sum(axis=0, dtype=np.float64)).ravel()
        gene_cells += np.bincount(chunk.indices[chunk.data > 0], minlength=len(genes))
    return Survey(library, gene_totals, gene_cells)
