"""Control: a weighted mean of each count and its gene's mean expression, with one weight for all entries.

It makes no use of similar cells: a method that does has to predict unseen molecules better.
"""

import anndata as ad
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix

from zipo.methods.shared.library import from_shares
from zipo.methods.shared.nested import nested_split

name = "shrinkage"
env = None
parameters = {"share": 0.9}
control = True
seeded = True
keeps_library = True
scale = "a weighted mean of the counts and of what the gene's mean expects at the cell's library size: counts"
source = "a control"


def denoise(counts: ad.AnnData, *, seed: int, share: float = 0.9) -> ad.AnnData:
    """(1 - w) x + w m in layers["denoised"], with counts x and gene means m.

    m is the gene's share of all counts times the cell's library size. The weight w is the one that predicts best, by
    Poisson deviance, the molecules of x that a random split leaves out; it keeps the share `share` of them.
    """
    matrix = csr_matrix(counts.X)
    weight = best_weight(*nested_split(matrix, seed, share))
    denoised = counts.copy()
    denoised.layers["denoised"] = np.float32(weight) * from_shares(matrix)
    denoised.layers["denoised"] += np.float32(1 - weight) * matrix.toarray()
    return denoised


def best_weight(training: csr_matrix, held_out: csr_matrix) -> float:
    """Weight of the gene means, between 0 and 1, at which the mixture of `training` with them predicts `held_out` best.

    Whatever the weight, a cell's prediction adds up to its library size. So its Poisson deviance from the held-out
    counts changes by -2 sum x log y alone, over the entries with x > 0, and has one minimum.
    """
    at = held_out.nonzero()
    observed = np.asarray(held_out[at], dtype=np.float64).ravel()
    training_counts = np.asarray(training[at], dtype=np.float64).ravel()
    mean = from_shares(training)[at].astype(np.float64)
    known = mean > 0  # else nothing is expected, whatever the weight
    observed, training_counts, mean = observed[known], training_counts[known], mean[known]

    def loss(weight: float) -> float:
        return -float(observed @ np.log((1 - weight) * training_counts + weight * mean))

    return float(minimize_scalar(loss, bounds=(0, 1), method="bounded").x)
