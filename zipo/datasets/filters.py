"""Filters on cells and genes, in a fixed order: cells, then genes by detection, then the most variable."""

import anndata as ad
import numpy as np

from zipo.datasets.catalogue import Filters


def apply(adata: ad.AnnData, filters: Filters) -> ad.AnnData:
    """The kept cells and genes, in their original order."""
    library = np.asarray(adata.X.sum(axis=1)).ravel()
    detected = np.diff(adata.X.indptr)
    adata = adata[(library >= filters.min_counts) & (detected >= filters.min_genes)]
    cells_per_gene = np.bincount(adata.X.indices, minlength=adata.n_vars)
    adata = adata[:, cells_per_gene >= filters.min_cells].copy()
    if filters.most_variable is not None and filters.most_variable < adata.n_vars and adata.n_obs:
        adata = adata[:, _most_variable(adata, filters.most_variable)].copy()
    return adata


def _most_variable(adata: ad.AnnData, genes: int) -> np.ndarray:
    """Mask of the genes with the most variable Pearson residuals (Lause 2021, 10.1186/s13059-021-02451-7)."""
    import scanpy as sc

    ranked = sc.experimental.pp.highly_variable_genes(
        adata, flavor="pearson_residuals", n_top_genes=genes, inplace=False
    )
    return ranked["highly_variable"].to_numpy()
