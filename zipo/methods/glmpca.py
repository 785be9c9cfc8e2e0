"""GLM-PCA: factors of the logarithms of Poisson means, fitted by likelihood; cells' library sizes are offsets."""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

from zipo.methods.shared.library import to_library
from zipo.methods.shared.nested import FACTORS, chosen_factors

name = "glmpca"
env = "glmpca"
parameters = {"factors": None, "max_iter": 100}
seeded = False
keeps_library = True
scale = "means of its Poisson likelihood, and each cell to its own library size: counts"
source = "Townes 2019, doi 10.1186/s13059-019-1861-6, fastglmpca 0.1.2"
imports = ("torch", "fastglmpca")

MOST_FACTORS = 60
"""Beyond which none are tried: the time of a fit grows with their square."""
SPLIT_SEED = 1
"""Of the split by which the number is chosen: the fit starts from singular vectors, so nothing else is random."""
STEPS, QUICK_STEPS = 3, 1
"""Coordinate descents in each iteration, as by default, and for fits of which only the number of factors is kept."""


def denoise(counts: ad.AnnData, *, seed: int, factors: int | None, max_iter: int) -> ad.AnnData:
    """Expected counts in layers["denoised"] and, as the means of a Poisson, ["rates"]; factors in obsm["latent"].

    A number of factors of None is chosen on a split of the molecules (`zipo.methods.shared.nested`).
    """
    matrix = csr_matrix(counts.X)

    def denoised_of(training: csr_matrix, number: int) -> np.ndarray:
        return fitted(training, number, max_iter, QUICK_STEPS)[0]

    if factors is None:
        candidates = [number for number in FACTORS if number <= MOST_FACTORS]
        factors = chosen_factors(matrix, denoised_of, SPLIT_SEED, candidates)
    denoised = counts.copy()
    denoised.layers["denoised"], denoised.obsm["latent"] = fitted(matrix, factors, max_iter, STEPS)
    denoised.layers["rates"] = denoised.layers["denoised"]
    denoised.uns["likelihood"] = "poisson"
    return denoised


def fitted(matrix: csr_matrix, factors: int, max_iter: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Denoised counts (cells, genes) and the cells' factors (cells, factors), float32."""
    import warnings

    from fastglmpca import poisson

    # dense, since the singular vectors of a sparse matrix start from random ones; genes come first
    genes = matrix.toarray().T
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # that more iterations would change it
        model = poisson(
            genes, factors, max_iter, num_ccd_iter=steps, device="cpu", progress_bar=False, return_model=True
        )
    return to_library(model.reconstruct_counts().T, matrix), (model.V * model.d).astype(np.float32)
