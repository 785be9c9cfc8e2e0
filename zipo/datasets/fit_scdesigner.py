"""Fits scDesigner to counts, in an environment of its own: `python fit_scdesigner.py counts.h5ad fit.npz seed`.

The counts are in X, the types of the cells in obs["cell_type"]. Negative binomials are fitted whose means depend on the
type, with one size for each gene, and a Gaussian copula of all genes. ZiPo need not be installed.
"""

import sys
from pathlib import Path

import anndata as ad
import numpy as np

EPOCHS, LEARNING_RATE = 200, 0.05  # at the package's own rate of .005 the fit takes several times as many epochs


def main(counts: Path, target: Path, seed: int) -> None:
    """Fit, and write types, means (types, genes), sizes (genes,) and the copula's correlations (genes, genes)."""
    import pandas as pd
    import torch
    from scdesigner.simulators import NegBinCopula

    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # the package draws from numpy's global generator
    torch.set_num_threads(1)
    data = ad.read_h5ad(counts)
    data.X = data.X.toarray()
    data.obs["cell_type"] = pd.Categorical(data.obs["cell_type"].astype(str))
    model = NegBinCopula("~ cell_type", "~ 1", "~ 1")
    model.fit(data, verbose=False, max_epochs=EPOCHS, lr=LEARNING_RATE)
    predicted = model.predict(data.obs)
    types = data.obs["cell_type"].cat.categories.to_numpy(str)
    first = [int(np.flatnonzero(data.obs["cell_type"] == cell_type)[0]) for cell_type in types]
    (copula,) = model.copula.parameters.values()
    correlations = copula.cov.to_numpy()
    np.savez(
        target, types=types, means=predicted["mean"][first], sizes=predicted["dispersion"][0], correlations=correlations
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
