"""Likelihood of a batch and its gradients with respect to the decoder's outputs, on a GPU.

As in zipo.engine.kernels.likelihood, every entry is first scored as a zero, in single precision, and the positive
counts, which are few, are corrected one by one in double precision. A program takes a block of one cell's genes, or all
positive counts of a cell. Sums are written by block and added in a fixed order, so that results repeat to the bit.

Sums are (cells, blocks + 1, 7): the six of zipo.engine.loss.Sums and that of the gradients by the log rates, of each
block of genes and, in the last place, what the positive counts change. Matrices are contiguous.
"""

import triton
import triton.language as tl

from zipo.engine.triton_kernels.arithmetic import exp32, gamma_differences, log1p32, positive_part, softplus

SUMS = tl.constexpr(7)
THETA_LIMIT = tl.constexpr(30.0)  # as in zipo.engine.likelihoods
SMALLEST_SIZE = tl.constexpr(1e-30)


@triton.jit
def block_exponentials(logits, tops, totals, genes, blocks, BLOCK: tl.constexpr):
    """The largest logit of each block of genes, and the sum of exponentials of the differences from it."""
    cell, block = tl.program_id(0), tl.program_id(1)
    gene = block * BLOCK + tl.arange(0, BLOCK)
    values = tl.load(logits + cell.to(tl.int64) * genes + gene, mask=gene < genes, other=-float("inf"))
    top = tl.max(values)
    tl.store(tops + cell * blocks + block, top)
    tl.store(totals + cell * blocks + block, tl.sum(tl.where(gene < genes, exp32(values - top), 0.0)))


@triton.jit
def log_sum_exp(tops, totals, cell, blocks, BLOCKS: tl.constexpr):
    """That of a cell's logits, from what `block_exponentials` gave."""
    block = tl.arange(0, BLOCKS)
    each = tl.load(tops + cell * blocks + block, mask=block < blocks, other=-float("inf"))
    sums = tl.load(totals + cell * blocks + block, mask=block < blocks, other=0.0)
    top = tl.max(each)
    return top + tl.log(tl.sum(sums * exp32(each - top)).to(tl.float64)).to(tl.float32)


@triton.jit
def mixture_at_zero(f, r):
    """Of log-probabilities f of a zero and zero logits r: log(z + (1 - z) e^f), the probability that a zero comes from
    the base, z, and log(1 + e^-|r|)."""
    of_base, of_zero = exp32(-tl.abs(r - f)), exp32(-tl.abs(r))
    soft = log1p32(of_zero)
    as_zero = (tl.where(r > f, r, f) - positive_part(r)) + (log1p32(of_base) - soft)
    base = tl.where(r > f, of_base, 1.0) / (1.0 + of_base)
    z = tl.where(r > 0, 1.0, of_zero) / (1.0 + of_zero)
    return as_zero, base, z, soft


@triton.jit
def clamped(theta):
    """theta within its limits, or no number if it is none."""
    return tl.where(theta > THETA_LIMIT, THETA_LIMIT, tl.where(theta < -THETA_LIMIT, -THETA_LIMIT, theta))


@triton.jit
def binomial_zero(m, theta):
    """log NB(0) = -size log(1 + e^theta), and its gradient by theta; that by the log rate is itself."""
    e = exp32(-tl.abs(theta))
    size = m * exp32(-theta)
    f = -size * (positive_part(theta) + log1p32(e))
    return f, -f - size * tl.where(theta > 0, 1.0, e) / (1.0 + e)


