"""Cells of a type and genes detected in them, few enough for all pairs and many tests."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_matrix

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import log_columns

FEWEST_CELLS = 30
MOST_CELLS = 2000  # drawn at random; they tell a correlation to 0.02
MOST_GENES = 1000  # the most detected ones
DETECTED = 0.1  # share of the type's cells in which a gene must be seen


def cells_within_types(case: Case) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each type of enough cells, the largest first: rows of its cells, and columns of the genes detected in them.

    Where no types are known, all cells are of one, as permuted counts then have it.
    Cells and genes are drawn and chosen by seed and counts, hence the same for all methods.
    """
    rng = np.random.default_rng(case.seed)
    types = np.full(case.counts.shape[0], "all") if case.cell_types is None else case.cell_types
    names, sizes = np.unique(types[types != ""], return_counts=True)
    for name in names[np.argsort(-sizes, kind="stable")]:
        cells = np.flatnonzero(types == name)
        if len(cells) > MOST_CELLS:
            cells = np.sort(rng.choice(cells, MOST_CELLS, replace=False))
        genes = detected(case.counts[cells])
        if len(cells) >= FEWEST_CELLS and len(genes) > 1:
            yield cells, genes


def ranks_within_types(case: Case) -> Iterator[np.ndarray]:
    """For each type of enough cells, the largest first: ranks of the denoised log1p(CP10k), (cells, genes)."""
    from scipy.stats import rankdata  # takes half a second, so only where it is used

    for cells, genes in cells_within_types(case):
        yield rankdata(log_columns(case.denoised, cells, genes), axis=0)


def detected(counts: csr_matrix) -> np.ndarray:
    """The genes that enough of these cells have, at most MOST_GENES, in order of their columns."""
    share = np.asarray((counts > 0).mean(axis=0)).ravel()
    genes = np.argsort(-share, kind="stable")[:MOST_GENES]
    return np.sort(genes[share[genes] >= DETECTED])
