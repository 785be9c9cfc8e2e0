"""Filters on cells and genes, in a fixed order: cells, then genes by detection, then the most variable."""

from typing import Literal

import anndata as ad
import numpy as np

from zipo.datasets.catalogue import Filters
from zipo.datasets.remarks import with_remarks
from zipo.shared.errors import InputError

CELLS_SEED = 1
"""Fixes which cells are drawn where a number of them is asked for."""


def apply(adata: ad.AnnData, filters: Filters, fewer_genes: Literal["refuse", "keep"] = "refuse") -> ad.AnnData:
    """The kept cells and genes, in their original order; uns["min_cells"] is the detection that genes had to have.

    Where fewer genes than target_genes are detected in the kept cells, raises InputError, or keeps all that are and
    adds to uns["remarks"].
    """
    library = np.asarray(adata.X.sum(axis=1)).ravel()
    detected = np.diff(adata.X.indptr)
    adata = adata[(library >= filters.min_counts) & (detected >= filters.min_genes)]
    if filters.random_cells is not None and filters.random_cells < adata.n_obs:
        chosen = np.random.default_rng(CELLS_SEED).choice(adata.n_obs, filters.random_cells, replace=False)
        adata = adata[np.sort(chosen)]
    cells_per_gene = np.bincount(adata.X.indices, minlength=adata.n_vars)
    min_cells, remarks = filters.min_cells, []
    if filters.target_genes is not None and adata.n_obs:  # no cells are refused later, by their own name
        detected_genes = int(np.count_nonzero(cells_per_gene))
        if detected_genes < filters.target_genes and fewer_genes == "refuse":
            raise InputError(
                f"filters.target_genes: {filters.target_genes} genes are asked for, but only {detected_genes} are "
                "detected in the kept cells; ask for fewer"
            )
        if detected_genes < filters.target_genes:
            remarks.append(
                f"all {detected_genes:,} detected genes are kept, where target_genes is {filters.target_genes:,}"
            )
        min_cells = _detection_of(min(filters.target_genes, detected_genes), cells_per_gene)
    adata = with_remarks(adata[:, cells_per_gene >= min_cells].copy(), remarks)
    adata.uns["min_cells"] = min_cells
    if filters.most_variable is not None and filters.most_variable < adata.n_vars and adata.n_obs:
        adata = adata[:, _most_variable(adata, filters.most_variable)].copy()
    return adata


def _detection_of(rank: int, cells_per_gene: np.ndarray) -> int:
    """The number of cells in which the gene of this rank by detection, from 1, is detected; 1 for rank 0."""
    return int(np.sort(cells_per_gene)[-rank]) if rank else 1


def _most_variable(adata: ad.AnnData, genes: int) -> np.ndarray:
    """Mask of the genes with the most variable Pearson residuals (Lause 2021, 10.1186/s13059-021-02451-7)."""
    import scanpy as sc

    ranked = sc.experimental.pp.highly_variable_genes(
        adata, flavor="pearson_residuals", n_top_genes=genes, inplace=False
    )
    return ranked["highly_variable"].to_numpy()