@triton.jit
def score_as_zeros(
    log_library, logits, zero_logits, dispersion, tops, totals, sums, by_logits, by_zero, by_dispersion,
    genes, blocks, on_nll, on_zero, on_dispersion, on_rates,
    INFLATED: tl.constexpr, OVERDISPERSED: tl.constexpr, SHARED: tl.constexpr, BY_RATE: tl.constexpr,
    LEARN: tl.constexpr, BLOCK: tl.constexpr, BLOCKS: tl.constexpr,
):  # fmt: skip
    """Sums and gradients of a block of a cell's genes, as if all counts were zero."""
    cell, block = tl.program_id(0), tl.program_id(1)
    gene = block * BLOCK + tl.arange(0, BLOCK)
    real = gene < genes
    place = cell.to(tl.int64) * genes + gene
    log_rate = tl.load(logits + place, mask=real, other=0.0)
    log_rate += tl.load(log_library + cell) - log_sum_exp(tops, totals, cell, blocks, BLOCKS)
    m = exp32(log_rate)
    out = sums + (cell * (blocks + 1) + block) * SUMS
    f = -m
    if OVERDISPERSED:
        extra = tl.load(dispersion + gene if SHARED else dispersion + place, mask=real, other=0.0)
        theta = clamped(extra) if BY_RATE else clamped(extra + log_rate)
        f, f_theta = binomial_zero(m, theta)
        tl.store(out + 3, tl.sum(tl.where(real, extra * extra, 0.0)))
    else:
        tl.store(out + 3, 0.0)
    as_zero, base, z = f, 1.0, 0.0
    if INFLATED:
        as_zero, base, z, _soft = mixture_at_zero(f, tl.load(zero_logits + place, mask=real, other=0.0))
        tl.store(out + 1, tl.sum(tl.where(real, z, 0.0)))
        tl.store(out + 2, tl.sum(tl.where(real, z * z, 0.0)))
    else:
        tl.store(out + 1, 0.0)
        tl.store(out + 2, 0.0)
    tl.store(out, tl.sum(tl.where(real, -as_zero, 0.0)))
    mean = (1.0 - z) * m
    tl.store(out + 4, tl.sum(tl.where(real, m * m, 0.0)))
    tl.store(out + 5, tl.sum(tl.where(real, mean * mean, 0.0)))
    if LEARN:
        gradient = 2.0 * on_rates * m * m - on_nll * base * f
        if INFLATED:
            tl.store(by_zero + place, on_nll * (base + z - 1.0) + 2.0 * on_zero * z * z * (1.0 - z), mask=real)
        if OVERDISPERSED:
            by_theta = tl.where(tl.abs(theta) < THETA_LIMIT, -on_nll * base * f_theta, 0.0)
            tl.store(by_dispersion + place, by_theta + 2.0 * on_dispersion * extra, mask=real)
            if not BY_RATE:
                gradient += by_theta
        tl.store(by_logits + place, gradient, mask=real)
        tl.store(out + 6, tl.sum(tl.where(real, gradient, 0.0)))


@triton.jit
def correct_positive(
    starts, columns, values, constants,
    log_library, logits, zero_logits, dispersion, tops, totals, sums, by_logits, by_zero, by_dispersion,
    genes, blocks, on_nll, on_zero, on_dispersion, on_rates,
    INFLATED: tl.constexpr, OVERDISPERSED: tl.constexpr, SHARED: tl.constexpr, BY_RATE: tl.constexpr,
    LEARN: tl.constexpr, ENTRIES: tl.constexpr, BLOCKS: tl.constexpr,
):  # fmt: skip
    """What the positive counts of a cell change in its sums; their gradients are written over those as zeros."""
    cell = tl.program_id(0)
    shift = tl.load(log_library + cell) - log_sum_exp(tops, totals, cell, blocks, BLOCKS)
    nll = tl.zeros((ENTRIES,), tl.float64)
    rates_error = tl.zeros((ENTRIES,), tl.float64)
    means_error = tl.zeros((ENTRIES,), tl.float64)
    total = tl.zeros((ENTRIES,), tl.float64)
    for begin in range(tl.load(starts + cell), tl.load(starts + cell + 1), ENTRIES):
        entry = begin + tl.arange(0, ENTRIES)
        real = entry < tl.load(starts + cell + 1)
        gene = tl.load(columns + entry, mask=real, other=0)
        x = tl.load(values + entry, mask=real, other=1.0).to(tl.float64)
        place = cell.to(tl.int64) * genes + gene
        log_m32 = tl.load(logits + place, mask=real, other=0.0) + shift
        log_m, m32 = log_m32.to(tl.float64), exp32(log_m32)
        m = m32.to(tl.float64)
        f32 = -m32
        if OVERDISPERSED:
            extra = tl.load(dispersion + gene if SHARED else dispersion + place, mask=real, other=0.0)
            theta32 = clamped(extra) if BY_RATE else clamped(extra + log_m32)
            f32, _f_theta = binomial_zero(m32, theta32)
            theta = theta32.to(tl.float64)
            size = tl.exp(log_m - theta)
            size = tl.where(size < SMALLEST_SIZE, SMALLEST_SIZE, size)
            plus = softplus(theta)
            log_all = log_m + plus - theta  # log(size + m)
            logs, reciprocals = gamma_differences(size, x, log_all)
            log_prob = logs + x * (log_m - tl.log(x)) - size * plus + x
            by_log_m = size * (reciprocals - plus)
            share = 1.0 / (1.0 + tl.exp(-theta))
            by_theta = x * (1.0 - share) - size * share - by_log_m
        else:
            log_prob = x * (log_m - tl.log(x)) - (m - x)
            by_log_m = x - m
        z = tl.zeros((ENTRIES,), tl.float64)
        as_zero = f32
        if INFLATED:
            r = tl.load(zero_logits + place, mask=real, other=0.0)
            as_zero, _base, z32, soft = mixture_at_zero(f32, r)
            z = z32.to(tl.float64)
            log_prob -= soft.to(tl.float64) + positive_part(r).to(tl.float64)
        log_prob -= tl.load(constants + entry, mask=real, other=0.0).to(tl.float64)
        mean = (1.0 - z) * m
        nll += tl.where(real, as_zero.to(tl.float64) - log_prob, 0.0)
        rates_error += tl.where(real, x * (x - 2.0 * m), 0.0)
        means_error += tl.where(real, x * (x - 2.0 * mean), 0.0)
        if LEARN:
            gradient = 2.0 * on_rates * (m - x) * m - on_nll * by_log_m
            if INFLATED:
                by_r = on_nll * z + 2.0 * on_zero * z * z * (1.0 - z)
                tl.store(by_zero + place, by_r.to(tl.float32), mask=real)
            if OVERDISPERSED:
                by_theta = tl.where(tl.abs(theta) < THETA_LIMIT, -on_nll * by_theta, 0.0)
                by_extra = by_theta + 2.0 * on_dispersion * extra.to(tl.float64)
                tl.store(by_dispersion + place, by_extra.to(tl.float32), mask=real)
                if not BY_RATE:
                    gradient += by_theta
            before = tl.load(by_logits + place, mask=real, other=0.0).to(tl.float64)
            total += tl.where(real, gradient - before, 0.0)
            tl.store(by_logits + place, gradient.to(tl.float32), mask=real)
    out = sums + (cell * (blocks + 1) + blocks) * SUMS
    tl.store(out, tl.sum(nll).to(tl.float32))
    for unchanged in tl.static_range(1, 4):
        tl.store(out + unchanged, 0.0)
    tl.store(out + 4, tl.sum(rates_error).to(tl.float32))
    tl.store(out + 5, tl.sum(means_error).to(tl.float32))
    if LEARN:
        tl.store(out + 6, tl.sum(total).to(tl.float32))


