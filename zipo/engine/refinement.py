"""Latents refined for each cell on its own counts, from the encoder's guess (semi-amortised inference).

Given the decoder, a cell's latents are the coefficients of a regression of its counts, and an encoder only guesses at
them (Cremer 2018, arXiv 1801.03558; Kim 2018, arXiv 1802.02550). They are moved to the maximum of their posterior,

    NLL(u) + 1/2 sum_l precision_l (u_l - centre_l)^2,

by Fisher scoring: u - H^-1 g, with the gradient g and, as H, the expected information of the counts plus the precision.
With a linear decoder this is a regression with a log link, and the model one of latent factors (Townes 2019, doi
10.1186/s13059-019-1861-6), to which the encoder gives the start.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from zipo.engine.batches import Batch
from zipo.engine.loss import cell_nll

if TYPE_CHECKING:  # the network holds a prior, and predicts from refined latents
    from zipo.engine.model import Network
    from zipo.engine.prediction import Prediction

STEPS = 200
"""Evaluations at most; most cells need five to twenty."""
TOLERANCE = 1e-3
"""Expected gain of a step, in nats, at which a cell is done: far below what its counts can tell."""
LARGEST = 2.0
"""Largest change of a latent in a step, in standard deviations of its prior: beyond, the quadratic form is no guide."""
FARTHEST = 5.0
"""Distance from the centre of their prior, in standard deviations, beyond which latents are outliers."""
SHORTEST = 2**-16
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
        """(B, L) the guesses as latents from which refinement starts."""
        return torch.addmm(self.shift, guess, self.start)

    def without_outliers(self, latent: Tensor) -> Tensor:
        """The latents (B, L), outliers brought to the distance at which they begin.

        An encoder may guess far off at a cell unlike those that it was trained on, from where no number of steps leads
        back.
        """
        far = FARTHEST * self.precision.rsqrt()
        return latent.clamp(self.centre - far, self.centre + far)


def with_one(latent: Tensor, covariates: Tensor) -> Tensor:
    """(B, L + C + 1) inputs of a linear decoder's regressions: latents, covariates, and a one for the bias."""
    return torch.cat([latent, covariates, torch.ones_like(latent[:, :1])], dim=1)


class Place(NamedTuple):
    """Latents of some cells, and their posterior there."""

    latent: Tensor  # (B, L)
    nll: Tensor  # (B,) of the counts, in nats
    value: Tensor  # (B,) negative log posterior but for a constant, in nats
    gradient: Tensor  # (B, L)
    curvature: Tensor  # (B, L, L)

    def some(self, cells: Tensor) -> "Place":
        """That of these cells, by their places."""
        return Place(*(each[cells] for each in self))

    def put(self, cells: Tensor, others: "Place") -> None:
        """Set these cells, by their places, to others."""
        for own, values in zip(self, others, strict=True):
            own[cells] = values

    def step(self, precision: Tensor) -> Tensor:
        """(B, L) a step of Fisher scoring, no longer than LARGEST."""
        step = -solved(self.curvature, self.gradient)
        return shortened(step, (step.abs() * precision.sqrt()).amax(dim=1), LARGEST)


def shortened(steps: Tensor, length: Tensor, largest: float) -> Tensor:
    """The steps (N, K) of these lengths (N,), each longer one brought to the largest."""
    return steps * (largest / length.clamp(min=largest))[:, None]


def solved(matrices: Tensor, vectors: Tensor) -> Tensor:
    """(N, K) solutions of symmetric positive systems (N, K, K), computed in double precision."""
    matrices, vectors = matrices.double(), vectors.double()
    factors, failures = torch.linalg.cholesky_ex(matrices)
    if failures.any():  # rounding of single precision can leave a matrix indefinite
        return torch.linalg.solve(matrices, vectors).float()
    return torch.cholesky_solve(vectors[:, :, None], factors)[:, :, 0].float()


