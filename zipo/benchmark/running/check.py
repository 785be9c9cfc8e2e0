"""Checks of a method's answer: values that are allowed, and expected counts on the scale of the input."""

from pathlib import Path

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

from zipo.metrics.shared.chunks import chunks

BOUNDS = (0.2, 5.0)
"""Bounds of the median cell's ratio of denoised to counted library size; wide, so that a poor method is scored, not
refused."""
LEAST_OF_GENES = 0.7
"""Power of a gene's counts with which its denoised counts must grow: 1 where they are counts, 0.64 or less for
logarithms and roots, however few the counts."""
LEAST_OF_CELLS = 1 / 3
"""The same of a cell's counts: about 0 where all cells were brought to the same sum."""
TWICE = "a {} of twice the counts adds up to {:.1f} times as much"
ALIKE = 0.1  # standard deviation of log library sizes up to which cells are too alike to check their scale


def fault_of(arrays: dict[str, np.ndarray], counts: Path, keeps_library: bool) -> str | None:
    """What is wrong with a method's arrays for the counts of an .h5ad, in one sentence; None if nothing is.

    The scale is not checked for counts permuted within cell types: where genes have nothing in common, a sound
    method may shrink them all towards their means, which looks like a logarithm.
    """
    for name, values in arrays.items():
        if reason := fault_of_values(name, values):
            return reason
    data = ad.read_h5ad(counts)
    if not keeps_library or "permuted" in data.uns:
        return None
    return fault_of_scale(arrays["denoised"], csr_matrix(data.X))


def fault_of_values(name: str, values: np.ndarray) -> str | None:
    """What is wrong with an array's values: no numbers, or outside what its name allows; None if nothing is."""
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
    """What shows that the scale is not that of the counts, but of logarithms or shares; None if nothing does."""
    cells, genes = counts.shape
    by_cell, by_gene = np.zeros(cells), np.zeros(genes)
    for rows in chunks(cells, genes):
        part = np.asarray(denoised[rows], dtype=np.float64)
        by_cell[rows] = part.sum(axis=1)
        by_gene += part.sum(axis=0)
    library = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    total = np.asarray(counts.sum(axis=0), dtype=np.float64).ravel()
    ratio = float(np.median(by_cell[library > 0] / library[library > 0]))
    if not BOUNDS[0] <= ratio <= BOUNDS[1]:
        return f"not on the scale of the counts: the median cell adds up to {ratio:.3g} times its counts"
    if (power := growth(total, by_gene)) < LEAST_OF_GENES:
        return f"not on the scale of the counts: {TWICE.format('gene', 2**power)}, as in logarithms and roots"
    if np.std(np.log(library[library > 0])) > ALIKE and (power := growth(library, by_cell)) < LEAST_OF_CELLS:
        return f"not on the scale of the counts: {TWICE.format('cell', 2**power)}, as where cells were normalised"
    return None


def growth(before: np.ndarray, after: np.ndarray) -> float:
    """Exponent of the power law by which sums after denoising grow with those before; large sums weigh more."""
    positive = (before > 0) & (after > 0)
    return float(np.polyfit(np.log(before[positive]), np.log(after[positive]), 1, w=np.sqrt(before[positive]))[0])
