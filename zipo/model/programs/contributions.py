"""The contribution of each gene to each program, and the activity of each program in each cell.

A program is a neuron of the first layer, whose input in cell c is a_c = b + sum_g w_g v_cg, with v the genes as the encoder
sees them. Its spread over cells is, exactly, a sum over genes,

    sd(a) = sum_g w_g cov(v_g, a) / sd(a) = sum_g w_g sd(v_g) r_g,    r_g = cor(v_g, a),

and so a gene's part of it is weight x spread x correlation. A weight alone says little: penalties hardly shrink the weights
of genes that few cells have, on which a neuron does not depend. Nor does weight x spread, as many small terms of opposite
signs cancel in a neuron that reads many genes; the correlation leaves those that go with the neuron. The contribution is

    |w_g| sd(v_g) r_g x effect,

whose sign is that of the correlation: plus for genes that are high where the program is active. The effect is the same
for all genes of a program, which makes programs comparable: the root mean square derivative of log rates by the neuron's output
(`zipo.engine.neuron_effects`), times the slope of the regression of the output on a. In place of the slope at each cell,
it does justice to a neuron that is a switch, off or on in nearly all cells.

The sign of a neuron means nothing, since later layers can turn it. Programs are turned such that their activity is skewed to
the right: active in the smaller part of the cells.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from zipo.datasets.on_disk import some_cells
from zipo.datasets.raw_counts import counts_of
from zipo.engine.batches import AnyCounts, Batch
from zipo.engine.model import Network
from zipo.engine.neuron_effects import cells_for_effects, neuron_effects, neurons_of
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
    """(G, P) part of each gene in each program; 0 for weights that are 0 or pruned, and for genes that are not ranked."""
    activity: np.ndarray
    """(C, P) the neuron's output, in standard deviations from its mean over the cells."""
    neuron: np.ndarray
    """(P,) number of each program's neuron, from 1."""
    strength: np.ndarray
    """(P,) change of log rates by one standard deviation of the neuron's input: its spread times its effect."""

    @property
    def names(self) -> list[str]:
        """(P,) names of the programs, by their neurons, which stay the same whatever the cells."""
        return [f"program_{number}" for number in self.neuron]

    def leading(self, program: int, most: int) -> np.ndarray:
        """Positions of the genes with the largest positive contributions, at most so many."""
        column = self.contribution[:, program]
        order = np.argsort(-column, kind="stable")[:most]
        return order[column[order] > 0]


@engine_switches(gradients=False)
def contributions(
    model: ZiPo, adata: ad.AnnData, *, threshold: float = 1e-4, min_cells: int = MIN_CELLS
) -> Contributions:
    """Programs of a trained model in these cells, which have the model's genes.

    Weights below `threshold` times their neuron's largest are pruned. Genes with counts in fewer than `min_cells` cells
    are not ranked. Neurons on which no rate hangs, or that read no ranked gene, are no programs. Raises InputError where
    none is left.
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
        effect = neuron_effects(network, some.batches(cells_for_effects(network))).numpy()
        weights = network.encoder.first.weight.detach().cpu().numpy()
        parts = np.abs(weights) * moments.covariance / np.maximum(moments.spread, SMALLEST)
        parts *= ranked[:, None]
        effect = effect * np.abs(moments.gain)
        strength = moments.spread * effect
        kept = (strength > WEAKEST * strength.max()) & (moments.output_spread > SMALLEST) & parts.any(axis=0)
        order = np.argsort(-strength, kind="stable")
        order = order[kept[order]]
        if not len(order):
            raise InputError("no neuron of the first layer tells these cells apart, so there are no programs")
        activity = np.concatenate([outputs[:, order] for _, _, outputs in _neurons(network, counts)])
    activity -= activity.mean(axis=0)
    activity /= activity.std(axis=0)
    signs = np.where(np.mean(activity**3, axis=0) < 0, -1.0, 1.0)
    # an output that falls with its input is active where the input is low
    turned = signs * np.where(moments.gain[order] < 0, -1.0, 1.0)
    return Contributions(
        model.genes,
        ranked,
        (parts[:, order] * effect[order] * turned).astype(np.float32),
        (activity * signs).astype(np.float32),
        order + 1,
        strength[order].astype(np.float32),
    )


@dataclass
class Moments:
    """Moments of genes and neurons over cells, float64."""

    covariance: np.ndarray
    """(G, K) of each gene, as the encoder sees it, and each neuron's input."""
    spread: np.ndarray
    """(K,) standard deviation of each neuron's input."""
    output_spread: np.ndarray
    """(K,) standard deviation of each neuron's output."""
    gain: np.ndarray
    """(K,) slope of the regression of a neuron's output on its input."""

    @classmethod
    def of(cls, network: Network, counts: AnyCounts) -> "Moments":
        """In two passes over the cells, the first for the means: sums about them do not cancel."""
        genes, inputs, outputs = (0.0,) * 3
        for values, given, made in _neurons(network, counts):
            genes = genes + np.asarray(values.sum(axis=0)).ravel()
            inputs, outputs = inputs + given.sum(axis=0), outputs + made.sum(axis=0)
        means = inputs / counts.cells, outputs / counts.cells
        covariance, variance, output_variance, shared = (0.0,) * 4
        for values, given, made in _neurons(network, counts):
            given, made = given - means[0], made - means[1]
            covariance = covariance + values.T @ given  # that of the genes' means with these adds up to 0
            variance, output_variance = variance + (given**2).sum(axis=0), output_variance + (made**2).sum(axis=0)
            shared = shared + (given * made).sum(axis=0)
        gain = shared / np.maximum(variance, SMALLEST)
        cells = counts.cells
        return cls(covariance / cells, np.sqrt(variance / cells), np.sqrt(output_variance / cells), gain)


def _neurons(network: Network, counts: AnyCounts) -> Iterator[tuple[csr_matrix, np.ndarray, np.ndarray]]:
    """Of each batch (B, G) genes as the encoder sees them, and (B, K) inputs and outputs of the neurons, float64."""
    for batch in counts.batches(network.hyper.batch_size):
        inputs, outputs = neurons_of(network, batch)
        yield _as_seen(network, batch), inputs.cpu().numpy().astype(float), outputs.cpu().numpy().astype(float)


def _as_seen(network: Network, batch: Batch) -> csr_matrix:
    """(B, G) values that the encoder sees."""
    values = network.transform(batch)
    parts = [each.cpu().numpy() for each in (values.double(), batch.columns, batch.starts)]
    return csr_matrix(tuple(parts), shape=(batch.cells, batch.genes))
