"""Pearson correlations from sums over chunks of cells."""

import numpy as np

CONSTANT = 1e-10
"""Variance, relative to the mean square, below which values are taken as constant."""


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
