"""PCA: counts rebuilt from a few principal components of their logarithms; the simplest method with latents."""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

from zipo.methods.shared.library import normalised, to_library

name = "pca"
env = None
parameters = {"components": 20}
seeded = True
keeps_library = True
scale = "log1p of normalised counts, taken back by expm1, and each cell to its own library size: counts"
source = "scikit-learn's PCA"
imports = ("sklearn.decomposition",)


def denoise(counts: ad.AnnData, *, seed: int, components: int = 20) -> ad.AnnData:
    """Counts rebuilt from their principal components in layers["denoised"], the components in obsm["latent"].

    The components are those of log1p of counts scaled to the median library size. Negative values become 0, and each
    cell is scaled back to its own library size.
    """
    from sklearn.decomposition import PCA

    matrix = csr_matrix(counts.X)
    model = PCA(min(components, *np.subtract(counts.shape, 1)), svd_solver="randomized", random_state=seed)
    latent = model.fit_transform(np.log1p(normalised(matrix)))
    rebuilt = np.maximum(np.expm1(model.inverse_transform(latent)), 0)
    denoised = counts.copy()
    denoised.layers["denoised"] = to_library(rebuilt, matrix)
    denoised.obsm["latent"] = latent.astype(np.float32)
    return denoised
