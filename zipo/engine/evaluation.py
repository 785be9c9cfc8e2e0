"""The objective of a batch, and the losses of a trained network over many cells."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from zipo.engine import penalties
from zipo.engine.batches import Batch, Counts
from zipo.engine.likelihoods import Likelihood, Poisson
from zipo.engine.model import Encoding, Network, Prediction

PART = 1 << 20  # entries of a batch that decoder and likelihood take at once: so many stay in a processor's cache


def nll_sum(likelihood: Likelihood, batch: Batch) -> Tensor:
    """Negative log-likelihood summed over all entries, in nats.

    Every entry is scored as a zero, and the positive ones are corrected.
    """
    as_zero = likelihood.log_prob_zero()
    positive = likelihood.at(batch.index).log_prob_positive(batch.values, batch.constant)
    return -(as_zero.sum() + (positive - as_zero.flatten()[batch.index]).sum())


def penalty_terms(network: Network, prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
    """Each penalty on predictions, weighted; a term that the setting turns off is absent."""
    p = network.hyper
    terms = {}
    if p.alpha_z and prediction.zero_logits is not None:
        terms["z"] = p.alpha_z * penalties.zero_inflation(torch.sigmoid(prediction.zero_logits))
    if p.alpha_theta and prediction.dispersion is not None:
        terms["theta"] = p.alpha_theta * penalties.dispersion(prediction.dispersion)
    if p.alpha_rate and p.overdispersed and p.rate_penalty != "none":
        if p.rate_penalty == "entrywise":
            rate = penalties.entrywise_rate(prediction.rates, batch.index, batch.values)
        else:
            rate = penalties.library_rate(torch.exp(prediction.log_library), batch.library_size)
        terms["rate"] = p.alpha_rate * rate
    return terms


def weight_penalty(network: Network) -> Tensor | None:
    """The weighted penalty on the first layer, unless it is turned off."""
    return network.hyper.alpha_w * network.encoder.first.sparsity() if network.hyper.alpha_w else None


def objective(network: Network, batch: Batch, learn: bool = False) -> tuple[Tensor, Tensor]:
    """The loss of a batch with its penalties, and the NLL in nats per entry without them; with `learn`, also their
    gradients, left as a backward pass leaves them."""
    encoding = network.encode(batch)
    end = encoding.end() if learn else encoding
    loss, nll = decoded(network, end, batch, learn)
    if (penalty := weight_penalty(network)) is not None:
        if learn:
            penalty.backward()
        loss += penalty.detach()
    if learn:
        encoding.backward(end)
    return loss, nll


def decoded(network: Network, encoding: Encoding, batch: Batch, learn: bool) -> tuple[Tensor, Tensor]:
    """The loss from the encoding on, without the weights' penalty, and the NLL; with `learn`, also the gradients.

    Decoder and likelihood, whose intermediate results are the largest of all, take the batch in parts, each forward
    and backward before the next.
    """
    loss, nll = torch.zeros((), device=batch.values.device), torch.zeros((), device=batch.values.device)
    for cells, part in batch.parts(PART):
        prediction = network.decode(encoding.part(cells))
        total, share = nll_sum(prediction.likelihood(), part), part.cells / batch.cells
        fit = total / batch.entries if network.hyper.reduction == "mean" else total / batch.cells
        part_loss = fit + share * sum(penalty_terms(network, prediction, part).values())
        if learn:
            part_loss.backward()
        loss += part_loss.detach()
        nll += total.detach() / batch.entries
    return loss, nll


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
    penalty_z: float
    """Weighted penalty on zero inflation."""
    penalty_w: float
    """Weighted penalty on the first layer's weights."""
    penalty_theta: float
    """Weighted penalty on the NB's extra parameter."""
    penalty_rate: float
    """Weighted rate penalty."""


@torch.no_grad()
def losses(network: Network, counts: Counts, batch_size: int) -> Losses:
    """The losses of a network over all cells of counts, as in evaluation mode."""
    network.eval()
    totals = dict.fromkeys((field.name for field in fields(Losses)), 0.0)
    for batch in counts.batches(batch_size):
        prediction = network(batch)
        likelihood = prediction.likelihood()
        entries, library = batch.entries, batch.library_size.clamp(min=1)
        sums = {
            "nll": nll_sum(likelihood, batch),
            "nll_observed_library": nll_sum(prediction.likelihood(torch.log(library)), batch),
            "mse_rates": penalties.squared_error_sum(likelihood.rates, batch.index, batch.values),
            "mse_means": penalties.squared_error_sum(likelihood.mean, batch.index, batch.values),
        }
        if prediction.zero_logits is not None:
            sums["mean_zero_probability"] = torch.sigmoid(prediction.zero_logits).sum()
        for name, term in penalty_terms(network, prediction, batch).items():
            sums[f"penalty_{name}"] = term * entries
        if (penalty := weight_penalty(network)) is not None:
            sums["penalty_w"] = penalty * entries
        for name, value in sums.items():
            totals[name] += value.item()
    return Losses(**{name: total / (counts.cells * counts.genes) for name, total in totals.items()})


@torch.no_grad()
def gene_poisson_nll(training: Counts, counts: Counts, batch_size: int) -> float:
    """NLL, in nats per entry, of the trivial prediction: each gene's share times the observed library size.

    The shares are those of the training cells, with one count added per gene so that a gene unseen in
    training remains possible.
    """
    totals = torch.ones(training.genes, dtype=torch.float64, device=training.device)
    totals.index_add_(0, training.columns, training.values.double())
    log_shares = torch.log(totals / totals.sum()).float()
    nll = 0.0
    for batch in counts.batches(batch_size):
        nll += nll_sum(Poisson(log_shares + torch.log(batch.library_size.clamp(min=1))), batch).item()
    return nll / (counts.cells * counts.genes)
