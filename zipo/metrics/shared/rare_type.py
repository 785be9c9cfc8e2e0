"""Counts with one rare cell type, which a denoising may smooth away."""

import anndata as ad
import numpy as np

from zipo.shared.errors import InputError

SHARE = 0.01
"""Share of all cells that the rare type has."""
FEWEST = 5
"""Fewest cells of the rare type: from fewer, little can be told."""


def rarefied(data: ad.AnnData, cell_type: str, seed: int) -> ad.AnnData:
    """The data set with cells of one type left out at random until the rest are SHARE of all cells, FEWEST at least.

    uns["rare_type"] names the type. Raises InputError if the type has too few cells for that.
    """
    own = (data.obs["cell_type"].astype(object) == cell_type).to_numpy()
    others = int((~own).sum())
    cells = max(FEWEST, round(SHARE / (1 - SHARE) * others))
    if own.sum() <= cells:
        raise InputError(
            f"cell type {cell_type!r}: {own.sum()} of {len(own)} cells are of it; more than {cells} are needed to make "
            "it a rare one. Name a more frequent type under rare"
        )
    kept = np.random.default_rng(seed).choice(np.flatnonzero(own), cells, replace=False)
    rare = data[np.sort(np.concatenate([np.flatnonzero(~own), kept]))].copy()
    rare.uns["rare_type"] = cell_type
    return rare
