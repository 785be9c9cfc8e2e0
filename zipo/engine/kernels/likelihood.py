"""Likelihood of a batch and its gradients with respect to the decoder's outputs.

A cell's genes are taken in blocks that stay in the cache. Every entry is first scored as a zero, in single precision
and by vector instructions; then the block's positive counts, which are few, are corrected one by one in double
precision. Results are sums over each cell's genes and, on request, the gradients: nothing between the decoder's
outputs and those is stored for more than a block.

Notation is that of zipo.engine.likelihoods, to which tests hold these loops.
"""

from math import exp, log, log1p

import numpy as np

from zipo.engine.kernels.arithmetic import (
    ONE,
    TWO,
    ZERO,
    digamma_tail,
    exp32,
    log1p32,
    log_count,
    softplus,
    stirling_tail,
)  # fmt: skip
from zipo.engine.kernels.compiling import compiled, inner

BLOCK = 512  # genes at a time
TERMS = 16  # of a sum over the whole numbers below a count, before an expansion takes over
THETA_LIMIT = np.float32(30)  # as in zipo.engine.likelihoods


@compiled
def nll_and_gradients(first, last, counts, decoded, by_rate, weights, sums, gradients):
    """Sums over the entries of each cell from first to last, NLL among them, and the gradients of their weighted sum.

    counts: the positive ones in CSR with ascending columns, as starts, columns, values, their count_constant.
    decoded: log library (cells,), logits of the proportions (cells, genes), zero logits, and dispersion; of no genes
    where the likelihood has none. Dispersion may have one row for all cells; it is theta if `by_rate`, else
    log(1 / size). weights: of nll, z_squared, dispersion_squared and rates_error in the loss. sums: (cells, 6), to be
    filled in the order of zipo.engine.loss.Sums. gradients: by the four of decoded, to be filled, that by dispersion
    with a row a cell; of no cells if they are not wanted. An array of decoded may itself be filled, as nothing of an
    entry is read once its gradient is written.
    """
    starts, columns, values, constant = counts
    log_library, logits, zero_logits, dispersion = decoded
    on_nll, on_zero, on_dispersion, on_rates = weights
    by_library, by_logits, by_zero, by_dispersion = gradients
    inflated, overdispersed, learn = zero_logits.shape[1] > 0, dispersion.shape[1] > 0, len(by_library) > 0
    genes = logits.shape[1]
    lanes, space = np.empty((7, BLOCK), np.float32), np.empty((9, BLOCK), np.float32)
    row = np.empty(genes if learn else 0, np.float32)  # the gradients by a cell's log proportions
    corrected = np.empty(3)  # of one entry: log-probability, and its gradients by log rate and theta
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
            extra = dispersion[cell if len(dispersion) > 1 else 0, low:high] if overdispersed else theta
            r = space[8, :n] if inflated else z

            _exponentials(m, logits[cell, low:high], shift)
            if overdispersed:
                _theta(theta, extra, logits[cell, low:high], ZERO if by_rate else ONE, shift)
                _binomial_zero(f, f_theta, m, theta)
                _add_square(lanes[3, :n], extra)
            else:
                _negative(f, m)
            if inflated:
                _copy(r, zero_logits[cell, low:high])
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
                _by_rate(row[low:high], base, f, m, on_nll, on_rates)
                if inflated:
                    _by_zero_logit(by_zero[cell, low:high], base, z, on_nll, on_zero)
                if overdispersed:
                    _by_theta(f_theta, base, theta, on_nll)

            while entry < end and columns[entry] < high:
                i, x = columns[entry] - low, np.float64(values[entry])
                rate, zero_probability = np.float64(m[i]), np.float64(z[i])
                log_rate = np.float64(logits[cell, low + i]) + np.float64(shift)
                if overdispersed:
                    _binomial_positive(corrected, x, log_rate, np.float64(theta[i]))
                else:
                    corrected[0] = x * (log_rate - log_count(x)) - (rate - x)
                    corrected[1] = x - rate
                nll += as_zero[i] - (corrected[0] - constant[entry] - soft[i] - max(r[i], ZERO))
                rates_error += (rate - x) ** 2 - rate**2
                mean = (1 - zero_probability) * rate
                means_error += (mean - x) ** 2 - mean**2
                if learn:
                    g = on_rates * 2 * (rate - x) * rate - on_nll * corrected[1]
                    row[low + i] = g
                    if inflated:
                        q = zero_probability
                        by_zero[cell, low + i] = on_nll * q + on_zero * 2 * q * q * (1 - q)
                    if overdispersed:
                        f_theta[i] = -on_nll * corrected[2] if abs(theta[i]) < THETA_LIMIT else 0.0
                entry += 1

            if learn:
                if overdispersed:
                    if not by_rate:
                        _add(row[low:high], f_theta)
                    _add_by_dispersion(f_theta, extra, on_dispersion)
                    _copy(by_dispersion[cell, low:high], f_theta)
                _add(lanes[6, :n], row[low:high])

        sums[cell, 0] = _total(lanes[0]) + nll
        sums[cell, 1], sums[cell, 2], sums[cell, 3] = _total(lanes[1]), _total(lanes[2]), _total(lanes[3])
        sums[cell, 4], sums[cell, 5] = _total(lanes[4]) + rates_error, _total(lanes[5]) + means_error
        if learn:
            by_library[cell] = _total(lanes[6])
            for low in range(0, genes, BLOCK):
                high = min(genes, low + BLOCK)
                _through_softmax(row[low:high], logits[cell, low:high], log_total, by_library[cell])
                _copy(by_logits[cell, low:high], row[low:high])  # apart: loops on arrays that overlap are slow


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
        out[i] += exp32(logits[i] - most)


