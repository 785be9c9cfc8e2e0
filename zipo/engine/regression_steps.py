"""Steps of the genes' regressions on their cells' latents, no longer than holds for the cell that they move most."""

from collections.abc import Iterable

import torch
from torch import Tensor

from zipo.engine.refinement import shortened, solved, symmetric

GENES_AT_ONCE = 2048
"""Genes whose regressions are solved at once."""


def regression_steps(
    normal: Tensor, precision: Tensor, gradient: Tensor, inputs: Iterable[Tensor], largest: float
) -> Tensor:
    """(G, K) a step of Fisher scoring uphill for the K coefficients of each gene.

    `normal` (G, K (K + 1) / 2) are the upper triangles of the information on them without the prior's `precision` (K,),
    `gradient` (G, K) that of the log posterior, and `inputs`, each (B, K), those of the cells. A step is shortened
    where it would change the linear predictor of any cell by more than `largest`: a few cells far from all others, such
    as those of a rare type, are all that tell of a gene that they alone have, and the quadratic form ends before them.
    """
    size = len(precision)
    steps = torch.cat(
        [
            solved(symmetric(upper, size) + torch.diag(precision), slope)
            for upper, slope in zip(normal.split(GENES_AT_ONCE), gradient.split(GENES_AT_ONCE), strict=True)
        ]
    )
    change = torch.zeros_like(steps[:, 0])
    for cells in inputs:
        change = torch.maximum(change, (cells @ steps.T).abs_().amax(dim=0))
    return shortened(steps, change, largest)
