"""The contribution of each gene to each program, and the activity of each program in each cell.

A program is a neuron of the first layer. Its input in cell c is a_c = b + sum_g w_g v_cg, with v the genes as the
encoder sees them, and its output h_c, after activation and batch norm, is what the later layers see. The covariance of
the two over cells is, exactly, a sum over genes, each of which has a share of it:

    cov(a, h) = sum_g w_g cov(v_g, h),    share_g = w_g cov(v_g, h) / cov(a, h) = w_g sd(v_g) r_g sd(h) / cov(a, h),

weight x spread x correlation with the output. A weight alone says little: penalties hardly shrink the weights of genes
that few cells have, on which a neuron does not depend. Nor does weight x spread: a neuron that reads many genes adds up
many small terms of opposite signs, and the correlation leaves those that go with it. It is taken with the output, since
a neuron that is on in nearly all cells tells a few of them apart by an input that varies for other reasons in the rest.

The contribution is the size of this share times the program's strength, the root mean square change of log rates with
one standard deviation of the output (`zipo.engine.neuron_effects`), which is the same for all genes of a program and
makes programs comparable. Its sign is that of the correlation, plus for genes that are high where the program is
active. Where weight and correlation differ in sign the share is negative; the sizes of all then exceed the strength.

The sign of a neuron means nothing, since later layers can turn it. Programs whose weights have one sign are turned such
that their genes are high where they are active, others such that their activity is skewed to the right: active in the
smaller part of the cells.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from zipo.datasets.on_disk import some_cells
from zipo.datasets.raw_counts import counts_of
from zipo.engine.batches import AnyCounts
from zipo.engine.model import Network
from zipo.engine.neuron_effects import cells_for_effects, neuron_effects, neurons_of, seen_by_encoder
from zipo.engine.switches import engine_switches
from zipo.model.estimator import ZiPo
from zipo.shared.errors import InputError

MIN_CELLS = 10
"""Genes with a count in fewer cells are no part of a program: what goes with so few cells is mostly chance."""
EFFECT_CELLS = 500
"""Cells that effects are taken over, drawn at random: means over them differ little from those over all."""
WEAKEST = 0.01
"""Share of the largest strength below which a neuron is no program: hardly anything hangs on it."""
SMALLEST = 1e-12


@dataclass
class Contributions:
    """Programs of a model in some cells, the strongest first."""

    genes: pd.Index
    """(G,) genes of the model."""
    ranked: np.ndarray
    """(G,) whether a gene has counts in enough cells to be part of a program."""
    contribution: np.ndarray
    """(G, P) part of each gene in each program; 0 for weights that are 0 or pruned, and genes that are not ranked."""
    activity: np.ndarray
    """(C, P) the neuron's output, in standard deviations from its mean over the cells."""
    neuron: np.ndarray
    """(P,) number of each program's neuron, from 1."""
    strength: np.ndarray
    """(P,) change of log rates with one standard deviation of the neuron's output: its spread times its effect."""

    @property
    def names(self) -> list[str]:
        """(P,) names of the programs, by their neurons, which stay the same whatever the cells."""
        return [f"program_{number}" for number in self.neuron]

    def leading(self, program: int, most: int) -> np.ndarray:
        """Positions of the genes with the largest positive contributions, at most so many."""
        return largest_positive(self.contribution[:, program], most)


