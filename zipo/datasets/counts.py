"""Checks that a data set holds raw counts, before anything is computed from it."""

from collections.abc import Sequence
from typing import Literal

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix, issparse

from zipo.datasets.names import DATE, OF_DATES
from zipo.errors import InputError
from zipo.wording import setting, words

LARGEST = float(np.finfo(np.float32).max)
LARGEST_LOGARITHM = 25.0  # of a count: e to this is 7e10


class NotCounts(InputError):
    """Values that are no raw counts, which may be elsewhere."""


def as_counts(matrix, cells: Sequence[str], genes: Sequence[str], place: str) -> csr_matrix:
    """A matrix (cells x genes) as CSR of whole float32 counts; `place` names the file or object in errors.

    Raises InputError for a shape that does not match the names, duplicate genes, and entries that are NaN,
    infinite, negative or not whole.
    """
    counts = csr_matrix(matrix) if issparse(matrix) else csr_matrix(np.asarray(matrix))
    check_names(counts.shape, cells, genes, place)
    return whole_counts(counts, cells, genes, place)


def refuse_masked(adata: ad.AnnData, place: str) -> None:
    """Raise InputError where X is a masked array with entries masked, whose mask a view or a copy would forget."""
    matrix = (adata._adata_ref if adata.is_view else adata).X
    if np.ma.is_masked(matrix):
        raise InputError(
            f"{place}: X is a masked array, of which {np.ma.count_masked(matrix)} entries are masked; "
            "give each a count, as by adata.X = adata.X.filled(0)"
        )


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
        (values > LARGEST, "is infinite"),  # as a float32
        (values < 0, "is negative"),
    ):
        if bad.any():
            raise NotCounts(f"{place}: {_first(counts, bad, cells, genes)} {problem}; raw counts are needed")
    fractional = values != np.rint(values)
    if fractional.any():
        raise NotCounts(
            f"{place}: {_first(counts, fractional, cells, genes)} is not a whole number{hint_of_fractions(values)}; "
            "raw counts are needed"
        )
    return counts.astype(np.float32, copy=False)


def hint_of_fractions(values: np.ndarray) -> str:
    """What values other than zero with fractions among them seem to be, as an addition to an error.

    Logarithms are small; larger values with fractions can be estimates of counts.
    """
    estimates = "counts that SoupX, RSEM, salmon or alevin has estimated are to be rounded first, as by numpy.rint"
    if (values != np.rint(values)).mean() <= 0.5:
        return f"; {estimates}"
    normalised = "; most entries are fractions, so the data look normalised or log-transformed already"
    return normalised if values.max() < LARGEST_LOGARITHM else f"{normalised} ({estimates})"


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
        raise InputError(f"{place}: no cells are left; {_remedy_of_none('min_counts or min_genes', 'cells')}")
    if adata.n_vars == 0:
        raise InputError(f"{place}: no genes are left; {_remedy_of_none('min_cells', 'genes')}")
    library = np.asarray(adata.X.sum(axis=1)).ravel() if library is None else library
    empty = np.flatnonzero(library == 0)
    if len(empty) and empty_cells == "refuse":
        beforehand = "scanpy.pp.filter_cells(adata, min_counts=1)"
        drop = words(python=beforehand, command_line=f"{beforehand} beforehand", study="filters: {min_counts: 1}")
        kind = NotCounts if len(empty) == adata.n_obs else InputError  # they may be elsewhere
        raise kind(
            f"{place}: {len(empty)} cells have no counts, the first is {adata.obs_names[empty[0]]!r}; "
            f"drop them with {drop}, or keep them with {setting('empty_cells', 'keep')}"
        )


def _remedy_of_none(filters: str, what: str) -> str:
    """What to do where no cells or no genes are left."""
    other = f"give counts with {what}"
    return words(python=other, command_line=other, study=f"loosen {filters} in filters")


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
            remedy = f", as adata.{'var' if kind == 'gene' else 'obs'}_names_make_unique() makes them in Python"
            if kind == "gene" and DATE.fullmatch(str(name)):
                remedy = f"; {OF_DATES}"
            raise InputError(f"{place}: {kind} {name!r} occurs more than once; {kind} names must be unique{remedy}")
        seen.add(name)