@triton.jit
def through_softmax(
    logits, tops, totals, sums, by_logits, by_library, genes, blocks, BLOCK: tl.constexpr, BLOCKS: tl.constexpr
):
    """Turn gradients by the log rates into those by the logits, and add them up to that by the log library."""
    cell, block = tl.program_id(0), tl.program_id(1)
    each = tl.arange(0, BLOCKS)
    parts = tl.load(sums + (cell * (blocks + 1) + each) * SUMS + 6, mask=each < blocks, other=0.0).to(tl.float64)
    last = tl.load(sums + (cell * (blocks + 1) + blocks) * SUMS + 6).to(tl.float64)
    total = (tl.sum(parts) + last).to(tl.float32)
    if block == 0:
        tl.store(by_library + cell, total)
    gene = block * BLOCK + tl.arange(0, BLOCK)
    real = gene < genes
    place = cell.to(tl.int64) * genes + gene
    share = exp32(tl.load(logits + place, mask=real, other=0.0) - log_sum_exp(tops, totals, cell, blocks, BLOCKS))
    tl.store(by_logits + place, tl.load(by_logits + place, mask=real, other=0.0) - share * total, mask=real)


@triton.jit
def weigh(totals, loss, on_nll, on_zero, on_dispersion, on_rates):
    """The loss from the sums over all cells; a weight of 0 takes a sum out of it, even an infinite one."""
    out = tl.full((), 0.0, tl.float64)
    if on_nll != 0:
        out += on_nll * tl.load(totals)
    if on_zero != 0:
        out += on_zero * tl.load(totals + 2)
    if on_dispersion != 0:
        out += on_dispersion * tl.load(totals + 3)
    if on_rates != 0:
        out += on_rates * tl.load(totals + 4)
    tl.store(loss, out.to(tl.float32))


@triton.jit
def scale(gradient, factor, length, BLOCK: tl.constexpr):
    """Multiply a gradient by a factor on the GPU; next to no work where it is 1."""
    by = tl.load(factor)
    if by != 1.0:
        place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
        real = place < length
        tl.store(gradient + place, tl.load(gradient + place, mask=real, other=0.0) * by, mask=real)
