"""Cells in chunks, so that a metric holds a few MB beside the denoised counts, however many cells there are."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_matrix

ENTRIES = 1 << 20
"""Entries of a chunk: 8 MB as float64, of which a metric holds about ten at a time."""
DECIMALS = 5
"""Decimals of log1p(CP10k) in a rank test: values that float32 cannot tell apart are ties."""


def chunks(cells: int, genes: int) -> Iterator[slice]:
    """Consecutive cells, as many at a time as make a chunk of entries."""
    step = max(1, ENTRIES // genes)
    for start in range(0, cells, step):
        yield slice(start, min(start + step, cells))


def dense(counts: csr_matrix, rows: slice | np.ndarray) -> np.ndarray:
    """The counts of some cells, float64 (cells, genes)."""
    return counts[rows].toarray().astype(np.float64)


def cp10k(values: np.ndarray | csr_matrix) -> np.ndarray:
    """Counts per ten thousand of a cell's own, float64 (cells, genes); a cell without counts has zeros."""
    values = np.asarray(values.toarray() if isinstance(values, csr_matrix) else values, dtype=np.float64)
    total = values.sum(axis=1, keepdims=True)
    return np.divide(values * 1e4, total, out=np.zeros_like(values), where=total > 0)


def log_cp10k(values: np.ndarray | csr_matrix) -> np.ndarray:
    """log1p of counts per ten thousand, float64 (cells, genes); a cell without counts stays zero."""
    return np.log1p(cp10k(values))


def log_columns(denoised: np.ndarray, cells: np.ndarray, genes: np.ndarray) -> np.ndarray:
    """log1p(CP10k) of some cells and genes, rounded to DECIMALS; the totals are those of all genes."""
    parts = [log_cp10k(denoised[cells[rows]])[:, genes] for rows in chunks(len(cells), denoised.shape[1])]
    return np.round(np.concatenate(parts), DECIMALS)
