"""Shrinkage of counts gene by gene: what can be had of each count without looking at any other gene.

A count x of a gene whose rates vary between cells as gamma variables of size r around m has the expected rate
m (x + r) / (m + r), between m, for a large size, and x, for a small one.
"""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import xlogy

from zipo.methods.shared.library import library_of
from zipo.methods.shared.nested import nested_split
from zipo.metrics.shared.chunks import chunks, dense

SIZES = np.geomspace(0.02, 200, 17)  # that are tried: from the counts themselves, nearly, to the gene means


def shrunk(training: csr_matrix, seed: int) -> np.ndarray:
    """Expected counts, float32 (cells, genes); each gene's size predicts best on a nested split of the molecules."""
    sizes = best_sizes(*nested_split(training, seed))
    result = np.empty(training.shape, np.float32)
    for rows, means in _means(training):
        result[rows] = _expected(dense(training, rows), means, sizes)
    return result


def best_sizes(training: csr_matrix, held_out: csr_matrix) -> np.ndarray:
    """Of SIZES, that by which a gene's counts predict its held-out ones at the least Poisson deviance, (genes,)."""
    odds = held_out.sum(dtype=np.float64) / max(training.sum(dtype=np.float64), 1)
    loss = np.zeros((len(SIZES), training.shape[1]))  # half the deviance, but for what no size changes
    for rows, means in _means(training):
        counts, observed = dense(training, rows), dense(held_out, rows)
        known = means > 0
        for number, size in enumerate(SIZES):
            predicted = np.where(known, odds * _expected(counts, means, size), 1)
            loss[number] += np.where(known, predicted - xlogy(observed, predicted), 0).sum(axis=0)
    return SIZES[loss.argmin(axis=0)]


def _means(counts: csr_matrix) -> Iterator[tuple[slice, np.ndarray]]:
    """Chunks of cells, and what the gene means expect of them at their library sizes, float64."""
    library = library_of(counts).astype(np.float64)
    shares = np.asarray(counts.sum(axis=0), dtype=np.float64) / max(library.sum(), 1)
    for rows in chunks(*counts.shape):
        yield rows, library[rows] * shares


def _expected(counts: np.ndarray, means: np.ndarray, sizes: np.ndarray | float) -> np.ndarray:
    return means * (counts + sizes) / (means + sizes)
