"""How well a batch fits what the decoder says of it, entry by entry.

A cell's genes are taken in blocks that stay in the cache. Every entry is first met as a zero, in single precision and
by vector instructions, for which exponentials and logarithms are polynomials here; then the block's positive counts,
which are few, are put right one by one in double precision. What comes out is sums over each cell's genes and, if
asked for, the gradients: nothing between the decoder's outputs and those is stored for more than a block.

Notation is that of zipo.engine.likelihoods, to which tests hold these loops.
"""

from math import exp, log, log1p

import numpy as np
from numba import njit

from zipo.engine.kernels.compiling import compiled

BLOCK = 512  # genes at a time
TERMS = 16  # of a sum over the whole numbers below a count, before an expansion takes over
LOG_COUNTS = np.log(np.maximum(np.arange(512.0), 1))  # of small counts, looked up
THETA_LIMIT = np.float32(30)  # as in zipo.engine.likelihoods

LOG2_E = np.float32(1.44269504)
LN2, LN2_HIGH, LN2_LOW = np.float32(0.693147181), np.float32(0.693359375), np.float32(-2.12194440e-4)
ROOT_HALF, ROOT_TWO = np.float32(0.70710678), np.float32(1.41421356)
WHOLE = np.float32(12582912)  # 1.5 x 2^23: adding and subtracting it rounds to whole numbers
ZERO, HALF, ONE, TWO = (np.float32(number) for number in (0, 0.5, 1, 2))
EXP = tuple(np.float32(c) for c in (1.9875691e-4, 1.3981999e-3, 8.3334519e-3, 4.1665796e-2, 0.16666666, 0.5))
LOG = tuple(
    np.float32(c)
    for c in (
        7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
        2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )
)  # fmt: skip

inner = njit(error_model="numpy")


@compiled
def fit(first, last, counts, decoded, by_rate, weights, sums, gradients):
    """Sums over the entries of each cell from first to last, and the gradients of their weighted sum.

    counts: the positive ones in CSR with ascending columns, as starts, columns, values, their count_constant.
    decoded: log library (cells,), logits of the proportions (cells, genes), zero logits, and dispersion; of no genes
    where the likelihood has none. Dispersion may have one row for all cells; it is theta if `by_rate`, else
    log(1 / size). weights: of nll, z_squared, dispersion_squared and rates_error in the loss. sums: (cells, 6), to be
    filled in the order of zipo.engine.fit.Sums. gradients: by the four of decoded, to be filled, that by dispersion
    with a row a cell; of no cells if they are not wanted.
    """
    starts, columns, values, constant = counts
    log_library, logits, zero_logits, dispersion = decoded
    on_nll, on_zero, on_dispersion, on_rates = weights
    by_library, by_logits, by_zero, by_dispersion = gradients
    inflated, overdispersed, learn = zero_logits.shape[1] > 0, dispersion.shape[1] > 0, len(by_library) > 0
    genes = logits.shape[1]
    lanes, space = np.empty((7, BLOCK), np.float32), np.empty((8, BLOCK), np.float32)
    put_right = np.empty(3)  # of one entry: log-probability, and its gradients by log rate and theta
    for cell in range(first, last):
        log_total = _log_sum_exp(logits[cell], lanes)
        shift = log_library[cell] - log_total
        lanes[:] = ZERO
        nll, rates_error, means_error = 0.0, 0.0, 0.0  # what the positive counts change
        entry, end = starts[cell], starts[cell + 1]
        for low in range(0, genes, BLOCK):
            high = min(genes, low + BLOCK)
            n = high - low
            m, f, f_theta, theta = space[0, :n], space[1, :n], space[2, :n], space[3, :n]
            as_zero, base, z, soft = space[4, :n], space[5, :n], space[6, :n], space[7, :n]
            said = dispersion[cell if len(dispersion) > 1 else 0, low:high] if overdispersed else theta
            r = zero_logits[cell, low:high] if inflated else z

            _exponentials(m, logits[cell, low:high], shift)
            if overdispersed:
                _theta(theta, said, logits[cell, low:high], ZERO if by_rate else ONE, shift)
                _binomial_zero(f, f_theta, m, theta)
                _add_square(lanes[3, :n], said)
            else:
                _negative(f, m)
            if inflated:
                _mixture_exponentials(base, z, f, r)
                _log1ps(soft, z)
                _mixture_zero(as_zero, base, soft, f, r)
                _mixture_shares(base, z, f, r)
            else:
                as_zero[:], soft[:], base[:], z[:] = f, ZERO, ONE, ZERO
            _subtract(lanes[0, :n], as_zero)
            _add_with_square(lanes[1, :n], lanes[2, :n], z)
            _add_square(lanes[4, :n], m)
            _add_mean_square(lanes[5, :n], m, z)
            if learn:
                _by_rate(by_logits[cell, low:high], base, f, m, on_nll, on_rates)
                if inflated:
                    _by_zero_logit(by_zero[cell, low:high], base, z, on_nll, on_zero)
                if overdispersed:
                    _by_theta(f_theta, base, theta, on_nll)

            while entry < end and columns[entry] < high:
                i, x = columns[entry] - low, np.float64(values[entry])
                rate, zero_probability = np.float64(m[i]), np.float64(z[i])
                log_rate = np.float64(logits[cell, low + i]) + np.float64(shift)
                if overdispersed:
                    _binomial_positive(put_right, x, log_rate, np.float64(theta[i]))
                else:
                    put_right[0] = x * (log_rate - _log_count(x)) - (rate - x)
                    put_right[1] = x - rate
                nll += as_zero[i] - (put_right[0] - constant[entry] - soft[i] - max(r[i], ZERO))
                rates_error += (rate - x) ** 2 - rate**2
                mean = (1 - zero_probability) * rate
                means_error += (mean - x) ** 2 - mean**2
                if learn:
                    g = on_rates * 2 * (rate - x) * rate - on_nll * put_right[1]
                    by_logits[cell, low + i] = g
                    if inflated:
                        q = zero_probability
                        by_zero[cell, low + i] = on_nll * q + on_zero * 2 * q * q * (1 - q)
                    if overdispersed:
                        f_theta[i] = -on_nll * put_right[2] if abs(theta[i]) < THETA_LIMIT else 0.0
                entry += 1

            if learn:
                if overdispersed:
                    _by_dispersion(by_dispersion[cell, low:high], f_theta, said, on_dispersion)
                    if not by_rate:
                        _add(by_logits[cell, low:high], f_theta)
                _add(lanes[6, :n], by_logits[cell, low:high])

        sums[cell, 0] = _total(lanes[0]) + nll
        sums[cell, 1], sums[cell, 2], sums[cell, 3] = _total(lanes[1]), _total(lanes[2]), _total(lanes[3])
        sums[cell, 4], sums[cell, 5] = _total(lanes[4]) + rates_error, _total(lanes[5]) + means_error
        if learn:
            by_library[cell] = _total(lanes[6])
            for low in range(0, genes, BLOCK):
                high = min(genes, low + BLOCK)
                _through_softmax(by_logits[cell, low:high], logits[cell, low:high], log_total, by_library[cell])


