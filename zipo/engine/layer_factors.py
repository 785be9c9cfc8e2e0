"""A first layer that is not trained: each neuron reads the leading genes of a non-negative factor of the input.

Neurons that are trained and have few genes each do not stay apart: on human pancreas a layer with 2 % of its weights
left mixed cell types in nearly every neuron, in trials from random weights and from factors. A factorisation keeps
types apart, and it starts from an SVD, so that seeds of the training draw nothing.
"""

import warnings
from itertools import islice

import numpy as np
import torch
from scipy.sparse import csr_matrix, diags, vstack

from zipo.engine.batches import AnyCounts
from zipo.engine.model import Network
from zipo.engine.neuron_effects import seen_by_encoder
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
            f"encoder {network.hyper.encoder}: sparsity: factors makes a factor for each neuron of the first layer, "
            f"and {seen.shape[0]} training cells x {seen.shape[1]} genes have {min(seen.shape)} at most; narrow it"
        )
    weights, means = leading_genes(seen, neurons, genes)
    layer.weight.copy_(torch.from_numpy(weights))
    layer.bias.copy_(torch.from_numpy(-means))


def leading_genes(seen: csr_matrix, factors: int, genes: int) -> tuple[np.ndarray, np.ndarray]:
    """(G, K) weights that are not zero for the leading genes of each factor of these cells, with which the cells'
    projections have unit variance; and (K,) the means of these.

    Genes are scaled by a power of their spread throughout. They lead by their covariance with the factor's amounts in
    the cells, which is their weight too: loadings of a gene depend on what other factors explain of it.
    """
    spread = spread_of(seen)
    scales = np.divide(1, spread**SPREAD_POWER, out=np.zeros_like(spread), where=spread > 0)
    scaled = csr_matrix(seen @ diags(scales))
    amounts = amounts_of_factors(scaled, factors)
    weights = np.asarray(scaled.T @ (amounts - amounts.mean(axis=0)))
    leading = np.argsort(-weights, axis=0, kind="stable")[:genes]
    kept = np.zeros(weights.shape, bool)
    np.put_along_axis(kept, leading, True, axis=0)
    weights *= (kept & (weights > 0)) * scales[:, None]
    projections = seen @ weights
    spread = projections.std(axis=0)
    scales = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 0)
    return (weights * scales).astype(np.float32), (projections.mean(axis=0) * scales).astype(np.float32)


def amounts_of_factors(matrix: csr_matrix, factors: int) -> np.ndarray:
    """(C, K) amounts of the non-negative factors of a non-negative matrix by least squares, which start from its SVD
    (Boutsidis & Gallopoulos 2008, doi 10.1016/j.patcog.2007.09.010)."""
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    model = NMF(factors, init="nndsvd", solver="cd", max_iter=ROUNDS, tol=TOLERANCE, random_state=0)
    with warnings.catch_warnings():  # the order of genes has settled long before the last digits have
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit_transform(matrix)


def spread_of(seen: csr_matrix) -> np.ndarray:
    """(G,) standard deviations over the cells."""
    mean, square = (np.asarray(each.mean(axis=0)).ravel() for each in (seen, seen.multiply(seen)))
    return np.sqrt(np.maximum(square - mean**2, 0))


def as_seen(network: Network, counts: AnyCounts) -> csr_matrix:
    """(C, G) float64 what the encoder sees of all cells, or of CELLS of them drawn at random, by no seed."""
    size = network.hyper.batch_size
    order = None if counts.cells <= CELLS else counts.order(torch.Generator().manual_seed(0))
    batches = islice(counts.batches(size, order), -(-min(CELLS, counts.cells) // size))
    return vstack([seen_by_encoder(network, batch) for batch in batches], format="csr")
