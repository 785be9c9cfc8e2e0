"""Control: the mean expression of all cells, scaled to the library size of each."""

import anndata as ad
from scipy.sparse import csr_matrix

from zipo.methods.shared.library import from_shares

name = "gene_mean"
env = None
parameters: dict = {}
control = True
seeded = False
keeps_library = True
scale = "each gene's share of all counts times the cell's library size: counts"
source = "a control"


def denoise(counts: ad.AnnData, *, seed: int) -> ad.AnnData:
    """Each gene's share of all counts times each cell's library size, in layers["denoised"].

    The seed changes nothing.
    """
    denoised = counts.copy()
    denoised.layers["denoised"] = from_shares(csr_matrix(counts.X))
    return denoised
