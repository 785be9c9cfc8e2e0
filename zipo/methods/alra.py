"""ALRA: a low-rank approximation whose small values are set to zero.

Linderman 2022, doi 10.1038/s41467-021-27729-z; written from the paper. Steps and names are those of its methods
section: choice of the rank, thresholds, and rescaling.
"""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

from zipo.methods.shared.library import normalised, to_library

name = "alra"
env = None
parameters = {"rank": None}
seeded = True
keeps_library = True
scale = "log1p of counts per ten thousand, taken back by expm1, and each cell to its own library size: counts"
source = "Linderman 2022, doi 10.1038/s41467-021-27729-z, written from the paper"
imports = ("sklearn.utils.extmath",)

SINGULAR_VALUES = 100  # computed to choose the rank
NOISE = 80  # from here on their spacings are those of noise
DEVIATIONS = 6  # that a spacing of signal exceeds the mean spacing of noise by
POWERS = 10  # power iterations of the randomised SVD of the approximation
QUANTILE = 0.001  # of a gene's values, whose size is its threshold


def denoise(counts: ad.AnnData, *, seed: int, rank: int | None = None) -> ad.AnnData:
    """ALRA's expression as counts in layers["denoised"]; a rank of None is chosen from the singular values."""
    from sklearn.utils.extmath import randomized_svd

    matrix = csr_matrix(counts.X)
    logs = np.log1p(normalised(matrix, total=1e4))
    if rank is None:
        count = min(SINGULAR_VALUES, *counts.shape)
        rank = chosen_rank(randomized_svd(logs, count, random_state=seed)[1])
    left, values, right = randomized_svd(logs, rank, n_iter=POWERS, random_state=seed)
    rebuilt = rescaled(thresholded((left * values) @ right), logs)
    denoised = counts.copy()
    denoised.layers["denoised"] = to_library(np.expm1(rebuilt), matrix)
    return denoised


def chosen_rank(singular_values: np.ndarray) -> int:
    """The number of singular values up to the last whose spacing to the next exceeds that of noise.

    With few values, the last fifth of the spacings is taken as noise.
    """
    spacings = -np.diff(singular_values)
    noise = spacings[min(NOISE, 4 * len(spacings) // 5) - 1 :]
    signal = np.flatnonzero(spacings > noise.mean() + DEVIATIONS * noise.std(ddof=1))
    return int(signal[-1]) + 1 if len(signal) else 1


def thresholded(approximation: np.ndarray) -> np.ndarray:
    """The approximation (cells, genes) with 0 in place of values no larger than the size of their gene's lowest."""
    lowest = np.abs(np.quantile(approximation, QUANTILE, axis=0))
    return np.where(approximation > lowest, approximation, 0)


def rescaled(approximation: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Each gene's nonzero values scaled to the mean and standard deviation of its nonzero values in `logs`.

    Entries that were observed and are zero in the approximation are those of `logs`.
    """
    mean, deviation = nonzero_moments(approximation)
    wanted_mean, wanted_deviation = nonzero_moments(logs)
    known = np.isfinite(deviation) & np.isfinite(wanted_deviation) & (deviation > 0)
    slope = np.where(known, wanted_deviation, 1) / np.where(known, deviation, 1)
    shift = np.where(known, wanted_mean - mean * slope, 0)
    values = np.where(approximation != 0, np.maximum(approximation * slope + shift, 0), 0)
    return np.where((logs > 0) & (values == 0), logs, values)


def nonzero_moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column's nonzero values; NaN where they are too few."""
    nonzero = values != 0
    n = nonzero.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = values.sum(axis=0, dtype=np.float64) / n
        squares = np.where(nonzero, np.square(values - mean), 0).sum(axis=0, dtype=np.float64)
        return mean, np.sqrt(np.where(n > 1, squares / (n - 1), np.nan))
