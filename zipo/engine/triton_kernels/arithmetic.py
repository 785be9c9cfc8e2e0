"""Exponentials, logarithms and gamma functions for the kernels.

Those in single precision, whose names end in 32, are the polynomials (Cephes library) of
zipo.engine.kernels.arithmetic: the GPU's own approximations of e^x lose a digit where x is far from 0. Conditions are
written so that what is no number stays none, which minima and maxima on a GPU would hide.

No gamma function is evaluated for itself, since what the likelihood needs is log Gamma(s + x) - log Gamma(s), and its
derivative by s. Up to TERMS whole numbers are taken one by one; beyond, both arguments are at least TERMS = 16, and
Stirling's series is cut after four terms. Its remainder is less than the first term left out, so that the difference of
two of the same sign errs by less than 1 / (1188 x 16^9) = 1.3e-14, and its derivative by less than
1 / (132 x 16^10) = 7e-15.
"""

import triton
import triton.language as tl

TERMS = tl.constexpr(16)
LOG2_E = tl.constexpr(1.44269504)
LN2 = tl.constexpr(0.693147181)
LN2_HIGH = tl.constexpr(0.693359375)
LN2_LOW = tl.constexpr(-2.12194440e-4)
ROOT_HALF = tl.constexpr(0.70710678)
ROOT_TWO = tl.constexpr(1.41421356)
ROUNDS = tl.constexpr(12582912.0)  # 1.5 x 2^23: adding and subtracting it rounds to whole numbers


@triton.jit
def exp32(x):
    """e^x, for x from -88 to 89, to which others are cut; 0 at -88."""
    x = tl.where(x > 89.0, 89.0, tl.where(x < -88.0, -88.0, x))
    rounded = (x * LOG2_E + ROUNDS) - ROUNDS
    r = x - rounded * LN2_HIGH - rounded * LN2_LOW
    p = ((((1.9875691e-4 * r + 1.3981999e-3) * r + 8.3334519e-3) * r + 4.1665796e-2) * r + 0.16666666) * r + 0.5
    # a float's exponent by its bits
    return (p * r * r + r + 1.0) * ((rounded.to(tl.int32) + 127) << 23).to(tl.float32, bitcast=True)


@triton.jit
def log32(y):
    """log y, for y from 1/2 to 2."""
    exponent = tl.where(y > ROOT_TWO, 1.0, 0.0) - tl.where(y < ROOT_HALF, 1.0, 0.0)
    x = tl.where(y > ROOT_TWO, 0.5 * y, tl.where(y < ROOT_HALF, 2.0 * y, y)) - 1.0
    p = 7.0376836292e-2 * x - 1.1514610310e-1
    p = p * x + 1.1676998740e-1
    p = p * x - 1.2420140846e-1
    p = p * x + 1.4249322787e-1
    p = p * x - 1.6668057665e-1
    p = p * x + 2.0000714765e-1
    p = p * x - 2.4999993993e-1
    p = p * x + 3.3333331174e-1
    return exponent * LN2 + (x - 0.5 * x * x + x * x * x * p)


@triton.jit
def log1p32(e):
    """log(1 + e), for e from 0 to 1, to the precision of the result."""
    y = 1.0 + e
    return log32(y) + (e - (y - 1.0)) / y


@triton.jit
def positive_part(x):
    """max(x, 0), or no number if x is none."""
    return tl.where(x < 0, 0.0, x)


@triton.jit
def log1p(e):
    """log(1 + e), for e >= 0, in double precision."""
    y = 1.0 + e
    return tl.log(y) + (e - (y - 1.0)) / y


@triton.jit
def softplus(x):
    """log(1 + e^x), in double precision."""
    return positive_part(x) + log1p(tl.exp(-tl.abs(x)))


@triton.jit
def stirling_tail(x):
    """log Gamma(x) less [(x - 1/2) log x - x + log(2 pi) / 2], x >= 16."""
    i = 1.0 / (x * x)
    return (1.0 / 12.0 - i * (1.0 / 360.0 - i * (1.0 / 1260.0 - i / 1680.0))) / x


@triton.jit
def digamma_tail(x):
    """digamma(x) less [log x - 1 / 2x], x >= 16."""
    i = 1.0 / (x * x)
    return -i * (1.0 / 12.0 - i * (1.0 / 120.0 - i * (1.0 / 252.0 - i / 240.0)))


@triton.jit
def gamma_differences(size, x, log_all):
    """log Gamma(size + x) - log Gamma(size) - x log_all, and its derivative by size but for that of log_all.

    `x` are whole numbers >= 1, all in double precision; log_all is log(size + mean), near which log(size + k) is.
    """
    terms = tl.where(x > TERMS, 1.0 * TERMS, x)
    logs = -terms * log_all
    reciprocals = tl.zeros_like(x)
    for four in tl.static_range(0, TERMS, 4):
        product = tl.full(x.shape, 1.0, tl.float64)  # of up to four numbers, and its derivative
        slope = tl.zeros_like(x)
        for k in tl.static_range(4):
            number = size + (four + k)
            taken = x > four + k
            slope = tl.where(taken, slope * number + product, slope)
            product = tl.where(taken, product * number, product)
        logs += tl.log(product)
        reciprocals += slope / product
    more = x > TERMS
    rest = tl.where(more, x - TERMS, 0.0)
    first = size + TERMS
    last = first + rest
    step = log1p(rest / first)
    tail = (first - 0.5) * step - rest + rest * (tl.log(last) - log_all) + stirling_tail(last) - stirling_tail(first)
    slope_tail = step + 0.5 * (1.0 / first - 1.0 / last) + digamma_tail(last) - digamma_tail(first)
    return logs + tl.where(more, tail, 0.0), reciprocals + tl.where(more, slope_tail, 0.0)
