"""A second split of the molecules, nested in that of the benchmark: what a method can choose its own parameters by.

A number of factors, for example, is chosen as the benchmark scores methods, and no molecule is used that the method
must not see.
"""

from collections.abc import Callable, Iterable

import numpy as np
from scipy.sparse import csr_matrix

from zipo.datasets.thinning import thin
from zipo.metrics import held_out_counts
from zipo.metrics.shared.case import Case

SHARE = 0.9
"""Share of the molecules that are for training."""
FACTORS = (3, 5, 10, 20, 40, 60, 80, 120, 160, 240, 320)
"""Numbers of factors that are tried, from few to many."""


def nested_split(matrix: csr_matrix, seed: int, share: float = SHARE) -> tuple[csr_matrix, csr_matrix]:
    """Training and held-out counts, (cells, genes), that add up to `matrix`."""
    stream = int(np.random.SeedSequence(seed).generate_state(1)[0])  # not that by which the caller split molecules
    return thin(matrix, share, stream)


def chosen_factors(
    matrix: csr_matrix,
    denoise: Callable[[csr_matrix, int], np.ndarray],
    seed: int,
    candidates: Iterable[int] = FACTORS,
) -> int:
    """The number of factors with which a method predicts held-out molecules best, by Poisson deviance.

    - `matrix`: the counts that the method is given; `seed` fixes how their molecules are split.
    - `denoise`: the method: denoised counts (cells, genes) by training counts and a number of factors.
    - `candidates`: what is tried, from few to many, until one predicts worse than the one before it: large numbers
      take longest, and beyond the best one the deviance rises steadily. Numbers that are not below those of cells and
      of genes are not tried; if none is, the number is 1.
    """
    training, held_out = nested_split(matrix, seed)
    best, least = 1, np.inf
    for factors in candidates:
        if factors >= min(matrix.shape):
            break
        case = Case(training, denoise(training, factors), held_out=held_out, training_share=SHARE)
        deviance = held_out_counts.score(case)["poisson_deviance"]
        if deviance >= least:
            break
        best, least = factors, deviance
    return best
