"""t tests of paired and unpaired numbers, Holm's correction, and the number of seeds that a test needs."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

LEVEL = 0.05
"""Error rate of a verdict, within a figure."""
POWER = 0.8
"""Chance of finding an effect that matters; the number of seeds needed is computed for it."""
MOST_SEEDS = 10**6


def p_greater(values: np.ndarray, bound: float = 0.0) -> float:
    """p of a one-sided t test that the mean of `values` (n) exceeds the bound; NaN below two values.

    Values that are all the same have no spread: p is then 0 above the bound, 1 below it and 1/2 at it.
    """
    if len(values) < 2:
        return math.nan
    distance = float(np.mean(values)) - bound
    error = float(stats.sem(values))
    if error == 0:
        return 0.5 * (1.0 - float(np.sign(distance)))
    return float(stats.t.sf(distance / error, len(values) - 1))


def p_equivalent(values: np.ndarray, margin: float) -> float:
    """p of two one-sided t tests that the mean lies within -margin and margin (Schuirmann 1987, 10.1007/BF01068419)."""
    return max(p_greater(values, -margin), p_greater(-values, -margin))


def p_beyond(values: np.ndarray, margin: float) -> float:
    """p of a two-sided t test that the mean lies outside of -margin and margin."""
    return min(1.0, 2 * min(p_greater(values, margin), p_greater(-values, margin)))


def p_welch(first: np.ndarray, second: np.ndarray) -> float:
    """p of Welch's one-sided t test, unpaired, that the mean of `first` exceeds that of `second`."""
    error, freedom = welch(first, second)
    if not error > 0:  # no spread, or NaN
        return math.nan
    return float(stats.t.sf((np.mean(first) - np.mean(second)) / error, freedom))


def welch(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Standard error and degrees of freedom of a difference of means (Welch 1947, 10.1093/biomet/34.1-2.28)."""
    if min(len(first), len(second)) < 2:
        return math.nan, math.nan
    squares = [0.0 if np.ptp(values) == 0 else float(stats.sem(values)) ** 2 for values in (first, second)]
    if not any(squares):
        return 0.0, math.nan
    parts = [square**2 / (len(values) - 1) for square, values in zip(squares, (first, second), strict=True)]
    return math.sqrt(sum(squares)), sum(squares) ** 2 / sum(parts)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % confidence interval of the mean; NaN below two values."""
    if len(values) < 2:
        return math.nan, math.nan
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return float(np.mean(values) - half), float(np.mean(values) + half)


def holm(p: Sequence[float]) -> np.ndarray:
    """p-values corrected by Holm (1979) for the number of those that are not NaN, which stay NaN."""
    values = np.asarray(p, dtype=float)
    corrected = np.full(len(values), math.nan)
    present = np.flatnonzero(~np.isnan(values))
    order = present[np.argsort(values[present], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(factors * values[order]))
    return corrected


def seeds_needed(effect: float, spread: float, level: float = LEVEL, power: float = POWER) -> int | None:
    """The seeds at which a one-sided paired t test finds a mean of `effect` with this power.

    `spread` is the standard deviation of the seeds' differences, in the units of `effect`. None beyond a million.
    """
    if effect <= 0 or not math.isfinite(spread):
        return None
    if spread == 0:
        return 2

    def suffices(n: int) -> bool:
        shift = effect / spread * math.sqrt(n)
        # the noncentral t has no finite value far out, where nothing is missed any more
        missed = stats.nct.cdf(stats.t.isf(level, n - 1), n - 1, shift) if shift < 30 * n else 0.0
        return bool(1 - missed >= power)

    high = 2
    while not suffices(high):
        high *= 2
        if high > MOST_SEEDS:
            return None
    low = max(2, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return high
