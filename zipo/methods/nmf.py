"""NMF: non-negative factors of the counts, fitted by Poisson likelihood."""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

from zipo.methods.shared.library import to_library
from zipo.methods.shared.nested import chosen_factors

name = "nmf"
env = None
parameters = {"factors": None, "max_iter": 200}
seeded = True
keeps_library = True
scale = "products of factors and loadings, and each cell to its own library size: counts"
source = "Lee 1999, doi 10.1038/44565, by the NMF of scikit-learn with the Kullback-Leibler divergence"
imports = ("sklearn.decomposition",)


def denoise(counts: ad.AnnData, *, seed: int, factors: int | None = None, max_iter: int = 200) -> ad.AnnData:
    """Expected counts in layers["denoised"] and, as the means of a Poisson, ["rates"]; factors in obsm["latent"].

    A number of factors of None is chosen on a split of the molecules (`zipo.methods.shared.nested`). The latents are a
    cell's factors as shares of its counts, so that they do not depend on its library size.
    """
    matrix = csr_matrix(counts.X)

    def denoised_of(training: csr_matrix, number: int) -> np.ndarray:
        return to_library(np.matmul(*factorised(training, number, max_iter, seed)), training)

    if factors is None:
        factors = chosen_factors(matrix, denoised_of, seed)
    weights, loadings = factorised(matrix, factors, max_iter, seed)
    denoised = counts.copy()
    denoised.layers["denoised"] = to_library(weights @ loadings, matrix)
    denoised.layers["rates"] = denoised.layers["denoised"]
    amounts = weights * loadings.sum(axis=1)  # of each cell's counts that a factor explains
    denoised.obsm["latent"] = amounts / np.maximum(amounts.sum(axis=1, keepdims=True), 1e-6)
    denoised.uns["likelihood"] = "poisson"
    return denoised


def factorised(matrix: csr_matrix, factors: int, max_iter: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (cells, factors) and loadings (factors, genes), float32, whose product is the Poisson mean."""
    import warnings

    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    # with the Kullback-Leibler divergence, multiplicative updates maximise the Poisson likelihood
    model = NMF(
        factors, init="nndsvdar", solver="mu", beta_loss="kullback-leibler", max_iter=max_iter, random_state=seed
    )
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # more iterations predict no better
        weights = model.fit_transform(matrix.toarray())
    return weights, model.components_
