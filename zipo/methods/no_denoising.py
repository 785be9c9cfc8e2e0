"""Control: the counts as they are, the floor that denoising must beat."""

import anndata as ad
from scipy.sparse import csr_matrix

name = "no_denoising"
env = None
parameters: dict = {}
control = True
seeded = False
keeps_library = True
scale = "the counts themselves"
source = "a control"


def denoise(counts: ad.AnnData, *, seed: int) -> ad.AnnData:
    """The counts in layers["denoised"]; nothing is random, so the seed changes nothing."""
    denoised = counts.copy()
    denoised.layers["denoised"] = csr_matrix(counts.X).toarray()
    return denoised
