"""Gene totals: how far the sum of a gene's denoised counts is from that of its counts, over all cells and within types.

Sums over many cells have little noise, so a gene whose denoised sum within a known type is half that of its counts is
shown there at half its level, however well single molecules are predicted. Over all cells such errors cancel out: a
gene's mean times library sizes has the sum over all cells right, and those within types as wrong as types differ.

Sums are compared with those of the training molecules, which have counting noise themselves, a standard deviation of
1 / sqrt(N) of N molecules. It is not taken off: genes of fewer than MOLECULES are left out, and for the rest the true
means give a median of about 0.67 / sqrt(N), no more than 7 %, and no denoising gives 0.
"""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import chunks

title = "Gene totals"
measures = {"gene_totals": "low", "gene_totals_within_types": "low"}
needs = ()
_REASON = "0 by construction where counts are kept, so that it says what a method changed and not how well"
unranked = dict.fromkeys(measures, _REASON)

MOLECULES = 100
"""Fewest molecules of a gene, in all cells or in those of a type, whose sum is compared: it has 10 % noise."""
CELLS = 20
"""Fewest cells of a type."""


def score(case: Case) -> dict[str, float]:
    """Median of |denoised sum / sum of counts - 1| over genes, and over the genes of all types that have enough cells.

    Each gene of each type counts once. NaN where no gene has enough molecules, or no type enough cells.
    """
    groups = {"gene_totals": [np.ones(case.counts.shape[0], dtype=bool)], "gene_totals_within_types": []}
    if case.cell_types is not None:
        names, sizes = np.unique(case.cell_types[case.cell_types != ""], return_counts=True)
        groups["gene_totals_within_types"] = [case.cell_types == name for name in names[sizes >= CELLS]]
    return {measure: median_error(case, members) for measure, members in groups.items()}


def median_error(case: Case, members: list[np.ndarray]) -> float:
    """Median of |denoised sum / sum of counts - 1| over the genes of some groups of cells, each a mask."""
    if not members:
        return float("nan")
    cells, genes = case.counts.shape
    indicator = np.stack(members).astype(np.float64)
    denoised = np.zeros((len(members), genes))
    for rows in chunks(cells, genes):
        denoised += indicator[:, rows] @ np.asarray(case.denoised[rows], dtype=np.float64)
    observed = (case.counts.T.astype(np.float64) @ indicator.T).T
    enough = observed >= MOLECULES
    return float(np.median(np.abs(denoised[enough] / observed[enough] - 1))) if enough.any() else float("nan")
