"""Control: counts drawn towards the mean of all cells, by one weight for all entries.

It knows nothing of cells that are alike: a method that makes use of them has to predict unseen molecules better.
"""

import anndata as ad
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix

from zipo.datasets.thinning import thin
from zipo.methods.shared.library import from_shares

name = "shrinkage"
env = None
parameters = {"share": 0.9}
control = True
seeded = True
keeps_library = True
scale = "a weighted mean of the counts and of what the gene's mean expects at the cell's library size: counts"
source = "a control"


def denoise(counts: ad.AnnData, *, seed: int, share: float = 0.9) -> ad.AnnData:
    """(1 - w) x + w m in layers["denoised"], with x the counts and m the gene's share of all counts times the cell's
    library size.

    The weight w is the one that predicts best, by Poisson deviance, the molecules of x that a random split leaves out;
    `share` is the share of molecules that it keeps.
    """
    matrix = csr_matrix(counts.X)
    stream = int(np.random.SeedSequence(seed).generate_state(1)[0])  # not that by which the caller split molecules
    weight = best_weight(*thin(matrix, share, stream))
    denoised = counts.copy()
    denoised.layers["denoised"] = np.float32(weight) * from_shares(matrix)
    denoised.layers["denoised"] += np.float32(1 - weight) * matrix.toarray()
    return denoised


def best_weight(kept: csr_matrix, left_out: csr_matrix) -> float:
    """Weight of the gene means, between 0 and 1, at which the mixture of `kept` with them predicts `left_out` best.

    Whatever the weight, a cell's prediction adds up to its library size. So its Poisson deviance from the counts left
    out changes by -2 sum x log y alone, over the entries with x > 0, and has one minimum.
    """
    at = left_out.nonzero()
    observed = np.asarray(left_out[at], dtype=np.float64).ravel()
    own = np.asarray(kept[at], dtype=np.float64).ravel()
    mean = from_shares(kept)[at].astype(np.float64)
    known = mean > 0  # else nothing is expected, whatever the weight
    observed, own, mean = observed[known], own[known], mean[known]

    def loss(weight: float) -> float:
        return -float(observed @ np.log((1 - weight) * own + weight * mean))

    return float(minimize_scalar(loss, bounds=(0, 1), method="bounded").x)
