"""Principal components of denoised counts, in passes over chunks of cells."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_matrix

from zipo.metrics.shared.chunks import chunks, log_cp10k

COMPONENTS = 50
"""Components in which metrics compare cells."""
OVERSAMPLED = 10  # components beyond those wanted, dropped at the end
POWERS = 6  # passes that turn the subspace towards the leading components


def principal_components(denoised: np.ndarray | csr_matrix, components: int, seed: int) -> np.ndarray:
    """Scores of the leading principal components of log1p(CP10k), float64 (cells, components).

    Randomised (Halko 2011, doi 10.1137/090771806): only cells or genes x components are held beside the chunks.
    """
    cells, genes = denoised.shape
    components = min(components, cells - 1, genes)
    width = min(components + OVERSAMPLED, cells, genes)
    mean = sum(log_cp10k(denoised[rows]).sum(axis=0) for rows in chunks(cells, genes)) / cells

    def centred() -> Iterator[np.ndarray]:
        return (log_cp10k(denoised[rows]) - mean for rows in chunks(cells, genes))

    basis = np.random.default_rng(seed).normal(size=(genes, width))
    for _ in range(POWERS):
        basis = np.linalg.qr(sum(x.T @ (x @ basis) for x in centred()))[0]
    projected = np.concatenate([x @ basis for x in centred()])
    left, singular, _ = np.linalg.svd(projected, full_matrices=False)
    return (left * singular)[:, :components]
