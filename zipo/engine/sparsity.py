"""Exact zeros in the first layer: a soft threshold after each step, fewer weights after each epoch, then a refit.

A penalty that only adds to the gradient never takes a weight to zero. With `sparsity: proximal` a soft threshold
follows each step of Adam, and each epoch ends with no more weights than a share that falls geometrically to
`weights_kept`. Then the support, the weights that are not zero, is fixed, and what is left is trained on without a
threshold, which would keep it too small (the relaxed lasso of Meinshausen 2007, doi 10.1016/j.csda.2006.12.019).

Weights are compared by what they contribute to their neuron, `|W_gi|` times the standard deviation of the gene's input:
else the genes that lead neurons are those seen in few cells, whose weights must be large to matter at all.
"""

import torch
from torch import Tensor

from zipo.engine.batches import AnyCounts
from zipo.engine.layer_factors import start_from_factors
from zipo.engine.model import Network
from zipo.engine.optimizer import Adam

STRENGTH = 0.3
"""Threshold of a gene of mean spread, in learning rates: the length of Adam's steps whatever the gradient is."""


class Sparsification:
    """The schedule by which the first layer of a network loses its weights, a function of the epoch alone.

    A layer that is frozen keeps its weights, and one that has no more than `weights_kept` already, as in fine-tuning,
    its support. With `sparsity: factors` it is made before the first epoch and not trained.
    """

    def __init__(self, network: Network, counts: AnyCounts) -> None:
        self.layer, p = network.encoder.first, network.hyper
        self.kept = p.weights_kept
        self.epochs = 0
        """After which the support is fixed."""
        self.active = p.sparsity == "proximal" and self.layer.weight.requires_grad
        if self.active and self.layer.share() > self.kept:
            self.epochs = max(1, min(p.sparsity_epochs, p.max_epochs // 2))
        if p.sparsity == "factors" and self.layer.weight.requires_grad:
            genes = max(1, int(self.kept * counts.genes))
            if self.layer.share() > genes / counts.genes:
                start_from_factors(network, counts, genes)
            self.layer.weight.requires_grad_(False)
        if self.active:
            self.spread = input_spread(network, counts)

    def start(self, epoch: int) -> None:
        """Prepare the layer for an epoch, counted from 1."""
        self.layer.fixed = self.active and epoch > self.epochs
        self.layer.thresholds = None
        if self.active and not self.layer.fixed:
            self.layer.thresholds = STRENGTH * self.spread.mean() / self.spread  # infinite for a gene without counts

    def end(self, epoch: int, optimizer: Adam) -> bool:
        """Remove the smallest contributions after an epoch; whether the support is that of the trained network."""
        if self.active and epoch <= self.epochs:
            self._keep(self.kept ** (epoch / self.epochs))
            if epoch == self.epochs:
                optimizer.forget_zeros(self.layer)
        return epoch >= self.epochs

    @torch.no_grad()
    def _keep(self, share: float) -> None:
        """Set all weights to zero but this share of them, those of the largest contributions."""
        weights = self.layer.weight
        contributions = (weights.abs() * self.spread[:, None]).flatten()
        removed = contributions.numel() - max(1, int(share * contributions.numel()))
        if removed:
            weights.mul_((contributions > contributions.kthvalue(removed).values).view_as(weights))


@torch.no_grad()
def input_spread(network: Network, counts: AnyCounts) -> Tensor:
    """(genes,) standard deviation over the cells of what the encoder sees of each gene."""
    sums = torch.zeros(2, counts.genes, dtype=torch.float64, device=counts.device)
    for batch in counts.batches(network.hyper.batch_size):
        values = network.transform(batch).double()
        sums.index_add_(1, batch.columns, torch.stack([values, values.square()]))
    mean, square = sums / counts.cells
    return (square - mean.square()).clamp(min=0).sqrt().float()
