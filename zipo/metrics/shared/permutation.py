"""Counts without correlations: each gene's counts permuted among the cells of a type."""

import anndata as ad
import numpy as np
from scipy.sparse import csc_matrix, csr_matrix, hstack

from zipo.metrics.shared.chunks import chunks


def permuted(data: ad.AnnData, seed: int) -> ad.AnnData:
    """The data set with each gene permuted within cell types, on its own; cells without a type form one.

    What a gene does within a type stays, what two genes do together is chance. Truth and latents, which go with the
    cells as they were, are left out. It says so of itself in uns["permuted"].
    """
    rng = np.random.default_rng(seed)
    counts: csc_matrix = data.X.tocsc()
    types = data.obs["cell_type"].astype(object).fillna("").to_numpy()
    groups = [np.flatnonzero(types == cell_type) for cell_type in np.unique(types.astype(str))]
    parts = []
    for genes in chunks(data.n_vars, data.n_obs):
        block = counts[:, genes].toarray()
        for cells in groups:
            block[cells] = rng.permuted(block[cells], axis=0)
        parts.append(csr_matrix(block))
    return ad.AnnData(csr_matrix(hstack(parts)), obs=data.obs.copy(), var=data.var.copy(), uns={"permuted": True})
