"""Loops over sparse counts and a wide layer's weights, compiled for the processor (numba).

Weights lie genes x neurons, so that a gene's are side by side: each is read once a pass, while the batch's rows stay
in the cache. Neurons are divided into tiles, over which threads share the work; a tile's arithmetic is the same
whatever their number. The innermost loops are functions of few contiguous slices, which alone the compiler turns into
vector instructions.
"""

import numpy as np
from numba import njit, prange

TILE = 512  # neurons that a thread works on at a time
FLUSH = 64  # genes after which sums of weights move from single to double precision

# strict arithmetic: what the compiler may reorder or fuse it does in some of a loop's versions and not in others, and
# which version runs depends on where arrays happen to lie, so that last bits would differ from run to run
inner = njit(inline="never", error_model="numpy", cache=True)
outer = njit(parallel=True, error_model="numpy", cache=True, nogil=True)


@njit(cache=True, nogil=True)
def gene_major(rows, columns, values, genes):
    """The entries of a batch, given by cell, ordered by gene: starts (genes + 1), cells, values."""
    starts = np.zeros(genes + 1, np.int64)
    for column in columns:
        starts[column + 1] += 1
    for gene in range(genes):
        starts[gene + 1] += starts[gene]
    free = starts[:-1].copy()
    cells, ordered = np.empty(len(rows), np.int32), np.empty(len(rows), np.float32)
    for entry in range(len(rows)):
        place = free[columns[entry]]
        free[columns[entry]] += 1
        cells[place], ordered[place] = rows[entry], values[entry]
    return starts, cells, ordered


@outer
def product(starts, cells, values, weights, out):
    """out += entries (cells x genes) @ weights (genes x neurons)."""
    genes, neurons = weights.shape
    for tile in prange((neurons + TILE - 1) // TILE):
        low, high = tile * TILE, min(neurons, (tile + 1) * TILE)
        for gene in range(genes):
            gene_weights = weights[gene, low:high]
            for entry in range(starts[gene], starts[gene + 1]):
                _add(out[cells[entry], low:high], values[entry], gene_weights)


@outer
def sums(weights, absolute, squared):
    """Sum of sizes and of squares of each neuron's weights (genes x neurons), in double precision."""
    genes, neurons = weights.shape
    for tile in prange((neurons + TILE - 1) // TILE):
        low, high = tile * TILE, min(neurons, (tile + 1) * TILE)
        part = np.zeros((2, high - low), np.float32)
        absolute[low:high] = 0.0
        squared[low:high] = 0.0
        for gene in range(genes):
            _sum(part[0], part[1], weights[gene, low:high])
            if gene % FLUSH == FLUSH - 1 or gene == genes - 1:
                _flush(absolute[low:high], squared[low:high], part)


@outer
def learn(starts, cells, values, by_output, by_sign, by_weight, weights, first, second, adam, absolute, squared):
    """A step of Adam on weights (genes x neurons), whose gradient is never held as a whole.

    The gradient is entries^T @ by_output (cells x neurons), plus by_sign x sign(w) + by_weight x w of each neuron.
    `adam` is learning rate over the first bias correction, the reciprocal root of the second, 1 - beta1, beta2,
    1 - beta2, epsilon. The sums of the new weights go to absolute and squared, as `sums` has them.
    """
    genes, neurons = weights.shape
    rate, root, keep1, beta2, keep2, epsilon = adam
    for tile in prange((neurons + TILE - 1) // TILE):
        low, high = tile * TILE, min(neurons, (tile + 1) * TILE)
        gradient, part = np.empty(high - low, np.float32), np.zeros((2, high - low), np.float32)
        absolute[low:high] = 0.0
        squared[low:high] = 0.0
        for gene in range(genes):
            gene_weights = weights[gene, low:high]
            _penalise(gradient, gene_weights, by_sign[low:high], by_weight[low:high])
            entry, end = starts[gene], starts[gene + 1]
            while entry + 1 < end:
                _add_two(
                    gradient, values[entry], by_output[cells[entry], low:high],
                    values[entry + 1], by_output[cells[entry + 1], low:high],
                )  # fmt: skip
                entry += 2
            if entry < end:
                _add(gradient, values[entry], by_output[cells[entry], low:high])
            _adam(
                gene_weights, first[gene, low:high], second[gene, low:high], gradient,
                rate, root, keep1, beta2, keep2, epsilon,
            )  # fmt: skip
            _sum(part[0], part[1], gene_weights)
            if gene % FLUSH == FLUSH - 1 or gene == genes - 1:
                _flush(absolute[low:high], squared[low:high], part)


@inner
def _add(out, factor, row):
    for i in range(out.shape[0]):
        out[i] += factor * row[i]


@inner
def _add_two(out, factor, row, factor2, row2):
    for i in range(out.shape[0]):
        out[i] += factor * row[i] + factor2 * row2[i]


@inner
def _penalise(gradient, weights, by_sign, by_weight):
    for i in range(gradient.shape[0]):
        w = weights[i]
        sign = by_sign[i] if w > 0 else -by_sign[i]
        gradient[i] = (sign if w != 0 else np.float32(0)) + by_weight[i] * w


@inner
def _adam(weights, first, second, gradient, rate, root, keep1, beta2, keep2, epsilon):
    for i in range(weights.shape[0]):
        g = gradient[i]
        m = first[i] + keep1 * (g - first[i])
        v = beta2 * second[i] + keep2 * g * g
        first[i], second[i] = m, v
        weights[i] -= rate * m / (np.sqrt(v) * root + epsilon)


@inner
def _sum(absolute, squared, weights):
    for i in range(weights.shape[0]):
        absolute[i] += abs(weights[i])
        squared[i] += weights[i] * weights[i]


@inner
def _flush(absolute, squared, part):
    for i in range(absolute.shape[0]):
        absolute[i] += part[0, i]
        squared[i] += part[1, i]
        part[0, i] = part[1, i] = np.float32(0)
