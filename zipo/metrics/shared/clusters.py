"""Agreement of clusters with known cell types, over the cells whose type is known."""

import numpy as np

from zipo.shared.embedding import agreement


def agreement_with_types(coordinates: np.ndarray, types: np.ndarray, seed: int) -> dict[str, float]:
    """ari, nmi and silhouette of coordinates (cells, dimensions); see `zipo.shared.embedding.agreement`."""
    known = types != ""
    return agreement(np.asarray(coordinates[known], dtype=np.float32), types[known], seed)
