"""Likelihood of held-out molecules under the method's own distribution, given the training molecules.

A method without a distribution of its own is taken as Poisson with its denoised counts as means. For all methods,
rates below `Case.least_means` are raised to it.
"""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import chunks, dense

title = "Likelihood of held-out molecules"
measures = {"held_out_nll": "low"}
needs = ("held_out",)
unranked = {"held_out_nll": "draws on the training count of each entry where a method has a distribution, else Poisson"}


def score(case: Case) -> dict[str, float]:
    """Negative log-likelihood of the held-out counts, in nats per entry."""
    total, least = 0.0, case.least_means
    for rows in chunks(*case.counts.shape):
        distribution = case.distribution(rows, least).held_out(dense(case.counts, rows), case.odds)
        observed = case.held_out[rows].tocoo()
        at = (observed.row, observed.col)
        # most counts are zero: all are scored as such, and the others corrected
        zero = distribution.log_prob_zero()
        positive = distribution.log_prob_positive(at, observed.data.astype(np.float64))
        total -= float(zero.sum() + (positive - zero[at]).sum())
    return {"held_out_nll": total / np.prod(case.counts.shape, dtype=float)}
