"""Known marker genes: how well each separates its cell type from the others."""

import numpy as np
from scipy.stats import rankdata

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import log_columns

title = "Known markers of cell types"
measures = {"marker_auroc": "high", "marker_log_fold_change": "high"}
purpose = {"marker_auroc": "to see marker genes tell their cell types apart"}
needs = ("markers", "cell_types")


def score(case: Case) -> dict[str, float]:
    """AUROC and log2 fold change of CP10k, as means over markers; one is added to both means of a fold change.

    The values before denoising are those of the method no_denoising.
    """
    cells = np.flatnonzero(case.cell_types != "")
    types = case.cell_types[cells]
    areas: list[float] = []
    changes: list[float] = []
    for cell_type, genes in case.markers.items():
        inside = types == cell_type
        if not len(genes) or inside.all() or not inside.any():
            continue
        values = log_columns(case.denoised, cells, genes)
        areas.extend(auroc(values, inside))
        means = (np.expm1(values[part]).mean(axis=0) + 1 for part in (inside, ~inside))
        changes.extend(np.log2(next(means) / next(means)))
    if not areas:
        return dict.fromkeys(measures, float("nan"))
    return {"marker_auroc": float(np.mean(areas)), "marker_log_fold_change": float(np.mean(changes))}


def auroc(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Probability that a cell inside exceeds one outside, ties counting half, for each gene of (cells, genes)."""
    ones, others = inside.sum(), (~inside).sum()
    return (rankdata(values, axis=0)[inside].sum(axis=0) - ones * (ones + 1) / 2) / (ones * others)
