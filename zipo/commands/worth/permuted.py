"""Counts in which no gene tells anything of another: each gene permuted among cells of like library size."""

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from zipo.metrics.shared.permutation import permuted

CELLS, MOST = 200, 10  # cells of a group at least, as false correlations need many, and groups at most


def library_groups(counts: csr_matrix) -> np.ndarray:
    """Name of each cell's group, (cells,): groups of equal numbers of cells, in the order of their library sizes."""
    cells = counts.shape[0]
    library = np.asarray(counts.sum(axis=1, dtype=np.float64)).ravel()
    order = np.empty(cells, dtype=int)
    order[np.argsort(library, kind="stable")] = np.arange(cells)
    groups = min(MOST, max(1, cells // CELLS))
    return np.array([f"group {number}" for number in order * groups // cells])


def permuted_counts(counts: csr_matrix, groups: np.ndarray, seed: int) -> csr_matrix:
    """The counts with each gene permuted within groups of cells."""
    cells = pd.DataFrame({"cell_type": groups}, index=[str(number) for number in range(len(groups))])
    return csr_matrix(permuted(ad.AnnData(counts, obs=cells), seed).X)
