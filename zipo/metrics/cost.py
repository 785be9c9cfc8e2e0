"""What a denoising costs: time and memory."""

import numpy as np

from zipo.metrics.shared.case import Case

title = "Cost"
measures = {"seconds": "low", "cells_per_second": "high", "peak_mb": "low"}
purpose = {"seconds": "to wait a short time"}
needs = ("cost",)


def score(case: Case) -> dict[str, float]:
    """Seconds, cells a second, and peak memory in MB."""
    return {
        "seconds": case.seconds,
        "cells_per_second": case.counts.shape[0] / case.seconds,
        "peak_mb": case.peak_mb,
    }


def slope(cells: np.ndarray, cost: np.ndarray) -> float:
    """Exponent by which seconds or memory grow with the number of cells: 1 is linear, 2 quadratic.

    The least-squares slope of the logarithms; NaN unless there are two different numbers of cells.
    """
    x, y = np.log(cells), np.log(cost)
    if np.ptp(x) == 0:
        return float("nan")
    return float(np.polyfit(x, y, 1)[0])
