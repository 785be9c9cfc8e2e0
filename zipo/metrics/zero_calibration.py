"""Calibration of a method's own distribution: the share of zeros of each gene, and the PIT of all counts.

A method without a distribution of its own is taken as Poisson with its denoised counts as means.
"""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import ENTRIES, chunks, dense

title = "Calibration of zeros and counts"
measures = {"zero_calibration": "low", "pit_distance": "low"}
purpose = {"zero_calibration": "to explain the zeros and the spread of the counts"}
needs = ()

PIT_ENTRIES = 4 * ENTRIES  # distribution functions are slow; this many tell the distance to 0.001
PIT_BINS = 100


def score(case: Case) -> dict[str, float]:
    """Mean over genes of |observed - expected share of zeros|, and the distance of the randomised PIT from uniform."""
    observed, expected = zero_shares(case)
    cumulated = np.cumsum(pit_histogram(case))
    uniform = np.arange(1, PIT_BINS + 1) / PIT_BINS
    return {
        "zero_calibration": float(np.abs(observed - expected).mean()),
        "pit_distance": float(np.abs(cumulated - uniform).max()),
    }


def zero_shares(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Each gene's observed share of zeros and its expected one, the mean over cells of Pr(0)."""
    cells, genes = case.counts.shape
    observed = 1 - case.counts.getnnz(axis=0) / cells
    expected = np.zeros(genes)
    for rows in chunks(cells, genes):
        expected += np.exp(case.distribution(rows).log_prob_zero()).sum(axis=0)
    return observed, expected / cells


def pit_histogram(case: Case) -> np.ndarray:
    """Shares of the randomised probability integral transform in equal bins, (PIT_BINS,); uniform if all counts fit.

    u = F(x - 1) + v (F(x) - F(x - 1)) with v uniform (Czado 2009, doi 10.1111/j.1541-0420.2009.01191.x).
    """
    rng = np.random.default_rng(case.seed)
    cells, genes = case.counts.shape
    cells_drawn = np.sort(rng.permutation(cells)[: max(1, PIT_ENTRIES // genes)])
    bins = np.zeros(PIT_BINS)
    for part in chunks(len(cells_drawn), genes):
        distribution, x = case.distribution(cells_drawn[part]), dense(case.counts, cells_drawn[part])
        below, up_to = distribution.cdf(x - 1), distribution.cdf(x)
        u = below + rng.random(x.shape) * (up_to - below)
        bins += np.bincount(np.minimum(u.ravel() * PIT_BINS, PIT_BINS - 1).astype(int), minlength=PIT_BINS)
    return bins / bins.sum()


def curves(case: Case) -> pd.DataFrame:
    """For the plot of zeros against mean expression, a row a gene: mean, observed, expected, poisson, nb.

    poisson and nb are the shares of zeros at each gene's observed mean and the cells' observed library sizes; the NB
    has one size for all genes, fitted to the observed shares by least squares.
    """
    observed, expected = zero_shares(case)
    library = np.asarray(case.counts.sum(axis=1), dtype=np.float64).ravel()
    mean = np.asarray(case.counts.mean(axis=0), dtype=np.float64).ravel()
    # a hundred quantiles stand for all library sizes
    factors = np.quantile(library / library.mean(), (np.arange(100) + 0.5) / 100)
    rates = mean * factors[:, None]

    def nb(log_size: float) -> np.ndarray:
        return np.exp(-np.exp(log_size) * np.log1p(rates / np.exp(log_size))).mean(axis=0)

    fitted = minimize_scalar(lambda s: np.square(nb(s) - observed).sum(), bounds=(-7, 14), method="bounded").x
    return pd.DataFrame(
        {
            "mean": mean,
            "observed": observed,
            "expected": expected,
            "poisson": np.exp(-rates).mean(axis=0),
            "nb": nb(fitted),
        }
    )
