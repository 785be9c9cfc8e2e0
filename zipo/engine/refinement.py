"""Latents refined for each cell on its own counts, from the encoder's guess (semi-amortised inference).

Given the decoder, a cell's latents are the coefficients of a regression of its counts, and an encoder only guesses at
them (Cremer 2018, arXiv 1801.03558; Kim 2018, arXiv 1802.02550). They are moved to the maximum of their posterior,

    NLL(u) + 1/2 sum_l precision_l (u_l - centre_l)^2,

by Fisher scoring: u - H^-1 g, with the gradient g and, as H, the expected information of the counts plus the precision.
With a linear decoder this is a regression with a log link, and the model one of latent factors (Townes 2019, doi
10.1186/s13059-019-1861-6), to which the encoder gives the start.
"""

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from zipo.engine.batches import Batch
from zipo.engine.loss import cell_nll

if TYPE_CHECKING:  # the network holds a prior, and predicts from refined latents
    from zipo.engine.model import Network
    from zipo.engine.prediction import Prediction

STEPS = 50
"""Evaluations at most; most cells need five to ten."""
TOLERANCE = 1e-3
"""Expected gain of a step, in nats, at which a cell is done: far below what its counts can tell."""
LARGEST = 2.0
"""Largest change of a latent in a step, in standard deviations of its prior: beyond, the quadratic form is no guide."""
SHORTEST = 1 / 64
"""Share of a step at which a cell that has come no nearer stays where it is."""


class WeightPosterior(nn.Module):
    """Posterior of the decoder's weights and biases of each gene, as a variance of its log rates.

    `axes` (K, K) are axes of the decoder's inputs - latents, covariates and a one - along which the counts of all genes
    together tell of the weights independently, in units of their prior; `precision` (G, K) is that of each gene along
    each, with the prior's. Information that a gene has on two axes together is left aside. With axes of zero, as before
    they are fitted, the weights are taken as known.
    """

    def __init__(self, genes: int, inputs: int) -> None:
        super().__init__()
        self.axes: Tensor
        self.precision: Tensor
        self.register_buffer("axes", torch.zeros(inputs, inputs))
        self.register_buffer("precision", torch.ones(genes, inputs))

    def forward(self, latent: Tensor, covariates: Tensor) -> Tensor:
        """(B, G) variances of the log rates of cells with these latents (B, L) and covariates."""
        return with_one(latent, covariates).matmul(self.axes).square() @ self.precision.reciprocal().T


class LatentPrior(nn.Module):
    """Normal prior of the latents, the affine map from the encoder's guess to the first latents, and the posterior of
    the decoder's weights."""

    def __init__(self, latents: int, genes: int, covariates: int) -> None:
        super().__init__()
        self.weights = WeightPosterior(genes, latents + covariates + 1)
        self.fitted: Tensor
        self.centre: Tensor
        self.precision: Tensor
        self.start: Tensor
        self.shift: Tensor
        self.register_buffer("fitted", torch.tensor(False))
        self.register_buffer("centre", torch.zeros(latents))
        self.register_buffer("precision", torch.ones(latents))
        self.register_buffer("start", torch.eye(latents))
        self.register_buffer("shift", torch.zeros(latents))

    def forward(self, guess: Tensor) -> Tensor:
        """(B, L) latents from which refinement starts."""
        return torch.addmm(self.shift, guess, self.start)


def with_one(latent: Tensor, covariates: Tensor) -> Tensor:
    """(B, L + C + 1) inputs of a linear decoder's regressions: latents, covariates, and a one for the bias."""
    return torch.cat([latent, covariates, torch.ones_like(latent[:, :1])], dim=1)


class Place(NamedTuple):
    """Latents of some cells, and their posterior there."""

    latent: Tensor  # (B, L)
    value: Tensor  # (B,) negative log posterior but for a constant, in nats
    gradient: Tensor  # (B, L)
    curvature: Tensor  # (B, L, L)

    def where(self, mask: Tensor, other: "Place") -> "Place":
        """This place for the cells of a mask (B,), the other for the rest."""
        return Place(
            *(
                torch.where(mask.view(-1, *[1] * (own.ndim - 1)), own, rest)
                for own, rest in zip(self, other, strict=True)
            )
        )

    def step(self, precision: Tensor) -> Tensor:
        """(B, L) a step of Fisher scoring, no longer than LARGEST."""
        step = -torch.linalg.solve(self.curvature.double(), self.gradient.double())
        length = (step.abs() * precision.sqrt()).amax(dim=1, keepdim=True)
        return (step * (LARGEST / length.clamp(min=LARGEST))).float()


