"""Errors of predicted held-out counts."""

from collections.abc import Callable

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import chunks, dense
from zipo.metrics.shared.distribution import poisson_deviance


def errors(case: Case, expected: Callable[[Case, slice], np.ndarray]) -> tuple[float, float]:
    """Poisson deviance and squared error of the held-out counts, means over all entries.

    `expected` gives the held-out counts that some cells are expected to have, (cells, genes). For
    the deviance they are raised to odds x `Case.least_means`; the squared error needs no such bound.
    """
    deviance = squares = 0.0
    least = case.odds * case.least_means
    for rows in chunks(*case.counts.shape):
        predicted, observed = expected(case, rows), dense(case.held_out, rows)
        deviance += poisson_deviance(observed=observed, predicted=np.maximum(predicted, least))
        squares += float(np.square(observed - predicted).sum())
    entries = float(np.prod(case.counts.shape, dtype=float))
    return deviance / entries, squares / entries
