"""t tests of paired and unpaired numbers, Holm's correction, and the number of seeds that a test needs.

Losses of runs that diverged are infinite, and a difference of two such is NaN. No mean of them exists: tests are then
the exact sign test of the median, to which such runs are worse than every other (worst ranks, Lachin 1999,
10.1016/S0197-2456(99)00022-7).
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import optimize, stats

LEVEL = 0.05
"""Error rate of a verdict, within a figure."""
POWER = 0.8
"""Chance of finding an effect that matters; the number of seeds needed is computed for it."""
MOST_SEEDS = 10**6


def p_greater(values: np.ndarray, bound: float = 0.0) -> float:
    """p of a one-sided t test that the mean of `values` (n) exceeds the bound; NaN below two values.

    Values that are all the same have no spread: p is then 0 above the bound, 1 below it and 1/2 at it. With values that
    are not finite it is p of the sign test that the median exceeds the bound; NaN does not exceed it.
    """
    if len(values) < 2:
        return math.nan
    if not np.isfinite(values).all():
        return float(stats.binom.sf(np.sum(values > bound) - 1, len(values), 0.5))
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
    if min(len(first), len(second)) < 2 or not np.isfinite([*first, *second]).all():
        return math.nan, math.nan
    squares = [0.0 if np.ptp(values) == 0 else float(stats.sem(values)) ** 2 for values in (first, second)]
    if not any(squares):
        return 0.0, math.nan
    parts = [square**2 / (len(values) - 1) for square, values in zip(squares, (first, second), strict=True)]
    return math.sqrt(sum(squares)), sum(squares) ** 2 / sum(parts)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % confidence interval of the mean; NaN below two values.

    With values that are not finite it is that of the median by the sign test. NaN may then be any number.
    """
    if len(values) < 2:
        return math.nan, math.nan
    if not np.isfinite(values).all():
        rank = int(stats.binom.ppf(0.025, len(values), 0.5))  # 0: no value is low enough to be the end
        low, high = (np.sort(np.where(np.isnan(values), any_number, values)) for any_number in (-math.inf, math.inf))
        return (float(low[rank - 1]), float(high[-rank])) if rank else (-math.inf, math.inf)
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


def spread_interval(spread: float, count: int) -> tuple[float, float]:
    """The 95 % confidence interval of the standard deviation of normal numbers, of which `count` gave `spread`."""
    if count < 2:
        return math.nan, math.nan
    low, high = (spread * math.sqrt((count - 1) / stats.chi2.ppf(share, count - 1)) for share in (0.975, 0.025))
    return float(low), float(high)


def detectable(spread: float, count: int, level: float = LEVEL, power: float = POWER) -> float:
    """The mean that a one-sided paired t test of `count` seeds finds with this power; NaN without a spread.

    `spread` is the standard deviation of the seeds' differences. It is the inverse of `seeds_needed`.
    """
    if count < 2 or not math.isfinite(spread):
        return math.nan
    critical, freedom = stats.t.isf(level, count - 1), count - 1
    shift = optimize.brentq(lambda shift: stats.nct.sf(critical, freedom, shift) - power, 0, 10 + 5 * critical)
    return float(spread * shift / math.sqrt(count))


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
