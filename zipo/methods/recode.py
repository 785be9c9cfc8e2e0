"""RECODE: counts whose noise, of known variance, is taken off their principal components."""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

from zipo.methods.shared.library import to_library

name = "recode"
env = "recode"
parameters = {"version": 2}
seeded = False
keeps_library = True
scale = "counts, whose negative values the package sets to zero, and each cell to its own library size: counts"
source = (
    "Imoto 2022, doi 10.26508/lsa.202201591, screcode 2.2.0; patented (Japan 7672160): its MIT licence grants no "
    "rights under the patent, and commercial use needs a licence from its authors"
)
imports = ("screcode",)

SEED = 0  # the package's default; only singular vectors of many genes and the choice among 10,000 cells need one


def denoise(counts: ad.AnnData, *, seed: int, version: int) -> ad.AnnData:
    """RECODE's counts in layers["denoised"]; `version` 2 also changes eigenvectors, 1 is the method as published."""
    from screcode import RECODE

    matrix = csr_matrix(counts.X)
    model = RECODE(version=version, random_state=SEED, log_normalize=False, verbose=False)
    values = model.fit_transform(matrix.toarray().astype(np.float64))
    denoised = counts.copy()
    denoised.layers["denoised"] = to_library(values, matrix)
    return denoised