@inner
def _exp(x):
    x = max(min(x, np.float32(89)), np.float32(-88))
    whole = (x * LOG2_E + WHOLE) - WHOLE
    r = x - whole * LN2_HIGH - whole * LN2_LOW
    p = ((((EXP[0] * r + EXP[1]) * r + EXP[2]) * r + EXP[3]) * r + EXP[4]) * r + EXP[5]
    return (p * r * r + r + ONE) * np.int32((np.int32(whole) + 127) << 23).view(np.float32)


@inner
def _log(y):
    """Of a number from 1/2 to 2."""
    exponent = (ONE if y > ROOT_TWO else ZERO) - (ONE if y < ROOT_HALF else ZERO)
    y *= HALF if y > ROOT_TWO else (TWO if y < ROOT_HALF else ONE)
    x = y - ONE
    p = LOG[0]
    for c in LOG[1:]:
        p = p * x + c
    return exponent * LN2 + (x - HALF * x * x + x * x * x * p)


@inner
def _log1p(e):
    """Of a number from 0 to 1, to its own precision."""
    y = ONE + e
    return _log(y) + (e - (y - ONE)) / y


@inner
def _log_sum_exp(logits, lanes):
    top, part = lanes[0], lanes[1]
    top[:], part[:] = -np.inf, ZERO
    for low in range(0, len(logits), BLOCK):
        high = min(len(logits), low + BLOCK)
        _largest(top[: high - low], logits[low:high])
    most = top.max()
    for low in range(0, len(logits), BLOCK):
        high = min(len(logits), low + BLOCK)
        _add_exponentials(part[: high - low], logits[low:high], most)
    return most + np.float32(log(_total(part)))


@inner
def _largest(top, values):
    for i in range(len(top)):
        top[i] = values[i] if values[i] > top[i] else top[i]


@inner
def _add_exponentials(out, logits, most):
    for i in range(len(out)):
        out[i] += _exp(logits[i] - most)


@inner
def _exponentials(out, logits, shift):
    for i in range(len(out)):
        out[i] = _exp(logits[i] + shift)


@inner
def _through_softmax(gradient, logits, log_total, total):
    for i in range(len(gradient)):
        gradient[i] -= _exp(logits[i] - log_total) * total


@inner
def _negative(out, values):
    for i in range(len(out)):
        out[i] = -values[i]


@inner
def _add(out, values):
    for i in range(len(out)):
        out[i] += values[i]


@inner
def _subtract(out, values):
    for i in range(len(out)):
        out[i] -= values[i]


@inner
def _add_square(out, values):
    for i in range(len(out)):
        out[i] += values[i] * values[i]


@inner
def _add_with_square(out, squares, values):
    for i in range(len(out)):
        out[i] += values[i]
        squares[i] += values[i] * values[i]


