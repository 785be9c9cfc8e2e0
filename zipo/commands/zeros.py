"""Mean count of each gene, and its observed and expected shares of zeros, which the output holds for `zipo plot`."""

import anndata as ad
import numpy as np

from zipo.datasets.counts import as_csr, checked_counts
from zipo.datasets.on_disk import on_disk
from zipo.model.estimator import ZiPo

# columns of var
MEAN, OBSERVED, EXPECTED = "zipo_mean_counts", "zipo_zeros_observed", "zipo_zeros_expected"
CELLS = 10_000  # enough for a gene's share to half a percent


def zero_shares(model: ZiPo, adata: ad.AnnData) -> dict[str, np.ndarray]:
    """Each gene's mean count, share of cells without a count of it, and mean over these cells of Pr(0), all (genes,),
    by the names of their columns.

    All cells count, or CELLS drawn at random by the model's seed.
    """
    cells = np.arange(adata.n_obs)
    if adata.n_obs > CELLS:
        cells = np.sort(np.random.default_rng(model.seed).choice(adata.n_obs, CELLS, replace=False))
    rows = on_disk(adata, "counts")
    matrix = as_csr(adata.X, "counts")[cells] if rows is None else rows.read(cells)
    counts = checked_counts(matrix, adata.obs_names[cells], adata.var_names, "counts")
    expected = np.zeros(adata.n_vars)
    for prediction in model.predictions(ad.AnnData(counts, obs=adata.obs.iloc[cells], var=adata.var)):
        expected += np.exp(prediction.likelihood.log_prob_zero().double().cpu().numpy()).sum(axis=0)
    return {
        MEAN: np.asarray(counts.sum(axis=0, dtype=np.float64)).ravel() / len(cells),
        OBSERVED: 1 - counts.getnnz(axis=0) / len(cells),
        EXPECTED: expected / len(cells),
    }
