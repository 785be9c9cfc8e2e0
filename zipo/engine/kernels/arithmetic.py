"""Exponentials, logarithms and tails of gamma functions, inlined into the loops of the kernels.

The single-precision ones, whose names end in 32, are polynomials (Cephes library): the compiler turns them into vector
instructions, for which it has no exponentials and logarithms of its own.
"""

from math import exp, log, log1p

import numpy as np

from zipo.engine.kernels.compiling import inner

LOG_COUNTS = np.log(np.maximum(np.arange(512.0), 1))  # of small counts, looked up
LOG2_E = np.float32(1.44269504)
LN2, LN2_HIGH, LN2_LOW = np.float32(0.693147181), np.float32(0.693359375), np.float32(-2.12194440e-4)
ROOT_HALF, ROOT_TWO = np.float32(0.70710678), np.float32(1.41421356)
ROUNDS = np.float32(12582912)  # 1.5 x 2^23: adding and subtracting it rounds to whole numbers
ZERO, HALF, ONE, TWO = (np.float32(number) for number in (0, 0.5, 1, 2))
EXP = tuple(np.float32(c) for c in (1.9875691e-4, 1.3981999e-3, 8.3334519e-3, 4.1665796e-2, 0.16666666, 0.5))
LOG = tuple(
    np.float32(c)
    for c in (
        7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
        2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )
)  # fmt: skip


@inner
def exp32(x):
    """e^x, for x from -88 to 89, to which others are cut."""
    x = max(min(x, np.float32(89)), np.float32(-88))
    rounded = (x * LOG2_E + ROUNDS) - ROUNDS
    r = x - rounded * LN2_HIGH - rounded * LN2_LOW
    p = ((((EXP[0] * r + EXP[1]) * r + EXP[2]) * r + EXP[3]) * r + EXP[4]) * r + EXP[5]
    return (p * r * r + r + ONE) * np.int32((np.int32(rounded) + 127) << 23).view(np.float32)


@inner
def log32(y):
    """log y, for y from 1/2 to 2."""
    exponent = (ONE if y > ROOT_TWO else ZERO) - (ONE if y < ROOT_HALF else ZERO)
    y *= HALF if y > ROOT_TWO else (TWO if y < ROOT_HALF else ONE)
    x = y - ONE
    p = LOG[0]
    for c in LOG[1:]:
        p = p * x + c
    return exponent * LN2 + (x - HALF * x * x + x * x * x * p)


@inner
def log1p32(e):
    """log(1 + e), for e from 0 to 1, to the precision of the result."""
    y = ONE + e
    return log32(y) + (e - (y - ONE)) / y


@inner
def softplus(x):
    """log(1 + e^x), in double precision."""
    return max(x, 0.0) + log1p(exp(-abs(x)))


@inner
def log_count(x):
    """log x of a count x >= 1, and 0 of 0, in double precision."""
    return LOG_COUNTS[int(x)] if x < len(LOG_COUNTS) else log(x)


@inner
def stirling_tail(x):
    """log Gamma(x) less [(x - 1/2) log x - x + log(2 pi) / 2], x >= 16."""
    i = 1 / (x * x)
    return (1 / 12 - i * (1 / 360 - i * (1 / 1260 - i / 1680))) / x


@inner
def digamma_tail(x):
    """digamma(x) less [log x - 1 / 2x], x >= 16."""
    i = 1 / (x * x)
    return -i * (1 / 12 - i * (1 / 120 - i * (1 / 252 - i / 240)))