@engine_switches(gradients=False)
def contributions(
    model: ZiPo, adata: ad.AnnData, *, threshold: float = 1e-4, min_cells: int = MIN_CELLS
) -> Contributions:
    """Programs of a trained model in these cells, which have the model's genes.

    Weights below `threshold` times their neuron's largest are pruned. Genes with counts in fewer than `min_cells` cells
    are not ranked. Neurons on which no rate hangs, or that read no ranked gene, are no programs. Raises InputError
    where none is left.
    """
    if isinstance(min_cells, bool) or min_cells < 1:
        raise InputError(f"min_cells {min_cells}: a number of cells is expected, 1 at least")
    adata = counts_of(adata, "counts")
    counts = model._counts(adata, "counts")
    ranked = counts.gene_cells().cpu().numpy() >= min_cells
    if not ranked.any():
        raise InputError(
            f"counts: no gene has counts in {min_cells} of the {counts.cells} cells; give more cells, or a lower "
            "number by min_cells"
        )
    network = model.network.eval()
    with model.pruned(threshold):
        moments = Moments.of(network, counts)
        drawn = np.random.default_rng(model.seed).permutation(counts.cells)[:EFFECT_CELLS]
        some = model._counts(some_cells(adata, np.sort(drawn)), "counts")
        strength = moments.spread * neuron_effects(network, some.batches(cells_for_effects(network))).numpy()
        weights = network.encoder.first.weight.detach().cpu().numpy()
        parts = np.abs(weights) * moments.covariance * ranked[:, None]
        kept = (strength > WEAKEST * strength.max()) & (moments.shared != 0) & parts.any(axis=0)
        order = np.argsort(-strength, kind="stable")
        order = order[kept[order]]
        if not len(order):
            raise InputError("no neuron of the first layer tells these cells apart, so there are no programs")
        activity = np.concatenate([outputs[:, order].astype(np.float32) for _, _, outputs in _neurons(network, counts)])
    activity -= activity.mean(axis=0)
    activity /= activity.std(axis=0)
    skewed = np.mean(activity**3, axis=0)
    of_weights = np.where(one_sided(weights[:, order]), weights[:, order].sum(axis=0) * moments.shared[order], skewed)
    signs = np.where(of_weights < 0, -1.0, 1.0).astype(np.float32)
    shares = parts[:, order] / np.abs(moments.shared[order])
    return Contributions(
        genes=model.genes,
        ranked=ranked,
        contribution=(shares * strength[order] * signs).astype(np.float32),
        activity=activity * signs,
        neuron=order + 1,
        strength=strength[order].astype(np.float32),
    )


def largest_positive(column: np.ndarray, most: int) -> np.ndarray:
    """Positions of the largest values of a column that are positive, at most so many, the largest first."""
    order = np.argsort(-column, kind="stable")[:most]
    return order[column[order] > 0]


def one_sided(weights: np.ndarray) -> np.ndarray:
    """(P,) whether all weights (G, P) of a neuron that are not zero have the same sign."""
    return np.asarray((weights >= 0).all(axis=0) | (weights <= 0).all(axis=0))


@dataclass
class Moments:
    """Moments of genes and neurons over cells, float64."""

    covariance: np.ndarray
    """(G, K) of each gene, as the encoder sees it, and each neuron's output."""
    shared: np.ndarray
    """(K,) covariance of each neuron's input and output."""
    spread: np.ndarray
    """(K,) standard deviation of each neuron's output."""

    @classmethod
    def of(cls, network: Network, counts: AnyCounts) -> "Moments":
        """In two passes over the cells, the first for the means of outputs: products of deviations do not cancel."""
        means = sum(outputs.sum(axis=0) for _, _, outputs in _neurons(network, counts)) / counts.cells
        genes, neurons = network.encoder.first.weight.shape
        covariance, shared, squares = np.zeros((genes, neurons)), np.zeros(neurons), np.zeros(neurons)
        for values, inputs, outputs in _neurons(network, counts):
            deviations = outputs - means
            covariance += values.T @ deviations
            shared += (inputs * deviations).sum(axis=0)
            squares += (deviations**2).sum(axis=0)
        return cls(covariance / counts.cells, shared / counts.cells, np.sqrt(squares / counts.cells))


def _neurons(network: Network, counts: AnyCounts) -> Iterator[tuple[csr_matrix, np.ndarray, np.ndarray]]:
    """Of each batch (B, G) genes as the encoder sees them, and (B, K) inputs and outputs of the neurons, float64."""
    for batch in counts.batches(network.hyper.batch_size):
        inputs, outputs = neurons_of(network, batch)
        yield seen_by_encoder(network, batch), inputs.cpu().numpy().astype(float), outputs.cpu().numpy().astype(float)
