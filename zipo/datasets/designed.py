"""Drawing counts with a known truth from negative binomials and a copula that were fitted to real counts."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.special import gammaincinv, ndtr

LEAST_CORRELATION_EIGENVALUE = 1e-6
"""Eigenvalues below are raised to this, since correlations of few cells may lack a Cholesky factor."""


def draw(fit: Path, seed: int) -> ad.AnnData:
    """Counts of as many cells as were fitted to, with their types and library sizes.

    An NB count is a Poisson count whose rate is a gamma variable. The rates are drawn here: their means are the fitted
    ones of the cell's type, brought to its library size, their spread around them is that of the fitted size of each
    gene, and the copula joins the genes. layers["true_rates"], the truth, so vary within a type, too, and genes go
    together. layers["true_state_rates"] are the means, and var["true_dispersion"] the reciprocal sizes; the noise
    around the means is not independent between genes.
    """
    rng = np.random.default_rng(seed)
    with np.load(fit) as stored:
        fitted = dict(stored)
    types, library, sizes = fitted["cell_types"], fitted["library"], fitted["sizes"].astype(np.float64)
    means = fitted["means"].astype(np.float64)[types]
    means *= library[:, None] / means.sum(axis=1, keepdims=True)
    normal = rng.standard_normal(means.shape) @ _root(fitted["correlations"].astype(np.float64)).T
    rates = gammaincinv(sizes, ndtr(normal)) / sizes * means
    counts = rng.poisson(rates)
    cells = [f"cell-{i}" for i in range(len(types))]
    return ad.AnnData(
        csr_matrix(counts.astype(np.float32)),
        obs=pd.DataFrame({"cell_type": pd.Categorical(fitted["types"][types])}, index=cells),
        var=pd.DataFrame({"true_dispersion": 1 / sizes}, index=fitted["genes"].astype(str)),
        layers={"true_rates": rates.astype(np.float32), "true_state_rates": means.astype(np.float32)},
    )


def _root(correlations: np.ndarray) -> np.ndarray:
    """A matrix whose product with its transpose is the correlations."""
    values, vectors = np.linalg.eigh(correlations)
    root = vectors * np.sqrt(np.maximum(values, LEAST_CORRELATION_EIGENVALUE))
    return root / np.linalg.norm(root, axis=1, keepdims=True)
