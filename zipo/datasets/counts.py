"""Checks that a data set holds raw counts, before anything is computed from it."""

from collections.abc import Sequence
from typing import Any, Literal

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csc_matrix, csr_matrix, issparse

from zipo.datasets.names import DATE, OF_DATES
from zipo.shared.errors import InputError
from zipo.shared.wording import setting, words

LARGEST = float(np.finfo(np.float32).max)
LARGEST_LOGARITHM = 25.0  # of a count: e to this is 7e10
ROUNDING = 1e-5  # of a count: what float32 loses in a logarithm and back is 7e-7 of counts up to 200,000


class NotCounts(InputError):
    """The values are no raw counts; another matrix of the same data may hold them."""


def as_counts(matrix: Any, cells: Sequence[str], genes: Sequence[str], place: str) -> csr_matrix:
    """Check a matrix (cells x genes) and convert it to CSR of float32 counts; errors name it by `place`.

    The matrix stays as it is. Raises InputError for a shape that does not match the names, duplicate genes, and entries
    that are NaN, infinite, negative or not whole.
    """
    counts = as_csr(matrix, place)
    check_names(counts.shape, cells, genes, place)
    return checked_counts(counts, cells, genes, place)


def refuse_masked(adata: ad.AnnData, place: str) -> None:
    """Raise InputError where X is a masked array with entries masked, whose mask a view or a copy would forget."""
    matrix = (adata._adata_ref if adata.is_view else adata).X
    if np.ma.is_masked(matrix):
        raise _masked(matrix, place)


def _masked(matrix: np.ma.MaskedArray, place: str) -> InputError:
    return InputError(
        f"{place}: X is a masked array, of which {np.ma.count_masked(matrix)} entries are masked; "
        "give each a count, as by adata.X = adata.X.filled(0)"
    )


def as_csr(matrix: Any, place: str) -> csr_matrix:
    """A matrix in any storage as CSR with its entries as they are, and index arrays of one type.

    It shares the arrays of a matrix that is CSR already, and never changes them. What is lazy is computed. Raises
    InputError for masked entries, for what holds no numbers, and for index arrays that do not fit.
    """
    if hasattr(matrix, "compute"):
        matrix = matrix.compute()
    if np.ma.is_masked(matrix):
        raise _masked(matrix, place)
    if not issparse(matrix):
        return csr_matrix(_numbers(np.asarray(matrix), place))
    if matrix.format not in ("csr", "csc"):
        # entries that are stored twice are added up on the way, where small whole numbers would overflow
        return csr_matrix(matrix.astype(np.float64))
    kind = csr_matrix if matrix.format == "csr" else csc_matrix
    try:
        # scipy takes no pair of int64 and int32; made anew, both arrays have the smaller type that suffices
        same = kind((_numbers(matrix.data, place), matrix.indices, matrix.indptr), shape=matrix.shape)
        same.check_format(full_check=True)  # its routines trust indices, and would read foreign memory
    except ValueError as error:
        raise InputError(f"{place}: the matrix is damaged: {error}; fetch, write or make it again") from None
    return csr_matrix(same)


def plain_names(names: pd.Index) -> pd.Index:
    """Names as plain text, whatever pandas keeps them as."""
    return pd.Index([str(name) for name in names], dtype=object)


def check_names(shape: tuple[int, int], cells: Sequence[str], genes: Sequence[str], place: str) -> None:
    """Raise InputError for a shape (cells x genes) that does not match the names, and for names that occur twice."""
    if shape != (len(cells), len(genes)):
        raise InputError(
            f"{place}: the matrix is {shape[0]} x {shape[1]}, but there are {len(cells)} cells and "
            f"{len(genes)} genes by name"
        )
    _refuse_duplicates(genes, "gene", place)
    _refuse_duplicates(cells, "cell", place)


def checked_counts(counts: csr_matrix, cells: Sequence[str], genes: Sequence[str], place: str) -> csr_matrix:
    """`counts` as float32, checked; InputError for entries that are NaN, infinite, negative or not whole."""
    if not counts.has_canonical_format or not counts.data.all():
        counts = counts.astype(np.float64)  # a copy, for the arrays may be the caller's, in which sums do not overflow
        counts.sum_duplicates()
        counts.eliminate_zeros()  # a stored zero would count as a detection
    values = counts.data
    for bad, problem in (
        (np.isnan(values), "is not a number (NaN)"),
        (np.isinf(values), "is infinite"),
        (values < 0, "is negative"),
        (values > LARGEST, "is too large for a count"),
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
    """A hint for an error: what nonzero values, some of them fractions, may be.

    Logarithms are small; larger values with fractions can be estimates of counts.
    """
    if np.isclose(values, np.rint(values), rtol=ROUNDING, atol=0).all():
        return "; all are whole but for rounding errors, as expm1 leaves them, so round them, as by numpy.rint"
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
    """Advice, for an error, where filters leave no cells or no genes."""
    other = f"give counts with {what}"
    return words(python=other, command_line=other, study=f"loosen {filters} in filters")


def _numbers(values: np.ndarray, place: str) -> np.ndarray:
    """Entries of a type that sparse matrices take; InputError for text and all else that is no number."""
    if values.dtype.kind in "biu" or values.dtype.newbyteorder("=") in (np.float32, np.float64):
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    try:
        if values.dtype.kind in "fO":  # half and long precision, and numbers that pandas or R kept as objects
            return values.astype(np.float64)
    except (TypeError, ValueError):
        pass
    raise InputError(f"{place}: the matrix holds values of type {values.dtype}; raw counts are whole numbers")


def _first(counts: csr_matrix, bad: np.ndarray, cells: Sequence[str], genes: Sequence[str]) -> str:
    """The first bad entry in words."""
    at = int(np.flatnonzero(bad)[0])
    cell = int(np.searchsorted(counts.indptr, at, side="right")) - 1
    gene = int(counts.indices[at])
    value = str(counts.data[at]).removesuffix(".0")  # all digits, by which fractions show
    return f"the count of gene {genes[gene]!r} in cell {cells[cell]!r} ({value})"


def _refuse_duplicates(names: Sequence[str], kind: str, place: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            remedy = f", as adata.{'var' if kind == 'gene' else 'obs'}_names_make_unique() makes them in Python"
            if kind == "gene" and DATE.fullmatch(str(name)):
                remedy = f"; {OF_DATES}"
            raise InputError(f"{place}: {kind} {name!r} occurs more than once; {kind} names must be unique{remedy}")
        seen.add(name)
