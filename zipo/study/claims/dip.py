"""Hartigan's dip: how far a sample is from any distribution of one mode, and its test."""

from functools import cache
from typing import Any

import numpy as np

NULLS = 1000
"""Uniform samples that the test compares with, in addition to the sample itself."""
LARGEST_NULL = 2000
"""Size of the uniform samples at most; from then on the dip shrinks by the square root of the size."""


def dip(values: np.ndarray) -> float:
    """The greatest distance of the empirical distribution from the nearest unimodal one (10.1214/aos/1176346577)."""
    if len(values) < 4 or np.ptp(values) == 0:
        return 0.5 / len(values)
    return float(_compiled()(np.sort(values).astype(float)))


def p_unimodal(observed: float, count: int, rng: np.random.Generator) -> float:
    """p of the dip test that `count` values of one mode have a dip as large as was observed.

    The uniform distribution has the largest dips of those of one mode, asymptotically. p is at least 1 / 1,001.
    """
    size = min(count, LARGEST_NULL)
    nulls = np.array([dip(rng.uniform(size=size)) for _ in range(NULLS)]) * np.sqrt(size / count)
    return float((1 + np.sum(nulls >= observed)) / (1 + NULLS))


@cache
def _compiled() -> Any:
    from numba import njit

    return njit(_dip_of_sorted)


def _dip_of_sorted(x: np.ndarray) -> float:
    """The dip of sorted values (n) by algorithm AS 217 (10.2307/2347485), with its later corrections.

    The interval of the mode shrinks to where the convex minorant before it and the concave majorant after it are
    furthest apart, until the distances of the distribution from these, outside of the interval, exceed that.
    """
    n = len(x)
    minorant, majorant = np.zeros(n, np.int64), np.full(n, n - 1)  # the point before, and after, each on the hull
    for j in range(1, n):
        k = j - 1
        while k > 0 and (x[j] - x[k]) * (k - minorant[k]) >= (x[k] - x[minorant[k]]) * (j - k):
            k = minorant[k]
        minorant[j] = k
    for j in range(n - 2, -1, -1):
        k = j + 1
        while k < n - 1 and (x[j] - x[k]) * (k - majorant[k]) >= (x[k] - x[majorant[k]]) * (j - k):
            k = majorant[k]
        majorant[j] = k
    low, high, largest = 0, n - 1, 1.0
    lower, upper = np.empty(n, np.int64), np.empty(n, np.int64)
    while True:
        lower[0], last_lower = high, 0  # the minorant's points from high down to low
        while lower[last_lower] > low:
            lower[last_lower + 1] = minorant[lower[last_lower]]
            last_lower += 1
        upper[0], last_upper = low, 0  # the majorant's from low up to high
        while upper[last_upper] < high:
            upper[last_upper + 1] = majorant[upper[last_upper]]
            last_upper += 1
        from_lower, from_upper, apart = last_lower, last_upper, 0.0
        if last_lower == 1 and last_upper == 1:
            apart = 1.0
        else:
            i, k = last_lower - 1, 1
            while True:
                if lower[i] > upper[k]:
                    a, b, at = lower[i + 1], lower[i], upper[k]
                    distance = (at - a + 1) - (x[at] - x[a]) * (b - a) / (x[b] - x[a])
                    k += 1
                    if distance >= apart:
                        apart, from_lower, from_upper = distance, i + 1, k - 1
                else:
                    a, b, at = upper[k - 1], upper[k], lower[i]
                    distance = (x[at] - x[a]) * (b - a) / (x[b] - x[a]) - (at - a - 1)
                    i -= 1
                    if distance >= apart:
                        apart, from_lower, from_upper = distance, i + 1, k
                i, k = max(i, 0), min(k, last_upper)
                if lower[i] == upper[k]:
                    break
        if apart < largest:
            break
        for j in range(from_lower, last_lower):
            a, b = lower[j + 1], lower[j]
            if b - a > 1 and x[b] != x[a]:
                slope = (b - a) / (x[b] - x[a])
                for at in range(a, b + 1):
                    largest = max(largest, (at - a + 1) - (x[at] - x[a]) * slope)
        for j in range(from_upper, last_upper):
            a, b = upper[j], upper[j + 1]
            if b - a > 1 and x[b] != x[a]:
                slope = (b - a) / (x[b] - x[a])
                for at in range(a, b + 1):
                    largest = max(largest, (x[at] - x[a]) * slope - (at - a - 1))
        if low == lower[from_lower] and high == upper[from_upper]:
            break
        low, high = lower[from_lower], upper[from_upper]
    return largest / (2 * n)
