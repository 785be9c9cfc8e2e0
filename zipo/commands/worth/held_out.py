"""Poisson deviances of held-out molecules by cell and by gene, beside those of the gene means."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from zipo.commands.worth.estimates import ratio_error
from zipo.metrics import held_out_counts
from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import chunks, dense
from zipo.metrics.shared.distribution import poisson_deviances


@dataclass(frozen=True)
class Deviances:
    """Deviances of some prediction of held-out molecules, and of the base that it is measured against."""

    by_cell: np.ndarray
    """Of the prediction, (cells,)."""
    base_by_cell: np.ndarray
    """Of the base, (cells,)."""
    explained_by_gene: np.ndarray
    """1 - deviance / deviance of the base, (genes,); NaN for a gene without training molecules."""
    error_by_gene: np.ndarray
    """Its standard error over the cells, (genes,)."""

    @property
    def explained_by_cell(self) -> np.ndarray:
        """1 - deviance / deviance of the base, (cells,); NaN for a cell without training molecules."""
        return _share(self.base_by_cell - self.by_cell, self.base_by_cell)


def deviances(case: Case, base: np.ndarray | None = None) -> Deviances:
    """Deviances of what a case's denoised counts predict of its held-out counts, beside those of a base.

    The base are other denoised counts, (cells, genes), or the gene means: each gene's share of all training counts
    times the cell's library size. Either prediction is raised to `Case.least_means`.
    """
    cells, genes = case.counts.shape
    library = np.asarray(case.counts.sum(axis=1), dtype=np.float64)  # (cells, 1)
    shares = np.asarray(case.counts.sum(axis=0), dtype=np.float64) / library.sum()  # (1, genes)
    least = case.odds * case.least_means
    by_cell, base_by_cell = np.zeros(cells), np.zeros(cells)
    totals, base_totals = np.zeros(genes), np.zeros(genes)
    squares, products, base_squares = np.zeros(genes), np.zeros(genes), np.zeros(genes)
    for rows in chunks(cells, genes):
        observed = dense(case.held_out, rows)
        predicted = held_out_counts.expected(case, rows)
        deviance = poisson_deviances(observed=observed, predicted=np.maximum(predicted, least))
        simple = case.odds * (library[rows] * shares if base is None else base[rows].astype(np.float64))
        of_base = poisson_deviances(observed=observed, predicted=np.maximum(simple, least))
        by_cell[rows], base_by_cell[rows] = deviance.sum(axis=1), of_base.sum(axis=1)
        totals += deviance.sum(axis=0)
        base_totals += of_base.sum(axis=0)
        squares += np.square(of_base - deviance).sum(axis=0)
        products += ((of_base - deviance) * of_base).sum(axis=0)
        base_squares += np.square(of_base).sum(axis=0)
    explained = _share(base_totals - totals, base_totals)
    residuals = np.maximum(squares - 2 * explained * products + np.square(explained) * base_squares, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = ratio_error(residuals, base_totals, cells)
    return Deviances(by_cell, base_by_cell, explained, error)


def molecules(held_out: csr_matrix, axis: int) -> np.ndarray:
    """Held-out molecules of each gene (axis 0) or cell (axis 1)."""
    return np.asarray(held_out.sum(axis=axis, dtype=np.float64)).ravel()


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole; NaN where the whole is nothing."""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
