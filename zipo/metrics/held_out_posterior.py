"""Errors of held-out counts predicted by a method's own distribution from each entry's training count.

With odds (1 - p) / p, rates m and training counts x, that is odds m for a Poisson and odds m (r + x) / (r + m) for an
NB of size r; with zero inflation (1 - z') times as much, where z' is z given x: a gene that was seen in a cell is not
lost there. For a Poisson this equals the prediction by the denoised counts. The others use the training counts, which
denoised counts do not hold: these measures tell how good a distribution is, and not which method denoises best.
"""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import dense
from zipo.metrics.shared.held_out import errors

title = "Prediction of held-out molecules from a distribution and the training counts"
measures = {"posterior_deviance": "low", "posterior_mse": "low"}
needs = ("held_out", "distribution")
unranked = dict.fromkeys(measures, "draws on the training count of each entry, which denoised counts do not hold")


def score(case: Case) -> dict[str, float]:
    """Poisson deviance and squared error of the held-out counts, means over all entries."""
    return dict(zip(measures, errors(case, expected), strict=True))


def expected(case: Case, rows: slice) -> np.ndarray:
    """Expected held-out counts of some cells given their training counts, float64 (cells, genes)."""
    return case.distribution(rows).held_out(dense(case.counts, rows), case.odds).means