def refined(network: "Network", batch: Batch, latent: Tensor, steps: int = STEPS) -> Place:
    """The maximum of each cell's posterior, from first latents (B, L); no gradient goes through it.

    A cell moves by its own counts alone, whatever other cells its batch has. A step that brings a cell no nearer is
    halved.
    """
    precision = network.prior_of_latents.precision
    at = place(network, batch, latent)
    step, share = at.step(precision), torch.ones_like(at.value)
    for _ in range(steps):
        moving = (share > SHORTEST) & (-(step * at.gradient).sum(dim=1) > TOLERANCE)
        if not moving.any():
            break
        tried = place(network, batch, at.latent + (moving * share)[:, None] * step)
        nearer = moving & (tried.value <= at.value)
        at = tried.where(nearer, at)
        step = torch.where(nearer[:, None], at.step(precision), step)
        share = torch.where(nearer, 1.0, torch.where(moving, share / 2, share))
    return at


def place(network: "Network", batch: Batch, latent: Tensor) -> Place:
    """The posterior of a batch of cells at these latents."""
    prior = network.prior_of_latents
    with torch.enable_grad():
        variable = latent.detach().requires_grad_()
        prediction = network.decode(variable, batch)
        nll, by_cell = cell_nll(prediction, batch, network.fuses_likelihood)
        (gradient,) = torch.autograd.grad(nll, variable)
    with torch.no_grad():
        deviation = variable - prior.centre
        weighted = deviation * prior.precision
        value = by_cell + (deviation * weighted).sum(dim=1) / 2
        return Place(variable.detach(), value, gradient + weighted, curvature(network, batch, prediction))


@torch.no_grad()
def curvature(network: "Network", batch: Batch, prediction: "Prediction") -> Tensor:
    """(B, L, L) expected information of the counts on the latents plus the prior's precision.

    Its inverse is the covariance of the latents' posterior, taken as a normal distribution about its maximum.
    """
    information = prediction.likelihood.information
    latents = prediction.latent.shape[1]
    rows, columns = torch.triu_indices(latents, latents, device=information.device)
    if network.has_linear_rates:
        weights = network.latent_weights
        upper = information @ (weights[:, rows] * weights[:, columns])
        # the derivative of a log rate is its weight less their mean by the proportions, which sum to one
        mean = torch.exp(prediction.log_proportions) @ weights
        crossed = (information @ weights)[:, :, None] * mean[:, None, :]
        total = information.sum(dim=1)[:, None, None] * mean[:, :, None] * mean[:, None, :]
        shift = total - crossed - crossed.transpose(1, 2)
    else:
        slopes = log_rate_slopes(network, batch, prediction)
        upper = torch.stack(
            [(information * slopes[i] * slopes[j]).sum(dim=1) for i, j in zip(rows, columns, strict=True)], dim=1
        )
        shift = torch.zeros((), device=upper.device)
    return symmetric(upper, latents) + shift + torch.diag(network.prior_of_latents.precision)


def symmetric(upper: Tensor, size: int) -> Tensor:
    """(N, size, size) symmetric matrices from their upper triangles, row by row."""
    rows, columns = torch.triu_indices(size, size, device=upper.device)
    matrix = upper.new_empty(len(upper), size, size)
    matrix[:, rows, columns] = upper
    matrix[:, columns, rows] = upper
    return matrix


def log_rate_slopes(network: "Network", batch: Batch, prediction: "Prediction") -> list[Tensor]:
    """Derivatives (B, G) of the log rates by each latent, for any decoder."""
    directions = torch.eye(prediction.latent.shape[1], device=prediction.latent.device)
    return [log_rate_slope(network, batch, prediction, each.expand_as(prediction.latent)) for each in directions]


def log_rate_slope(network: "Network", batch: Batch, prediction: "Prediction", direction: Tensor) -> Tensor:
    """(B, G) derivatives of the log rates along a direction of each cell's latents (B, L), for any decoder."""
    if network.has_linear_rates:
        by_logit = direction @ network.latent_weights.T
        return by_logit - (torch.exp(prediction.log_proportions) * by_logit).sum(dim=1, keepdim=True)

    def log_rates(values: Tensor) -> Tensor:
        return network.decode(values, batch).log_rates

    return torch.func.jvp(log_rates, (prediction.latent.detach(),), (direction.contiguous(),))[1]
