"""Wilcoxon rank-sum tests of many genes at once."""

import numpy as np


def rank_sum_z(ranks: np.ndarray, first: np.ndarray) -> np.ndarray:
    """z of rank-sum tests (corrected for ties, without continuity correction), positive where the first group is
    higher, (draws, genes).

    `ranks` are (cells, genes), `first` tells by 1 or 0 which cells are in the first group, (draws, cells). A gene
    that is constant has z = 0.
    """
    n = len(ranks)
    ones = first.sum(axis=1, keepdims=True)
    centred = ranks - (n + 1) / 2
    error = np.sqrt(ones * (n - ones) / n / (n - 1) * np.square(centred).sum(axis=0))
    sums = first @ centred
    return np.divide(sums, error, out=np.zeros_like(sums), where=error > 0)
