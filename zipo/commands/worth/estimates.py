"""Ratios of sums over cells, with normal intervals."""

from typing import NamedTuple

import numpy as np

QUANTILE = 1.959964
"""Of the normal distribution: an interval of so many standard errors to both sides holds 95 %."""


class Estimate(NamedTuple):
    """A value and its 95 % interval over cells."""

    value: float
    low: float
    high: float

    @property
    def in_percent(self) -> str:
        """The value and its interval, as in 12.3 % (11.0 to 13.6)."""
        return f"{100 * self.value:.1f} % ({100 * self.low:.1f} to {100 * self.high:.1f})"


def ratio(numerators: np.ndarray, denominators: np.ndarray) -> Estimate:
    """Sum of the numerators over the sum of the denominators, both (cells,).

    The cells count as a random sample; the standard error is that of the ratio's linear approximation.
    """
    value = float(numerators.sum() / denominators.sum())
    error = float(ratio_error(np.square(numerators - value * denominators).sum(), denominators.sum(), len(numerators)))
    return Estimate(value, value - QUANTILE * error, value + QUANTILE * error)


def ratio_error(squares: np.ndarray, total: np.ndarray, cells: int) -> np.ndarray:
    """Standard error of a ratio from the sum of squared residuals and the sum of the denominators, of any shape."""
    return np.sqrt(squares * cells / max(cells - 1, 1)) / total
