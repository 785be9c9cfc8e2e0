"""Noise2Self: counts averaged over a graph of similar cells, whose sizes are those that predict a cell from others."""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

from zipo.methods.shared.library import normalised, to_library

name = "scself"
env = "scself"
parameters = {"metric": "euclidean"}
seeded = False
keeps_library = True
scale = "normalised counts averaged over the graph of their logarithms, and each cell to its own library size: counts"
source = "Batson 2019, arXiv 1901.11365; Tjarnberg 2021, doi 10.1371/journal.pcbi.1008569, scself 0.5.1"
imports = ("scself",)

COMPONENTS = np.arange(5, 115, 10)
"""Numbers of principal components that the package tries by default."""
NEIGHBOURS = np.arange(15, 115, 10)
"""Numbers of neighbours that it tries by default; then it chooses one for each cell."""

SEED = 0  # of the search for neighbours, which is exact below 25,000 cells


def denoise(counts: ad.AnnData, *, seed: int, metric: str) -> ad.AnnData:
    """Averages over each cell's neighbours in layers["denoised"], the cell itself left out; `metric` is the graph's.

    What is averaged are normalised counts: logarithms would take most of their counts from genes that are rarely seen.
    """
    from scself import denoise_data, noise2self

    matrix = csr_matrix(counts.X)
    components, neighbours = (
        sizes[sizes < largest] for sizes, largest in ((COMPONENTS, min(counts.shape)), (NEIGHBOURS, counts.n_obs))
    )
    graph, *_ = noise2self(matrix, neighbours, components, metric=metric, random_state=SEED)
    denoised = counts.copy()
    denoised.layers["denoised"] = to_library(denoise_data(normalised(matrix), graph), matrix)
    return denoised
