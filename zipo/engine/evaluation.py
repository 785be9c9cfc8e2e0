"""Losses of a trained network over many cells."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zipo.engine.batches import AnyCounts
from zipo.engine.likelihoods import Poisson
from zipo.engine.loss import Sums, TermWeights, entry_terms, library_penalty, nll_sum, weight_penalty
from zipo.engine.model import Network


@dataclass
class Losses:
    """Losses over a set of cells; NLL and squared errors are means over all entries."""

    nll: float
    """Negative log-likelihood in nats per entry, without penalties."""
    nll_observed_library: float
    """The same with the observed library size in place of the predicted one."""
    mse_rates: float
    """Mean squared difference of the rates l mu from the counts."""
    mse_means: float
    """Mean squared difference of the means (1 - z) l mu from the counts."""
    mean_zero_probability: float
    """Mean zero-inflation probability z; zero for likelihoods without inflation."""
    library_error: float
    """Root mean square, over cells, of the logarithm of the library size over the cell's counts."""
    penalty_z: float
    """Weighted penalty on zero inflation."""
    penalty_w: float
    """Weighted penalty on the first layer's weights."""
    penalty_w_unweighted: float
    """The same before its weight multiplies it, which exists without a penalty, too."""
    penalty_theta: float
    """Weighted penalty on the likelihood's extra parameter."""
    penalty_rate: float
    """Weighted rate penalty."""


@torch.no_grad()
def losses(network: Network, counts: AnyCounts, batch_size: int) -> Losses:
    """The losses of a network over all cells of these counts, in evaluation mode."""
    network.eval()
    p, use_kernel = network.hyper, network.fuses_likelihood
    totals, nll_observed, library = torch.zeros(len(Sums._fields)), torch.zeros(()), torch.zeros(())
    library_error = torch.zeros(())
    for batch in counts.batches(batch_size):
        prediction, weights = network(batch), TermWeights.of(p, batch)
        totals += torch.stack(entry_terms(prediction, batch, weights, use_kernel)[1]).cpu()
        observed = replace(prediction, log_library=torch.log(batch.library_size.clamp(min=1)))
        library_error += (prediction.log_library - observed.log_library).square().sum().cpu()
        nll_observed += entry_terms(observed, batch, weights, use_kernel)[1].nll.cpu()
        if (penalty := library_penalty(network, prediction, batch)) is not None:
            library += penalty.cpu() * batch.entries
    entries = counts.cells * counts.genes
    mean: Sums[float] = Sums(*(totals / entries).tolist())
    penalty_w = weight_penalty(network)
    entrywise = p.overdispersed and p.rate_penalty == "entrywise"
    return Losses(
        nll=mean.nll,
        nll_observed_library=nll_observed.item() / entries,
        mse_rates=mean.rates_error,
        mse_means=mean.means_error,
        mean_zero_probability=mean.z,
        library_error=math.sqrt(library_error.item() / counts.cells),
        penalty_z=p.alpha_z * mean.z_squared,
        penalty_w=0.0 if penalty_w is None else penalty_w.item(),
        penalty_w_unweighted=network.encoder.first.sparsity(network.uses_kernels).item(),
        penalty_theta=p.alpha_theta * mean.dispersion_squared,
        penalty_rate=p.alpha_rate * mean.rates_error if entrywise else library.item() / entries,
    )


@torch.no_grad()
def gene_poisson_nll(gene_totals: Tensor, counts: AnyCounts, batch_size: int) -> float:
    """NLL, in nats per entry, of the trivial prediction: each gene's share times the observed library size.

    The shares are those of the training cells, whose counts sum to `gene_totals` (genes,), with one count added per
    gene so that a gene unseen in training remains possible.
    """
    totals = gene_totals + 1
    log_shares = torch.log(totals / totals.sum()).float()
    nll = 0.0
    for batch in counts.batches(batch_size):
        nll += nll_sum(Poisson(log_shares + torch.log(batch.library_size.clamp(min=1))), batch).item()
    return nll / (counts.cells * counts.genes)
