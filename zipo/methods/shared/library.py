"""Scaling of counts by library sizes, before a method works on normalised counts and back to counts after."""

import numpy as np
from scipy.sparse import csr_matrix


def normalised(matrix: csr_matrix, total: float | None = None) -> np.ndarray:
    """Counts scaled so that each cell has the total, float32 (cells, genes); by default the median library size."""
    library = library_of(matrix)
    return matrix.toarray() / (np.maximum(library, 1) / np.float32(total or np.median(library)))


def to_library(values: np.ndarray, matrix: csr_matrix) -> np.ndarray:
    """Values scaled so that each cell adds up to its own count, float32 (cells, genes)."""
    return (values * (library_of(matrix) / np.maximum(values.sum(axis=1, keepdims=True), 1e-6))).astype(np.float32)


def from_shares(matrix: csr_matrix) -> np.ndarray:
    """Each gene's share of all counts times each cell's library size, float32 (cells, genes)."""
    library = np.asarray(matrix.sum(axis=1), dtype=np.float64)  # (cells, 1)
    shares = np.asarray(matrix.sum(axis=0), dtype=np.float64) / library.sum()  # (1, genes)
    return library.astype(np.float32) * shares.astype(np.float32)


def library_of(matrix: csr_matrix) -> np.ndarray:
    """Counts of each cell, float32 (cells, 1)."""
    return np.asarray(matrix.sum(axis=1), dtype=np.float32)
