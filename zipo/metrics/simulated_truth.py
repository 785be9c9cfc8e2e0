"""Denoised counts against the known means of simulated counts, both as log1p(CP10k).

The true mean itself, the best possible answer, has no error and correlations of one.
"""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import chunks, log_cp10k

title = "Distance from the true mean"
measures = {"truth_mse": "low", "truth_gene_correlation": "high", "truth_cell_correlation": "high"}
purpose = {"truth_mse": "to come close to the true expression, where it is known"}
needs = ("truth",)

CONSTANT = 1e-10
"""Variance, relative to the mean square, below which values are taken as constant."""


def score(case: Case) -> dict[str, float]:
    """Mean squared error over all entries, and Pearson correlations: of each gene over cells, of each cell over genes.

    A constant prediction tells nothing, so its correlation is 0; genes and cells with a constant truth are left out.
    """
    cells, genes = case.counts.shape
    squares, by_cell, by_gene = 0.0, [], np.zeros((5, genes))
    for rows in chunks(cells, genes):
        x, y = log_cp10k(case.denoised[rows]), log_cp10k(case.true_means(rows))
        squares += float(np.square(x - y).sum())
        by_cell.append(correlations(moments(x, y, axis=1), genes))
        by_gene += moments(x, y, axis=0)
    return {
        "truth_mse": squares / (cells * genes),
        "truth_gene_correlation": float(np.nanmean(correlations(by_gene, cells))),
        "truth_cell_correlation": float(np.nanmean(np.concatenate(by_cell))),
    }


def moments(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    """Sums of x, y, x^2, y^2 and x y along an axis, one row each; sums of chunks add up."""
    return np.stack([part.sum(axis=axis) for part in (x, y, x * x, y * y, x * y)])


def correlations(sums: np.ndarray, n: int) -> np.ndarray:
    """Pearson correlations of x and y from their moments over n values: 0 where x is constant, NaN where y is."""
    x, y, xx, yy, xy = sums / n
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = (xy - x * y) / np.sqrt((xx - x * x) * (yy - y * y))
    correlation = np.where(xx - x * x <= CONSTANT * xx, 0.0, correlation)
    return np.where(yy - y * y <= CONSTANT * yy, np.nan, correlation)
