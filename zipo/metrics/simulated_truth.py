"""Denoised counts against the known means of simulated counts, both as log1p(CP10k).

The true mean itself, the best possible answer, has no error and correlations of one.
"""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import chunks, log_cp10k
from zipo.metrics.shared.correlations import correlations, moments

title = "Distance from the true mean"
measures = {"truth_mse": "low", "truth_gene_correlation": "high", "truth_cell_correlation": "high"}
purpose = {"truth_mse": "to come close to the true expression, where it is known"}
needs = ("truth",)


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
