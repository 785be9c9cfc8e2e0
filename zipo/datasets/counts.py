"""Checks that a data set holds raw counts, before anything is computed from it."""

from collections.abc import Sequence
from typing import Literal

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix, issparse

from zipo.errors import InputError


def as_counts(matrix, cells: Sequence[str], genes: Sequence[str], place: str) -> csr_matrix:
    """A matrix (cells x genes) as CSR of whole float32 counts; `place` names the file or object in errors.

    Raises InputError for a shape that does not match the names, duplicate genes, and entries that are NaN,
    infinite, negative or not whole.
    """
    counts = csr_matrix(matrix) if issparse(matrix) else csr_matrix(np.asarray(matrix))
    check_names(counts.shape, cells, genes, place)
    return whole_counts(counts, cells, genes, place)


def check_names(shape: tuple[int, int], cells: Sequence[str], genes: Sequence[str], place: str) -> None:
    """Raise InputError for a shape (cells x genes) that does not match the names, and for names that occur twice."""
    if shape != (len(cells), len(genes)):
        raise InputError(
            f"{place}: the matrix is {shape[0]} x {shape[1]}, but there are {len(cells)} cells and "
            f"{len(genes)} genes by name"
        )
    _refuse_duplicates(genes, "gene", place)
    _refuse_duplicates(cells, "cell", place)


def whole_counts(counts: csr_matrix, cells: Sequence[str], genes: Sequence[str], place: str) -> csr_matrix:
    """The same as whole float32 counts; InputError for entries that are NaN, infinite, negative or not whole."""
    counts.sum_duplicates()
    counts.eliminate_zeros()  # a stored zero would count as a detection
    values = counts.data
    for bad, problem in (
        (np.isnan(values), "is not a number (NaN)"),
        (np.isinf(values), "is infinite"),
        (values < 0, "is negative"),
    ):
        if bad.any():
            raise InputError(f"{place}: {_first(counts, bad, cells, genes)} {problem}; raw counts are needed")
    fractional = values != np.rint(values)
    if fractional.any():
        hint = ""
        if fractional.mean() > 0.5:
            hint = "; most entries are fractions, so the data look normalised or log-transformed already"
        raise InputError(
            f"{place}: {_first(counts, fractional, cells, genes)} is not a whole number{hint}; raw counts are needed"
        )
    return counts.astype(np.float32, copy=False)


def check_cells_and_genes(
    adata: ad.AnnData,
    place: str,
    empty_cells: Literal["refuse", "keep"] = "refuse",
    library: np.ndarray | None = None,
) -> None:
    """Raise InputError where no cells or no genes are left, or a cell has no counts and is not to be kept.

    `library` are the sums of each cell's counts; None to take them from X.
    """
    if adata.n_obs == 0:
        raise InputError(f"{place}: no cells are left; loosen min_counts or min_genes in filters")
    if adata.n_vars == 0:
        raise InputError(f"{place}: no genes are left; loosen min_cells in filters")
    library = np.asarray(adata.X.sum(axis=1)).ravel() if library is None else library
    empty = np.flatnonzero(library == 0)
    if len(empty) and empty_cells == "refuse":
        raise InputError(
            f"{place}: {len(empty)} cells have no counts, the first is {adata.obs_names[empty[0]]!r}; "
            "drop them with filters: {min_counts: 1} in a study, or beforehand, or keep them with empty_cells: keep "
            "(--empty-cells keep on the command line)"
        )


def _first(counts: csr_matrix, bad: np.ndarray, cells: Sequence[str], genes: Sequence[str]) -> str:
    """The first bad entry in words."""
    at = int(np.flatnonzero(bad)[0])
    cell = int(np.searchsorted(counts.indptr, at, side="right")) - 1
    gene = int(counts.indices[at])
    return f"the count of gene {genes[gene]!r} in cell {cells[cell]!r} ({counts.data[at]:g})"


def _refuse_duplicates(names: Sequence[str], kind: str, place: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{place}: {kind} {name!r} occurs more than once; {kind} names must be unique")
        seen.add(name)
