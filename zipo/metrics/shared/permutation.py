"""Counts without correlations: each gene's counts permuted among the cells of a type."""

import anndata as ad
import numpy as np
from scipy.sparse import csc_matrix, csr_matrix, hstack

from zipo.metrics.shared.chunks import chunks


def permuted(data: ad.AnnData, seed: int) -> ad.AnnData:
    """The data set with each gene permuted within cell types, on its own; cells without a type form one, and all do
    where none are known.

    Each gene keeps its distribution within a type; two genes go together by chance alone. Truth and latents, which
    belong to the cells before the permutation, are left out. uns["permuted"] marks the result.
    """
    rng = np.random.default_rng(seed)
    counts: csc_matrix = data.X.tocsc()
    types = np.full(data.n_obs, "")
    if "cell_type" in data.obs:
        types = data.obs["cell_type"].astype(object).fillna("").to_numpy()
    groups = [np.flatnonzero(types == cell_type) for cell_type in np.unique(types.astype(str))]
    parts = []
    for genes in chunks(data.n_vars, data.n_obs):
        block = counts[:, genes].toarray()
        for cells in groups:
            block[cells] = rng.permuted(block[cells], axis=0)
        parts.append(csr_matrix(block))
    return ad.AnnData(csr_matrix(hstack(parts)), obs=data.obs.copy(), var=data.var.copy(), uns={"permuted": True})
