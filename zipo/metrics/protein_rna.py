"""Denoised RNA against the protein that it codes for, measured by antibodies in the same cells.

The measurement is independent of the counts of RNA, as in the comparison of SAVER-X (Wang 2019, doi
10.1038/s41592-019-0537-1) on CITE-seq (Stoeckius 2017, doi 10.1038/nmeth.4380). Protein follows RNA only in part, so
that the best possible value is unknown and below 1; smoothing over cells that are alike brings it nearer.
"""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import DECIMALS, log_columns
from zipo.metrics.shared.rank_correlation import spearman

title = "RNA and protein of the same cells"
measures = {"protein_correlation": "high"}
purpose = {"protein_correlation": "to see in RNA which cells have a protein"}
needs = ("proteins",)


def score(case: Case) -> dict[str, float]:
    """Spearman correlation over cells of each protein with the denoised CP10k of its gene, mean over the proteins.

    It is 0 for RNA that is constant; proteins that are constant are left out, and without others there is no number.
    """
    rna = log_columns(case.denoised, np.arange(case.counts.shape[0]), case.protein_genes)
    rna[:, np.ptp(rna, axis=0) < 2 * 10.0**-DECIMALS] = 0  # rounding alone has split values that are alike
    rho = spearman(rna, case.proteins)
    return {"protein_correlation": float(np.mean(rho[np.isfinite(rho)])) if np.isfinite(rho).any() else float("nan")}
