"""False differential expression: tests between random halves of the largest cell type.

The halves are drawn after denoising, so a gene differs with p < .05 in 5 % of the draws whatever the method does.
What a method can spoil is the independence of genes: after smoothing they differ together, so that a single draw
finds none of them or very many, which the worst draw shows.
"""

import numpy as np
from scipy.stats import norm

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.rank_sums import rank_sum_z
from zipo.metrics.shared.within_type import ranks_within_types

title = "Differences between random halves of a type"
measures = {"null_differences": "low", "null_differences_worst": "low"}
purpose = {"null_differences_worst": "to make up no differences between groups of alike cells"}
needs = ("cell_types",)
unranked = {"null_differences": "5 % by construction, since the halves are drawn after denoising"}

LEVEL = 0.05
DRAWS = 50


def score(case: Case) -> dict[str, float]:
    """Share of the detected genes with p < .05 in a Wilcoxon rank-sum test: mean and largest over the draws."""
    ranks = next(ranks_within_types(case), None)
    if ranks is None:
        return dict.fromkeys(measures, float("nan"))
    rng = np.random.default_rng(case.seed)
    first = np.zeros((DRAWS, len(ranks)))
    first[:, : len(ranks) // 2] = 1
    rates = (rank_sum_p(ranks, rng.permuted(first, axis=1)) < LEVEL).mean(axis=1)
    return {"null_differences": float(rates.mean()), "null_differences_worst": float(rates.max())}


def rank_sum_p(ranks: np.ndarray, first: np.ndarray) -> np.ndarray:
    """p of two-sided rank-sum tests (normal), (draws, genes); see `zipo.metrics.shared.rank_sums.rank_sum_z`."""
    return 2 * norm.sf(np.abs(rank_sum_z(ranks, first)))
