"""MAGIC: expression diffused along a graph of similar cells."""

import os
import warnings
from typing import Any

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

name = "magic"
env = "magic"
parameters = {"knn": 5, "decay": 1, "t": 3, "n_pca": 100}
seeded = True
keeps_library = True
scale = "normalised counts diffused on the graph of their square roots, and each cell to its own library size: counts"
source = "van Dijk 2018, doi 10.1016/j.cell.2018.05.061, magic-impute 3.0.0"
imports = ("magic",)


def denoise(counts: ad.AnnData, *, seed: int, **parameters: Any) -> ad.AnnData:
    """MAGIC's diffused counts in layers["denoised"]; `parameters` are those of magic.MAGIC.

    The graph is that of square roots, as its authors advise. What is diffused along it are counts: squares of averaged
    roots would take most of their counts from genes that are rarely seen.
    """
    from magic import MAGIC

    matrix = csr_matrix(counts.X)
    library = np.asarray(matrix.sum(axis=1), dtype=np.float64)  # (cells, 1)
    normalised = matrix.toarray() * (np.median(library) / library)
    # there are no more components than cells or genes
    parameters["n_pca"] = components if (components := parameters["n_pca"]) < min(counts.shape) else None
    model = MAGIC(**parameters, random_state=seed, n_jobs=int(os.environ["OMP_NUM_THREADS"]), verbose=0)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # that the graph was built from other values
        smooth = np.maximum(model.fit(np.sqrt(normalised)).transform(normalised), 0)
    denoised = counts.copy()
    total = np.maximum(smooth.sum(axis=1, keepdims=True), 1e-6)
    denoised.layers["denoised"] = (smooth * (library / total)).astype(np.float32)
    return denoised
