"""The first layer's product, and its learning, from counts that are mostly zero.

Weights lie genes x neurons, so that a gene's are side by side, and each is read once a pass. Threads take neurons of
the product, and parts of the genes when learning, so that no sum depends on their number. The innermost loops are
functions of few contiguous slices, which alone the compiler turns into vector instructions.
"""

import numpy as np

from zipo.engine.kernels.compiling import compiled, inner

PART = 128  # genes whose weights are summed in single precision, and learned together
CACHED = 1 << 17  # weights that stay in the cache while all cells meet them


@compiled
def gene_major(by_cell, columns, values, genes):
    """The entries of a batch, which cell after cell begin at `by_cell` (cells + 1), ordered by gene: starts
    (genes + 1), cells, values."""
    starts = np.zeros(genes + 1, np.int64)
    for column in columns:
        starts[column + 1] += 1
    for gene in range(genes):
        starts[gene + 1] += starts[gene]
    free = starts[:-1].copy()
    cells, ordered = np.empty(len(columns), np.int32), np.empty(len(columns), np.float32)
    for cell in range(len(by_cell) - 1):
        for entry in range(by_cell[cell], by_cell[cell + 1]):
            place = free[columns[entry]]
            free[columns[entry]] += 1
            cells[place], ordered[place] = cell, values[entry]
    return starts, cells, ordered


@compiled
def product(low, high, starts, columns, values, weights, out):
    """out += counts (cells x genes, in CSR with ascending columns) @ weights (genes x neurons), for some neurons.

    A few genes' weights stay in the cache while all cells meet them, and a cell's entries are taken four at a time, so
    that its row of the product is read and written once for four.
    """
    genes, cells = len(weights), len(out)
    free = starts[:cells].copy()  # each cell's first entry that is not yet added
    genes_at_once = max(1, CACHED // (high - low))
    for block in range(genes_at_once, genes + genes_at_once, genes_at_once):
        for cell in range(cells):
            entry, end = free[cell], starts[cell + 1]
            row = out[cell, low:high]
            while entry + 3 < end and columns[entry + 3] < block:
                _add_four(
                    row,
                    values[entry], weights[columns[entry], low:high],
                    values[entry + 1], weights[columns[entry + 1], low:high],
                    values[entry + 2], weights[columns[entry + 2], low:high],
                    values[entry + 3], weights[columns[entry + 3], low:high],
                )  # fmt: skip
                entry += 4
            while entry < end and columns[entry] < block:
                _add(row, values[entry], weights[columns[entry], low:high])
                entry += 1
            free[cell] = entry


@compiled
def sums(first, last, weights, totals):
    """Sum of sizes, and of squares, of each neuron's weights (genes x neurons), for each of some parts of the genes.

    totals: (parts, 2, neurons) in double precision.
    """
    for part in range(first, last):
        single = np.zeros((2, weights.shape[1]), np.float32)
        for gene in range(part * PART, min(len(weights), (part + 1) * PART)):
            _sum(single[0], single[1], weights[gene])
        _store(totals[part, 0], single[0])
        _store(totals[part, 1], single[1])


@compiled
def learn(first, last, entries, by_output, penalty, weights, mean, square, adam, zeros, totals):
    """A step of Adam on some parts of the genes' weights (genes x neurons), whose gradient is never a matrix in memory.

    The gradient is entries^T @ by_output (cells x neurons), the entries as `gene_major` has them, plus
    a sign(w) + b w with the a and b (neurons,) of `penalty`. mean and square are Adam's moments. `adam` is learning
    rate over the first bias correction, the reciprocal root of the second, 1 - beta1, beta2, 1 - beta2, epsilon.
    `zeros` are soft thresholds (genes,) that follow the step, and whether weights that are zero have no gradient. The
    sums of the new weights go to `totals`, as `sums` has them.
    """
    starts, cells, values = entries
    by_sign, by_weight = penalty
    rate, root, keep1, beta2, keep2, epsilon = adam
    thresholds, fixed = zeros
    gradient = np.empty(weights.shape[1], np.float32)
    for part in range(first, last):
        single = np.zeros((2, weights.shape[1]), np.float32)
        for gene in range(part * PART, min(len(weights), (part + 1) * PART)):
            gene_weights = weights[gene]
            if fixed and not _number_of_nonzeros(gene_weights):
                continue
            _penalise(gradient, gene_weights, by_sign, by_weight)
            entry, end = starts[gene], starts[gene + 1]
            while entry + 3 < end:
                _add_four(
                    gradient,
                    values[entry], by_output[cells[entry]], values[entry + 1], by_output[cells[entry + 1]],
                    values[entry + 2], by_output[cells[entry + 2]], values[entry + 3], by_output[cells[entry + 3]],
                )  # fmt: skip
                entry += 4
            while entry < end:
                _add(gradient, values[entry], by_output[cells[entry]])
                entry += 1
            if fixed:
                _keep_zeros(gradient, gene_weights)
            _adam(gene_weights, mean[gene], square[gene], gradient, rate, root, keep1, beta2, keep2, epsilon)
            if thresholds[gene] > 0:
                _shrink(gene_weights, thresholds[gene])
            _sum(single[0], single[1], gene_weights)
        _store(totals[part, 0], single[0])
        _store(totals[part, 1], single[1])


@inner
def _add(out, factor, row):
    for i in range(out.shape[0]):
        out[i] += factor * row[i]


@inner
def _add_four(out, factor, row, factor2, row2, factor3, row3, factor4, row4):
    for i in range(out.shape[0]):
        out[i] += (factor * row[i] + factor2 * row2[i]) + (factor3 * row3[i] + factor4 * row4[i])


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
def _number_of_nonzeros(weights):
    number = 0
    for i in range(weights.shape[0]):
        number += weights[i] != 0
    return number


@inner
def _keep_zeros(gradient, weights):
    for i in range(gradient.shape[0]):
        gradient[i] = gradient[i] if weights[i] != 0 else np.float32(0)


@inner
def _shrink(weights, threshold):
    for i in range(weights.shape[0]):
        w = weights[i]
        size = max(abs(w) - threshold, np.float32(0))
        weights[i] = size if w > 0 else -size


@inner
def _sum(absolute, squared, weights):
    for i in range(weights.shape[0]):
        absolute[i] += abs(weights[i])
        squared[i] += weights[i] * weights[i]


@inner
def _store(out, values):
    for i in range(out.shape[0]):
        out[i] = values[i]
