"""Whether a method's answer can be what it is taken for: expected counts on the scale of the input."""

from pathlib import Path

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

from zipo.metrics.shared.chunks import chunks

LIBRARY = (0.5, 2.0)
"""Where the median cell's ratio of denoised to counted library size must lie."""
ABUNDANT = (0.2, 5.0)
"""Where the same ratio of the most abundant genes must lie: logarithms flatten those first, however few the counts."""
TOP = 0.2  # share of all counts that the most abundant genes make up


def fault_of(arrays: dict[str, np.ndarray], counts: Path, keeps_library: bool) -> str | None:
    """What is wrong with a method's arrays for the counts of an .h5ad, in one sentence; None if nothing is."""
    for name, values in arrays.items():
        if reason := fault_of_values(name, values):
            return reason
    return fault_of_scale(arrays["denoised"], csr_matrix(ad.read_h5ad(counts).X)) if keeps_library else None


def fault_of_values(name: str, values: np.ndarray) -> str | None:
    """Values that are no numbers, or lie outside what the name allows."""
    columns = values.shape[-1]
    for rows in chunks(len(values), columns) if values.ndim == 2 else [slice(None)]:
        part = values[rows]
        if np.isnan(part).any():
            return f"{name} has values that are not a number (NaN)"
        if np.isinf(part).any():
            return f"{name} has infinite values"
        if name != "latent" and (part < 0).any():
            return f"{name} has negative values, down to {part.min():.3g}"
        if name == "zero_probability" and (part > 1).any():
            return f"{name} has values above 1, up to {part.max():.3g}"
    return None


def fault_of_scale(denoised: np.ndarray, counts: csr_matrix) -> str | None:
    """A scale that is not that of the counts, such as a logarithm or a share."""
    cells, genes = counts.shape
    by_cell, by_gene = np.zeros(cells), np.zeros(genes)
    for rows in chunks(cells, genes):
        part = np.asarray(denoised[rows], dtype=np.float64)
        by_cell[rows] = part.sum(axis=1)
        by_gene += part.sum(axis=0)
    library = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    total = np.asarray(counts.sum(axis=0), dtype=np.float64).ravel()
    order = np.argsort(-total)
    abundant = order[: 1 + np.searchsorted(np.cumsum(total[order]), TOP * total.sum())]
    ratio = float(np.median(by_cell[library > 0] / library[library > 0]))
    if not LIBRARY[0] <= ratio <= LIBRARY[1]:
        return f"not on the scale of the counts: the median cell adds up to {ratio:.3g} times its counts"
    ratio = float(by_gene[abundant].sum() / total[abundant].sum())
    if not ABUNDANT[0] <= ratio <= ABUNDANT[1]:
        return f"not on the scale of the counts: the most abundant genes add up to {ratio:.3g} times their counts"
    return None
