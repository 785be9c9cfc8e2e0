"""A method's own distribution against the known one of simulated counts: rates, and zero inflation.

Rates and zero inflation are hard to tell apart by the counts: twice the rates, of which half are lost, have the same
means. So rates are compared on the scale of the true ones, and not brought to a common sum.
"""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import chunks

title = "Rates and zero inflation against the true ones"
measures = {"truth_rates_mse": "low", "truth_loss_mse": "low"}
purpose = {"truth_rates_mse": "to know the expression before counts were lost"}
needs = ("truth", "distribution")


def score(case: Case) -> dict[str, float]:
    """Mean squared errors over all entries: of log1p of rates per ten thousand true ones, and of zero probabilities.

    A method without zero inflation has zero probabilities of 0, as have counts of which nothing is lost.
    """
    cells, genes = case.counts.shape
    rates, loss = 0.0, 0.0
    for rows in chunks(cells, genes):
        true = np.asarray(case.true_rates[rows], dtype=np.float64)
        scale = 1e4 / true.sum(axis=1, keepdims=True)
        own = np.asarray(case.rates[rows], dtype=np.float64)
        rates += float(np.square(np.log1p(own * scale) - np.log1p(true * scale)).sum())
        true_z, own_z = (
            _zero_probability(z, rows, true.shape) for z in (case.true_zero_probability, case.zero_probability)
        )
        loss += float(np.square(own_z - true_z).sum())
    return {"truth_rates_mse": rates / (cells * genes), "truth_loss_mse": loss / (cells * genes)}


def _zero_probability(values: np.ndarray | None, rows: slice, shape: tuple[int, ...]) -> np.ndarray:
    """Zero probabilities of some cells, float64 (cells, genes); zeros where there is no zero inflation."""
    return np.zeros(shape) if values is None else np.asarray(values[rows], dtype=np.float64)
