"""Spearman correlations of pairs of columns."""

import numpy as np


def spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Correlation of each column of x with that of y, both (cells, columns); 0 where x is constant, NaN where y is."""
    from scipy.stats import rankdata  # takes half a second, so only where it is used

    ranks = [rankdata(values, axis=0) - (len(values) + 1) / 2 for values in (x, y)]
    squares = [np.square(values).sum(axis=0) for values in ranks]
    lengths = np.sqrt(squares[0] * squares[1])
    correlation = np.divide((ranks[0] * ranks[1]).sum(axis=0), lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return np.where(squares[1] > 0, correlation, np.nan)
