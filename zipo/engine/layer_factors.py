"""A first layer that is not trained: each neuron reads the leading genes of a non-negative factor of the input.

Neurons that are trained and few genes each do not stay apart: on human pancreas a layer with 2 % of its weights left
mixes cell types in nearly every neuron, and does so from random weights and from these factors alike. A factorisation
keeps types apart, and it starts from an SVD, so that seeds of the training draw nothing.
"""

import warnings
from itertools import islice

import numpy as np
import torch
from scipy.sparse import csr_matrix, diags, vstack
from torch import Tensor

from zipo.engine.batches import AnyCounts
from zipo.engine.model import Network
from zipo.shared.errors import InputError

CELLS = 10_000
"""That are factorised, drawn at random from more."""
SPREAD_POWER = 0.5
"""Genes are divided by this power of their spread: by 0 the most variable genes make up nearly all factors, and by 1
genes seen in a few cells weigh as much as any."""
ROUNDS, TOLERANCE = 200, 1e-3


@torch.no_grad()
def start_from_factors(network: Network, counts: AnyCounts, genes: int) -> None:
    """Make the first layer of factors of what the encoder sees of these cells, so many genes each.

    Raises InputError for more neurons than there are genes or cells.
    """
    layer = network.encoder.first
    seen = as_seen(network, counts)
    neurons = layer.weight.shape[1]
    if neurons > min(seen.shape):
        raise InputError(
            f"encoder {network.hyper.encoder}: sparsity: factors takes as many factors as the first layer has neurons, "
            f"and {seen.shape[0]} training cells x {seen.shape[1]} genes have {min(seen.shape)} at most; make the first "
            "layer narrower"
        )
    weights, means = leading_genes(seen, neurons, genes)
    layer.weight.copy_(torch.from_numpy(weights))
    layer.bias.copy_(torch.from_numpy(-means))


def leading_genes(seen: csr_matrix, factors: int, genes: int) -> tuple[np.ndarray, np.ndarray]:
    """(G, K) weights of a projection on each factor of these cells, but for its leading genes zero, such that it has
    unit variance; and (K,) its means.

    Genes lead by weight times covariance with the projection on the whole factor: what they have of its variance.
    """
    power = spread_of(seen) ** SPREAD_POWER
    inverse = np.divide(1, power, out=np.zeros_like(power), where=power > 0)
    weights = factorised(seen @ diags(inverse), factors) * inverse[:, None]
    projections = seen @ weights
    shares = weights * (seen.T @ (projections - projections.mean(axis=0)))
    order = np.argsort(-shares, axis=0, kind="stable")
    kept = np.zeros(weights.shape, bool)
    np.put_along_axis(kept, order[:genes], True, axis=0)
    weights *= kept & (shares > 0)
    projections = seen @ weights
    spread = projections.std(axis=0)
    weights = np.divide(weights, spread, out=np.zeros_like(weights), where=spread > 0)
    return weights.astype(np.float32), (seen @ weights).mean(axis=0).astype(np.float32)


def factorised(matrix: csr_matrix, factors: int) -> np.ndarray:
    """(G, K) non-negative factors of a non-negative matrix by least squares, from its SVD (Boutsidis & Gallopoulos
    2008, doi 10.1016/j.patcog.2007.09.010)."""
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    model = NMF(factors, init="nndsvd", solver="cd", max_iter=ROUNDS, tol=TOLERANCE, random_state=0)
    with warnings.catch_warnings():  # the order of genes has settled long before the last digits have
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(csr_matrix(matrix))
    return model.components_.T


def spread_of(seen: csr_matrix) -> np.ndarray:
    """(G,) standard deviations over the cells."""
    mean, square = (np.asarray(each.mean(axis=0)).ravel() for each in (seen, seen.multiply(seen)))
    return np.sqrt(np.maximum(square - mean**2, 0))


def as_seen(network: Network, counts: AnyCounts) -> csr_matrix:
    """(C, G) float64 what the encoder sees of all cells, or of CELLS of them drawn at random, by no seed."""
    size = network.hyper.batch_size
    order = None if counts.cells <= CELLS else counts.order(torch.Generator().manual_seed(0))
    parts = []
    for batch in islice(counts.batches(size, order), -(-min(CELLS, counts.cells) // size)):
        stored: list[Tensor] = [network.transform(batch).double(), batch.columns, batch.starts]
        parts.append(csr_matrix(tuple(each.cpu().numpy() for each in stored), shape=(batch.cells, batch.genes)))
    return vstack(parts, format="csr")
