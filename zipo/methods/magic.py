"""MAGIC: expression diffused along a graph of similar cells."""

import os

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

name = "magic"
env = "magic"
parameters = {"knn": 5, "decay": 1, "t": 3, "n_pca": 100}
seeded = True
keeps_library = True
scale = (
    "square roots of normalised counts; negative values become 0, squares, and each cell is scaled to its own library "
    "size: counts"
)
source = "van Dijk 2018, doi 10.1016/j.cell.2018.05.061, magic-impute 3.0.0"
imports = ("magic",)


def denoise(counts: ad.AnnData, *, seed: int, **parameters) -> ad.AnnData:
    """MAGIC's expression as counts in layers["denoised"]; `parameters` are those of magic.MAGIC."""
    from magic import MAGIC

    matrix = csr_matrix(counts.X)
    library = np.asarray(matrix.sum(axis=1), dtype=np.float64)  # (cells, 1)
    roots = np.sqrt(matrix.toarray() * (np.median(library) / library))
    # more components than cells or genes there are not
    parameters["n_pca"] = components if (components := parameters["n_pca"]) < min(counts.shape) else None
    model = MAGIC(**parameters, random_state=seed, n_jobs=int(os.environ["OMP_NUM_THREADS"]), verbose=0)
    smooth = np.square(np.maximum(model.fit_transform(roots), 0))
    denoised = counts.copy()
    total = np.maximum(smooth.sum(axis=1, keepdims=True), 1e-6)
    denoised.layers["denoised"] = (smooth * (library / total)).astype(np.float32)
    return denoised
