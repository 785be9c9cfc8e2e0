"""A rare cell type, down-sampled to 1 % of the cells: still visible after denoising, or smoothed into others.

A method that takes the mean over similar cells may take it over more cells than the rare type has. The labels are
those of the data set, of which the method knows nothing.
"""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.components import COMPONENTS, principal_components
from zipo.metrics.shared.neighbours import alike, nearest
from zipo.shared.embedding import leiden

title = "A rare cell type"
measures = {"rare_neighbours": "high", "rare_f1": "high"}
purpose = {"rare_f1": "to find a rare cell type"}
needs = ("rare", "cell_types")

MOST_NEIGHBOURS = 30
RESOLUTIONS = (1.0, 2.0, 4.0)
"""Of the Leiden clusters: at the usual 1, a type of few cells may share a cluster whatever the method does."""


def score(case: Case) -> dict[str, float]:
    """The two measures, over the cells whose type is known; 0 if the method gives the same for all cells.

    - rare_neighbours: share of rare cells among the nearest neighbours of a rare cell, of which there are as many as
      other rare cells, 30 at most; mean over rare cells. By chance it is the share of rare cells.
    - rare_f1: F1, harmonic mean of precision and recall, of the rare cells by the best of all Leiden clusters.

    NaN if there are fewer than two rare cells.
    """
    known = case.cell_types != ""
    rare = case.cell_types[known] == case.rare_type
    if rare.sum() < 2:
        return dict.fromkeys(measures, float("nan"))
    coordinates = principal_components(case.denoised, COMPONENTS, case.seed)[known]
    if alike(coordinates):
        return dict.fromkeys(measures, 0.0)
    k = min(int(rare.sum()) - 1, MOST_NEIGHBOURS)
    neighbours = nearest(coordinates, np.flatnonzero(rare), k, case.seed)
    clusters = leiden(coordinates.astype(np.float32), case.seed, RESOLUTIONS)
    return {
        "rare_neighbours": float(rare[neighbours].mean()),
        "rare_f1": max(best_f1(names, rare) for names in clusters),
    }


def best_f1(clusters: np.ndarray, rare: np.ndarray) -> float:
    """Largest F1 = 2 hits / (cells of the cluster + rare cells) over the clusters."""
    names, codes = np.unique(clusters, return_inverse=True)
    hits = np.bincount(codes[rare], minlength=len(names))
    return float((2 * hits / (np.bincount(codes) + rare.sum())).max())
