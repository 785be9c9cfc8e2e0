"""False correlations: those of denoised genes whose counts were permuted within cell types.

The permutation leaves no correlation within a type, so a strong one was made by the denoising. After Andrews &
Hemberg 2019, doi 10.12688/f1000research.16613.2.

Correlations of ranks have no size. Genes that vary together by 0.01 % of their means count like those that do by 100 %,
if nothing else varies; and noise of each gene by itself that a method leaves in hides what genes share, however large
that is. `zipo.metrics.false_amplitude` measures the size of what is shared, whatever else varies.
"""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.within_type import ranks_within_types

title = "Correlations of permuted genes"
measures = {"false_correlations": "low"}
purpose = {"false_correlations": "to make up no correlations between genes"}
needs = ("permuted",)

STRONG = 0.3
"""Least absolute Spearman correlation that counts as one."""
CHANCE = 4.0
"""Standard errors 1 / sqrt(n - 1) that it must exceed as well: in a small type chance alone reaches 0.3."""


def score(case: Case) -> dict[str, float]:
    """Share of the pairs of detected genes that correlate within a type, over the types of enough cells."""
    strong = pairs = 0
    for ranks in ranks_within_types(case):
        rho = spearman(ranks)
        upper = np.abs(rho[np.triu_indices(len(rho), k=1)])
        strong += int((upper > max(STRONG, CHANCE / np.sqrt(len(ranks) - 1))).sum())
        pairs += len(upper)
    return {"false_correlations": strong / pairs if pairs else float("nan")}


def spearman(ranks: np.ndarray) -> np.ndarray:
    """Correlations of all pairs of columns, (genes, genes); 0 for a gene that is constant."""
    centred = ranks - ranks.mean(axis=0)
    length = np.sqrt(np.square(centred).sum(axis=0))
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    return unit.T @ unit
