"""Molecular cross-validation: errors of held-out counts predicted from the denoised training counts.

Batson 2019, doi 10.1101/786269. Denoised counts estimate the mean p m of the training molecules, so held-out
molecules are expected to be (1 - p) / p as many. Every method is scored on the denoised counts that it delivers, also
where its own distribution could predict more from an entry's training count: `zipo.metrics.held_out_posterior`
measures that.
"""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.held_out import errors

title = "Prediction of held-out molecules"
measures = {"poisson_deviance": "low", "mse_counts": "low"}
purpose = {"poisson_deviance": "to predict the molecules that deeper sequencing would add"}
needs = ("held_out",)


def score(case: Case) -> dict[str, float]:
    """Poisson deviance and squared error of the held-out counts, means over all entries."""
    return dict(zip(measures, errors(case, expected), strict=True))


def expected(case: Case, rows: slice) -> np.ndarray:
    """Expected held-out counts of some cells, float64 (cells, genes)."""
    return case.odds * np.asarray(case.denoised[rows], dtype=np.float64)
