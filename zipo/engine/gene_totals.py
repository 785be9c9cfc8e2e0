"""Totals of the genes: biases that training starts from, and their fit to the totals after it.

At the maximum of the Poisson likelihood each gene's rates add up to its counts: that is the score equation of its bias.
Training that is stopped early, in mini-batches and with penalties, ends beside it, the farther the fewer cells there
are.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from zipo.engine.batches import AnyCounts
from zipo.engine.model import Network

ROUNDS = 20
TOLERANCE = 0.005  # relative difference of a gene's totals at which they count as equal
FEW = 10.0  # counts of a gene, below which its total is not worth another round
LEAST_INFLATED = 0.01  # share of a gene's counts, at the start
UNSEEN = 0.5  # counts that a gene without any is taken to have: no bias brings its expected counts to 0


@torch.no_grad()
def start_at_gene_means(network: Network, counts: AnyCounts) -> None:
    """Add to the biases of each gene the logarithm of its share of the counts, and the log odds that half of its zeros
    are inflation, so that training starts near the trivial prediction.

    From equal proportions, zero inflation would explain away the zeros of genes with few counts before their
    proportions could fall; from equal odds, it would claim more zeros than there are of genes with many.
    """
    totals = counts.gene_totals().clamp(min=UNSEEN)
    network.log_proportions.bias.add_(torch.log(totals / totals.sum()).float())
    if network.zero_logits is not None:
        inflated = (1 - counts.gene_cells() / counts.cells) / 2
        network.zero_logits.bias.add_(torch.logit(inflated, eps=LEAST_INFLATED).float())


@torch.no_grad()
def fit_gene_totals(network: Network, parts: Sequence[AnyCounts]) -> None:
    """Move the genes' biases, and that of the library size, until the expected counts (1 - z) l mu of each
    gene add up to its counts over these cells; all other weights stay, and so does a bias that is frozen.

    The biases move by the logarithm of the ratio of the totals, which is a contraction since the proportions of a cell
    add up to one (Berry, Levinsohn & Pakes 1995, doi 10.2307/2171802, appendix I).
    """
    network.eval()
    by_gene, by_cell = network.log_proportions.bias, network.library_bias
    counted = torch.stack([part.gene_totals() for part in parts]).sum(dim=0)
    target = counted.clamp(min=UNSEEN)
    for _ in range(ROUNDS):
        expected = _expected_totals(network, parts)
        ratio = target / expected
        if ((ratio - 1).abs()[counted >= FEW] < TOLERANCE).all():
            return
        factor = target.sum() / expected.sum()
        if by_cell is not None and by_cell.requires_grad:
            by_cell.add_(factor.log().float())
        if by_gene.requires_grad:
            by_gene.add_((ratio / factor).log().float())


def _expected_totals(network: Network, parts: Sequence[AnyCounts]) -> Tensor:
    """(genes,) float64 sums over all cells of their expected counts."""
    totals = torch.zeros(parts[0].genes, dtype=torch.float64, device=parts[0].device)
    for part in parts:
        for batch in part.batches(network.hyper.batch_size):
            totals += network(batch).likelihood.mean.sum(dim=0, dtype=torch.float64)
    return totals