@inner
def _add_mean_square(out, m, z):
    for i in range(len(out)):
        mean = (ONE - z[i]) * m[i]
        out[i] += mean * mean


@inner
def _total(lanes):
    """The sum of BLOCK numbers, a power of two of them, which are changed."""
    half = BLOCK // 2
    while half >= 8:
        _add(lanes[:half], lanes[half : 2 * half])
        half //= 2
    total = 0.0
    for i in range(8):
        total += lanes[i]
    return total


@inner
def _theta(theta, dispersion, logits, on_log_rate, shift):
    for i in range(len(theta)):
        value = dispersion[i] + on_log_rate * (logits[i] + shift)
        theta[i] = max(min(value, THETA_LIMIT), -THETA_LIMIT)


@inner
def _binomial_zero(f, f_theta, m, theta):
    """log NB(0) = -size log(1 + e^theta), and its gradient by theta; that by the log rate is itself."""
    for i in range(len(f)):
        e = _exp(-abs(theta[i]))
        size = m[i] * _exp(-theta[i])
        f[i] = -size * (max(theta[i], ZERO) + _log1p(e))
        f_theta[i] = -f[i] - size * (ONE if theta[i] > ZERO else e) / (ONE + e)


@inner
def _mixture_exponentials(of_base, of_zero, f, r):
    for i in range(len(f)):
        of_base[i] = _exp(-abs(r[i] - f[i]))
        of_zero[i] = _exp(-abs(r[i]))


@inner
def _log1ps(out, of_zero):
    for i in range(len(out)):
        out[i] = _log1p(of_zero[i])


@inner
def _mixture_zero(out, of_base, soft, f, r):
    """log(z + (1 - z) e^f), where log(1 - z) = -soft - max(r, 0)."""
    for i in range(len(f)):
        out[i] = (max(r[i], f[i]) - max(r[i], ZERO)) + (_log1p(of_base[i]) - soft[i])


@inner
def _mixture_shares(base, z, f, r):
    """From their exponentials, the probabilities that a zero comes from the base, and z."""
    for i in range(len(f)):
        base[i] = (base[i] if r[i] > f[i] else ONE) / (ONE + base[i])
        z[i] = (ONE if r[i] > ZERO else z[i]) / (ONE + z[i])


@inner
def _by_rate(out, base, f, m, on_nll, on_rates):
    for i in range(len(out)):
        out[i] = TWO * on_rates * m[i] * m[i] - on_nll * base[i] * f[i]


@inner
def _by_zero_logit(out, base, z, on_nll, on_zero):
    for i in range(len(out)):
        out[i] = on_nll * (base[i] + z[i] - ONE) + TWO * on_zero * z[i] * z[i] * (ONE - z[i])


@inner
def _by_theta(f_theta, base, theta, on_nll):
    for i in range(len(f_theta)):
        f_theta[i] = -on_nll * base[i] * f_theta[i] if abs(theta[i]) < THETA_LIMIT else ZERO


@inner
def _by_dispersion(out, by_theta, dispersion, on_dispersion):
    for i in range(len(out)):
        out[i] = by_theta[i] + TWO * on_dispersion * dispersion[i]


@inner
def _log_count(x):
    return LOG_COUNTS[int(x)] if x < len(LOG_COUNTS) else log(x)


@inner
def _softplus(x):
    return max(x, 0.0) + log1p(exp(-abs(x)))


@inner
def _binomial_positive(out, x, log_m, theta):
    """log NB(x) plus count_constant, and its gradients by the log rate and by theta, to `out`."""
    size, plus = max(exp(log_m - theta), 1e-30), _softplus(theta)
    log_all = log_m + plus - theta  # log(size + m)
    terms = min(x, TERMS)
    logs, reciprocals, product = 0.0, 0.0, 1.0
    for k in range(int(terms)):
        product *= size + k
        reciprocals += 1 / (size + k)
        if k % 4 == 3:
            logs += log(product)
            product = 1.0
    logs += log(product) - terms * log_all
    if x > terms:
        first, last = size + terms, size + x
        step = log1p((x - terms) / first)
        logs += (first - 0.5) * step - (x - terms) + (x - terms) * (log(last) - log_all)
        logs += _tail(last) - _tail(first)
        reciprocals += step + 0.5 * (1 / first - 1 / last) + _slope(last) - _slope(first)
    share = 1 / (1 + exp(-theta))
    out[0] = logs + x * (log_m - _log_count(x)) - size * plus + x
    out[1] = size * (reciprocals - plus)
    out[2] = x * (1 - share) - size * share - out[1]


@inner
def _tail(x):
    """What Stirling's formula leaves of log Gamma(x), x >= 16."""
    i = 1 / (x * x)
    return (1 / 12 - i * (1 / 360 - i * (1 / 1260 - i / 1680))) / x


@inner
def _slope(x):
    """What log x - 1 / 2x leaves of digamma(x), x >= 16."""
    i = 1 / (x * x)
    return -i * (1 / 12 - i * (1 / 120 - i * (1 / 252 - i / 240)))