@inner
def _exponentials(out, logits, shift):
    for i in range(len(out)):
        out[i] = exp32(logits[i] + shift)


@inner
def _through_softmax(gradient, logits, log_total, total):
    for i in range(len(gradient)):
        gradient[i] -= exp32(logits[i] - log_total) * total


@inner
def _copy(out, values):
    for i in range(len(out)):
        out[i] = values[i]


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
        e = exp32(-abs(theta[i]))
        size = m[i] * exp32(-theta[i])
        f[i] = -size * (max(theta[i], ZERO) + log1p32(e))
        f_theta[i] = -f[i] - size * (ONE if theta[i] > ZERO else e) / (ONE + e)


@inner
def _mixture_exponentials(of_base, of_zero, f, r):
    for i in range(len(f)):
        of_base[i] = exp32(-abs(r[i] - f[i]))
        of_zero[i] = exp32(-abs(r[i]))


@inner
def _log1ps(out, of_zero):
    for i in range(len(out)):
        out[i] = log1p32(of_zero[i])


@inner
def _mixture_zero(out, of_base, soft, f, r):
    """log(z + (1 - z) e^f), where log(1 - z) = -soft - max(r, 0)."""
    for i in range(len(f)):
        out[i] = (max(r[i], f[i]) - max(r[i], ZERO)) + (log1p32(of_base[i]) - soft[i])


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
def _add_by_dispersion(out, dispersion, on_dispersion):
    for i in range(len(out)):
        out[i] += TWO * on_dispersion * dispersion[i]


@inner
def _binomial_positive(out, x, log_m, theta):
    """log NB(x) plus count_constant, and its gradients by the log rate and by theta, to `out`."""
    size, plus = max(exp(log_m - theta), 1e-30), softplus(theta)
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
        logs += stirling_tail(last) - stirling_tail(first)
        reciprocals += step + 0.5 * (1 / first - 1 / last) + digamma_tail(last) - digamma_tail(first)
    share = 1 / (1 + exp(-theta))
    out[0] = logs + x * (log_m - log_count(x)) - size * plus + x
    out[1] = size * (reciprocals - plus)
    out[2] = x * (1 - share) - size * share - out[1]
