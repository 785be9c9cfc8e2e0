"""Molecular cross-validation: held-out counts against what the denoised training counts lead to expect.

Batson 2019, doi 10.1101/786269. Denoised counts estimate the mean p m of the training molecules, so held-out
molecules are expected to be (1 - p) / p as many. A zero-inflated method expects (1 - z') q m: a gene that was seen
in a cell is not lost there, and one that was not is lost with a probability above z.
"""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import chunks, dense
from zipo.metrics.shared.distribution import poisson_deviance

title = "Prediction of held-out molecules"
measures = {"poisson_deviance": "low", "mse_counts": "low"}
needs = ("held_out",)


def score(case: Case) -> dict[str, float]:
    """Poisson deviance and squared error of the held-out counts, means over all entries."""
    deviance = squares = 0.0
    for rows in chunks(*case.counts.shape):
        predicted, observed = expected(case, rows), dense(case.held_out, rows)
        deviance += poisson_deviance(observed=observed, predicted=predicted)
        squares += float(np.square(observed - predicted).sum())
    entries = np.prod(case.counts.shape, dtype=float)
    return {"poisson_deviance": deviance / entries, "mse_counts": squares / entries}


def expected(case: Case, rows: slice) -> np.ndarray:
    """Expected held-out counts of some cells, float64 (cells, genes)."""
    if case.zero_probability is None:
        return case.odds * np.asarray(case.denoised[rows], dtype=np.float64)
    distribution = case.distribution(rows)
    zero = np.asarray(distribution.held_out_zero_probability(dense(case.counts, rows)))
    return (1 - zero) * case.odds * distribution.rates
