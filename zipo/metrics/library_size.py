"""Library sizes: error of the sum of a cell's denoised counts against the sum of its counts."""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import chunks
from zipo.metrics.shared.distribution import SMALLEST_MEAN

title = "Library sizes"
measures = {"library_rmse": "low"}
needs = ()
unranked = {"library_rmse": "0 by construction where a method scales each cell to its library size"}


def score(case: Case) -> dict[str, float]:
    """Root mean squared error of the log library size, over cells with counts.

    The sum of the denoised counts is l (1 - sum_g z mu) where they are (1 - z) l mu.
    """
    sums = [np.sum(case.denoised[rows], axis=1, dtype=np.float64) for rows in chunks(*case.counts.shape)]
    observed = np.asarray(case.counts.sum(axis=1), dtype=np.float64).ravel()
    predicted = np.maximum(np.concatenate(sums), SMALLEST_MEAN)
    counted = observed > 0
    return {"library_rmse": float(np.sqrt(np.mean(np.log(predicted[counted] / observed[counted]) ** 2)))}
