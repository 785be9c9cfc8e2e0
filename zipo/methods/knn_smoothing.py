"""kNN-smoothing: each cell's counts added to those of its nearest neighbours, which are found step by step.

Wagner 2017, doi 10.1101/217737; written from the paper, version 2 of the algorithm.
"""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

from zipo.methods.shared.freeman_tukey import freeman_tukey
from zipo.methods.shared.library import normalised, to_library

name = "knn_smoothing"
env = None
parameters = {"neighbours": 15, "components": 10, "dither": 0.03}
seeded = True
keeps_library = True
scale = "counts summed over a cell and its neighbours, and scaled to the cell's own library size: counts"
source = "Wagner 2017, doi 10.1101/217737, written from the paper"
imports = ("sklearn.decomposition", "sklearn.neighbors")


def denoise(
    counts: ad.AnnData, *, seed: int, neighbours: int = 15, components: int = 10, dither: float = 0.03
) -> ad.AnnData:
    """Smoothed counts in layers["denoised"], and the components of the last step in obsm["latent"].

    Step t adds up 2^t - 1 neighbours, found among the counts that the step before smoothed: the fewer neighbours, the
    noisier the counts they are chosen by. `dither` is noise on the components, as a share of each one's range.
    """
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(seed)
    matrix = csr_matrix(counts.X)
    neighbours = min(neighbours, counts.n_obs - 1)
    smooth = matrix
    for step in range(1, int(np.ceil(np.log2(neighbours + 1))) + 1):
        group_size = min(2**step - 1, neighbours) + 1  # with the cell itself
        model = PCA(min(components, *np.subtract(counts.shape, 1)), svd_solver="randomized", random_state=seed)
        latent = model.fit_transform(freeman_tukey(normalised(smooth)))
        latent += (rng.random(latent.shape) - 0.5) * np.ptp(latent, axis=0) * dither
        graph = NearestNeighbors(n_neighbors=group_size).fit(latent).kneighbors_graph(latent)
        smooth = csr_matrix(graph @ matrix)
    denoised = counts.copy()
    denoised.layers["denoised"] = to_library(smooth.toarray(), matrix)
    denoised.obsm["latent"] = latent.astype(np.float32)
    return denoised
