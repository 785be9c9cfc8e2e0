"""Distributions of counts from arrays of their parameters: Poisson, NB, ZIP and ZINB, without torch.

Splitting molecules keeps the family: x ~ Poisson(m) gives training counts Poisson(p m) and, independent of them,
held-out counts Poisson(q m), q = 1 - p. An NB keeps its size, and its held-out counts depend on the training
counts through the gamma variable they share. Zero inflation takes all molecules of an entry, training and held out.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, gammaln, pdtr, xlogy

SMALLEST_MEAN = 1e-6
"""Lower means are raised to this, so that a count where none was expected costs much, but not infinitely much."""
SMALLEST_SIZE, LARGEST_SIZE = 1e-10, 1e8  # beyond, NB is Poisson to float64, but gamma functions cancel


@dataclass
class Distribution:
    """Counts of every entry of a chunk; float64 (cells, genes), size also (genes,)."""

    rates: np.ndarray
    """Means before zero inflation."""
    zero_probability: np.ndarray | None = None
    """Zero inflation z, if there is any."""
    size: np.ndarray | None = None
    """NB size, if there is overdispersion; the variance is m + m^2 / size."""

    def __post_init__(self) -> None:
        self.rates = np.maximum(self.rates, SMALLEST_MEAN)
        if self.size is not None:
            self.size = np.broadcast_to(np.clip(self.size, SMALLEST_SIZE, LARGEST_SIZE), self.rates.shape)

    @property
    def means(self) -> np.ndarray:
        """Means, zero inflation included."""
        return self.rates if self.zero_probability is None else (1 - self.zero_probability) * self.rates

    def log_prob_zero(self) -> np.ndarray:
        """Log-probability of a zero count, for every entry."""
        base, z = self._base_zero(), self.zero_probability
        if z is None:
            return base
        with np.errstate(divide="ignore"):  # z of 0 or 1 leaves one of the two
            return np.logaddexp(np.log(z), np.log1p(-z) + base)

    def log_prob_positive(self, at: tuple[np.ndarray, np.ndarray], counts: np.ndarray) -> np.ndarray:
        """Log-probability of counts >= 1 at some entries, given by their rows and columns."""
        m = self.rates[at]
        if self.size is None:
            log_prob = counts * np.log(m) - m - gammaln(counts + 1)
        else:
            r = self.size[at]
            log_prob = gammaln(counts + r) - gammaln(r) - gammaln(counts + 1)
            log_prob += counts * np.log(m / (r + m)) - r * np.log1p(m / r)
        if self.zero_probability is None:
            return log_prob
        return log_prob + np.log1p(-np.minimum(self.zero_probability[at], 1 - SMALLEST_MEAN))

    def cdf(self, counts: np.ndarray) -> np.ndarray:
        """Probability of at most that many counts, for every entry; zero for -1."""
        below = np.maximum(counts, 0)
        if self.size is None:
            base = pdtr(below, self.rates)
        else:
            base = betainc(self.size, below + 1, self.size / (self.size + self.rates))
        if self.zero_probability is not None:
            base = self.zero_probability + (1 - self.zero_probability) * base
        return np.where(counts < 0, 0.0, base)

    def held_out_zero_probability(self, training: np.ndarray) -> np.ndarray | None:
        """Zero inflation z' given the training counts: z / (z + (1 - z) Pr(0)) where they are zero, else none."""
        if self.zero_probability is None:
            return None
        # where zeros come from inflation alone, rounding takes the quotient beyond one
        certain = np.minimum(self.zero_probability / np.exp(self.log_prob_zero()), 1.0)
        return np.where(training > 0, 0.0, certain)

    def held_out(self, training: np.ndarray, odds: float) -> "Distribution":
        """The distribution of the held-out counts, this one being that of the training counts; odds = q / p."""
        rates, size = odds * self.rates, self.size
        if size is not None:
            rates = rates * (size + training) / (size + self.rates)
            size = size + training
        return Distribution(rates, self.held_out_zero_probability(training), size)

    def _base_zero(self) -> np.ndarray:
        """Log-probability of a zero that no inflation made."""
        return -self.rates if self.size is None else -self.size * np.log1p(self.rates / self.size)


def poisson_deviance(*, observed: np.ndarray, predicted: np.ndarray) -> float:
    """Poisson deviance of counts from expected counts, summed over all entries; see `poisson_deviances`."""
    return float(poisson_deviances(observed=observed, predicted=predicted).sum())


def poisson_deviances(*, observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Poisson deviance 2 [x log(x / y) - x + y] of every count x from its expected count y.

    By keyword only: with the two swapped, all zeros would beat the truth.
    """
    predicted = np.maximum(predicted, SMALLEST_MEAN)
    return 2 * (xlogy(observed, observed / predicted) - observed + predicted)