def refined(network: "Network", batch: Batch, latent: Tensor, steps: int = STEPS) -> Place:
    """The maximum of each cell's posterior, from first latents (B, L); no gradient goes through it.

    A cell moves by its own counts alone, whatever other cells its batch has. The share of a step that is taken falls to
    a quarter where it brings a cell no nearer, and doubles where it does: some cells overshoot at each step, those of
    genes whose sizes change with the latents, of which the curvature knows nothing. Most cells are done long before
    the last one: only those that still move are evaluated.
    """
    precision, pairs = network.prior_of_latents.precision, weight_pairs(network)
    best = place(network, batch, latent.clone(), pairs)  # whose latents change in place
    step, share = best.step(precision), torch.ones_like(best.value)
    for _ in range(steps):
        moving = (share > SHORTEST) & (-(step * best.gradient).sum(dim=1) > TOLERANCE)
        cells = moving.nonzero().flatten()
        if not len(cells):
            break
        tried = place(network, batch.some(cells), best.latent[cells] + share[cells, None] * step[cells], pairs)
        is_nearer = tried.value <= best.value[cells]
        nearer, improved = cells[is_nearer], tried.some(is_nearer)
        best.put(nearer, improved)
        step[nearer] = improved.step(precision)
        share[cells] *= torch.where(is_nearer, 2.0, 0.25)
        share.clamp_(max=1.0)
    return best


def place(network: "Network", batch: Batch, latent: Tensor, pairs: Tensor | None = None) -> Place:
    """The posterior of a batch of cells at these latents; `pairs` as of `curvature`."""
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
        matrices = curvature(network, batch, prediction, pairs)
        return Place(variable.detach(), by_cell, value, gradient + weighted, matrices)


@torch.no_grad()
def weight_pairs(network: "Network") -> Tensor | None:
    """(G, L (L + 1) / 2) products of each two weights of a gene on the latents, where rates are linear."""
    if not network.has_linear_rates:
        return None
    weights = network.latent_weights
    rows, columns = torch.triu_indices(weights.shape[1], weights.shape[1], device=weights.device)
    return weights[:, rows].mul_(weights[:, columns])


@torch.no_grad()
def curvature(network: "Network", batch: Batch, prediction: "Prediction", pairs: Tensor | None = None) -> Tensor:
    """(B, L, L) expected information of the counts on the latents plus the prior's precision.

    Its inverse is the covariance of the latents' posterior, taken as a normal distribution about its maximum. `pairs`
    are the network's `weight_pairs`, for callers that have them already.
    """
    information = prediction.likelihood.information
    latents = prediction.latent.shape[1]
    if pairs is None:
        pairs = weight_pairs(network)
    if pairs is not None:
        weights = network.latent_weights
        upper = information @ pairs
        # the derivative of a log rate is its weight less their mean by the proportions, which sum to one
        mean = torch.exp(prediction.log_proportions) @ weights
        crossed = (information @ weights)[:, :, None] * mean[:, None, :]
        total = information.sum(dim=1)[:, None, None] * mean[:, :, None] * mean[:, None, :]
        shift = total - crossed - crossed.transpose(1, 2)
    else:
        slopes = list(log_rate_slopes(network, batch, prediction, unit_directions(prediction)))
        rows, columns = torch.triu_indices(latents, latents, device=information.device)
        upper = torch.stack(
            [(information * slopes[i] * slopes[j]).sum(dim=1) for i, j in zip(rows, columns, strict=True)], dim=1
        )
        shift = torch.zeros((), device=upper.device)
    return symmetric(upper, latents) + shift + torch.diag(network.prior_of_latents.precision)


def symmetric(upper: Tensor, size: int) -> Tensor:
    """(N, size, size) symmetric matrices from their upper triangles, row by row."""
    rows, columns = torch.triu_indices(size, size, device=upper.device)
    places = torch.empty(size, size, dtype=torch.int64, device=upper.device)
    places[rows, columns] = places[columns, rows] = torch.arange(len(rows), device=upper.device)
    return upper.index_select(1, places.flatten()).view(-1, size, size)


def log_rate_slopes(
    network: "Network", batch: Batch, prediction: "Prediction", directions: Iterable[Tensor]
) -> Iterator[Tensor]:
    """(B, G) derivatives of the log rates along directions (B, L) of the cells' latents, for any decoder."""
    if network.has_linear_rates:
        weights = network.latent_weights
        mean = torch.exp(prediction.log_proportions) @ weights
        for direction in directions:
            yield torch.addmm(-(direction * mean).sum(dim=1, keepdim=True), direction, weights.T)
        return

    def log_rates(values: Tensor) -> Tensor:
        return network.decode(values, batch).log_rates

    latent = prediction.latent.detach()
    for direction in directions:
        yield torch.func.jvp(log_rates, (latent,), (direction.contiguous(),))[1]


def unit_directions(prediction: "Prediction") -> list[Tensor]:
    """The directions of single latents, each (B, L)."""
    latent = prediction.latent
    return [each.expand_as(latent) for each in torch.eye(latent.shape[1], device=latent.device)]
