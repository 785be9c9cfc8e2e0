"""CellMapper: counts averaged over a graph of similar cells, with the weights that UMAP gives to neighbours."""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

from zipo.methods.shared.library import normalised

name = "cellmapper"
env = "cellmapper"
parameters = {"n_neighbors": 30, "n_comps": 50}
seeded = True
keeps_library = True
scale = "counts averaged over the graph of their logarithms, and each cell to its own library size: counts"
source = "Lange 2025, doi 10.5281/zenodo.15683594, cellmapper 0.2.5"
imports = ("cellmapper",)


def denoise(counts: ad.AnnData, *, seed: int, n_neighbors: int, n_comps: int) -> ad.AnnData:
    """CellMapper's averages in layers["denoised"]; the graph is that of principal components of logarithms."""
    import scanpy as sc
    from cellmapper import CellMapper

    matrix = csr_matrix(counts.X)
    data = ad.AnnData(np.log1p(normalised(matrix)), obs=counts.obs[[]], var=counts.var[[]])
    data.layers["counts"] = matrix
    # there are less components than cells or genes
    sc.pp.pca(data, n_comps=min(n_comps, min(counts.shape) - 1), random_state=seed)
    mapper = CellMapper(data).map(
        use_rep="X_pca", layer_key="counts", target_libsize="counts", n_neighbors=min(n_neighbors, counts.n_obs - 1)
    )
    denoised = counts.copy()
    denoised.layers["denoised"] = csr_matrix(mapper.query_imputed.X).astype(np.float32)
    return denoised
