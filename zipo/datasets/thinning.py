"""Molecular cross-validation: molecules split in two, as if each cell had been sequenced twice.

Batson 2019, doi 10.1101/786269. A molecule goes to the training counts with probability `share`, so training counts
have the mean `share` times that of all counts, held-out counts the rest, and Poisson counts are independent of
each other.
"""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix


def thin(counts: csr_matrix, share: float, seed: int) -> tuple[csr_matrix, csr_matrix]:
    """Training and held-out counts, float32 (cells, genes), whole numbers that add up to `counts`."""
    training = np.random.default_rng(seed).binomial(counts.data.astype(np.int64), share).astype(np.float32)
    parts = []
    for values in (training, counts.data - training):
        part = csr_matrix((values, counts.indices.copy(), counts.indptr.copy()), counts.shape)
        part.eliminate_zeros()  # a stored zero would count as a detection
        parts.append(part)
    return parts[0], parts[1]


def thinned(data: ad.AnnData, share: float, seed: int) -> tuple[ad.AnnData, csr_matrix]:
    """A data set of the training molecules, and the held-out counts (cells, genes).

    Where the true rates are known, those of the training molecules are `share` times as high; probabilities of loss
    stay as they are, because a loss takes all molecules of a gene in a cell.
    """
    counts, held_out = thin(data.X, share, seed)
    training = data.copy()
    training.X = counts
    for layer in {"true_rates", "true_state_rates"} & set(training.layers):
        training.layers[layer] = training.layers[layer] * np.float32(share)
    if "true_loss" in training.uns:  # which depends on the rates of all molecules
        loss = training.uns["true_loss"]
        training.uns["true_loss"] = loss | {"midpoint": loss["midpoint"] + np.log(share)}
    return training, held_out
