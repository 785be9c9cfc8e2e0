"""The simplest method with latents: a few principal components of the logarithms, and back."""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

name = "pca"
env = None
parameters = {"components": 20}


def denoise(counts: ad.AnnData, *, seed: int, components: int = 20) -> ad.AnnData:
    """Counts rebuilt from their principal components in layers["denoised"], the components in obsm["latent"].

    The components are those of log1p of counts scaled to the median library size. Negative values become 0, and each
    cell is scaled back to its own library size.
    """
    from sklearn.decomposition import PCA

    matrix = csr_matrix(counts.X)
    library = np.asarray(matrix.sum(axis=1), dtype=np.float32)  # (cells, 1)
    scale = np.maximum(library, 1) / np.median(library)
    logs = np.log1p(matrix.toarray() / scale)
    model = PCA(min(components, *np.subtract(counts.shape, 1)), svd_solver="randomized", random_state=seed)
    latent = model.fit_transform(logs)
    rebuilt = np.maximum(np.expm1(model.inverse_transform(latent)), 0)
    total = rebuilt.sum(axis=1, keepdims=True)
    denoised = counts.copy()
    denoised.layers["denoised"] = (rebuilt * (library / np.maximum(total, 1e-6))).astype(np.float32)
    denoised.obsm["latent"] = latent.astype(np.float32)
    return denoised
