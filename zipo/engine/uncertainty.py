"""Standard errors of refined latents and of denoised counts, from the curvature of each cell's posterior (Laplace).

The posterior of a cell's latents is taken as normal, with the inverse of the curvature at its maximum as covariance V.
A log rate with derivatives J by the latents then has the variance J' V J. To it are added that of an observed library
size, which is a sum of counts, and, where the decoder was refined, that of its weights. The variance of a denoised
count is what follows, and that of its own distribution. Sizes of an NB and zero inflation are taken as
known, and so is a decoder that is not refined.
"""

import torch
from torch import Tensor

from zipo.engine.cached_attribute import cached_attribute
from zipo.engine.likelihoods import SMALLEST_RATE
from zipo.engine.model import Network
from zipo.engine.prediction import Prediction
from zipo.engine.refinement import curvature, log_rate_slopes

LEAST_PIVOT = 0.99
"""Of a curvature in units of the prior's precision; one below was lost to rounding."""


class Uncertainty:
    """Standard errors of a network's prediction for a batch of B cells, computed at their first use."""

    def __init__(self, network: Network, prediction: Prediction) -> None:
        self.network, self.given = network, prediction
        self.prediction = prediction.own or prediction
        """With the cells' own covariates, with which their counts tell of the latents."""

    @cached_attribute
    @torch.no_grad()
    def spread(self) -> Tensor:
        """(B, L, L) a square root C of the covariance of each cell's latents: V = C C'."""
        matrix = curvature(self.network, self.prediction.batch, self.prediction)
        return covariance_root(self.network.prior_of_latents.precision, matrix)

    @property
    def latent(self) -> Tensor:
        """(B, L) standard errors of the latents."""
        return self.spread.square().sum(dim=2).sqrt()

    @cached_attribute
    @torch.no_grad()
    def log_rate_variance(self) -> Tensor:
        """(B, G) J' V J, and what the decoder's weights and the library size add."""
        return log_rate_variance(self.network, self.prediction, self.spread)

    @property
    @torch.no_grad()
    def denoised(self) -> Tensor:
        """(B, G) standard errors of the denoised counts."""
        likelihood, counts = self.prediction.likelihood, self.prediction.batch.dense
        if self.prediction.posterior:
            slope, variance = likelihood.posterior_slope(counts), likelihood.posterior_variance(counts)
        else:
            slope, variance = likelihood.mean, torch.zeros_like(likelihood.mean)
        return (variance + slope.square() * self.log_rate_variance).sqrt() * self.given.from_own


def covariance_root(precision: Tensor, curvatures: Tensor) -> Tensor:
    """(B, L, L) a square root C of the inverse of each curvature, C C', by the prior's precision (L,)."""
    scale = precision.double().rsqrt()
    matrices = curvatures.double() * scale[:, None] * scale
    factors = torch.linalg.cholesky_ex(matrices).L
    roots = torch.linalg.solve_triangular(factors.mT, torch.eye(len(scale), dtype=factors.dtype), upper=True)
    # in units of the prior's precision no pivot is below one but by rounding: counts take no information away
    rounded = (~(factors.diagonal(dim1=1, dim2=2).amin(dim=1) > LEAST_PIVOT)).nonzero().flatten()
    if len(rounded):
        values, axes = torch.linalg.eigh(matrices[rounded])
        roots[rounded] = axes * values.clamp(min=1.0).rsqrt()[:, None, :]
    return (scale[:, None] * roots).float()


def log_rate_variance(network: Network, prediction: Prediction, spread: Tensor) -> Tensor:
    """(B, G) variances of the log rates from roots of the latents' covariances, one column at a time, and what the
    decoder's weights and the library size add."""
    variance = network.prior_of_latents.weights(prediction.latent, prediction.batch.covariates)
    for slopes in log_rate_slopes(network, prediction.batch, prediction, spread.unbind(dim=2)):
        variance.addcmul_(slopes, slopes)
    return variance + log_library_variance(prediction) if network.library is None else variance


def log_library_variance(prediction: Prediction) -> Tensor:
    """(B, 1) variance of the logarithm of a cell's sum of counts, which an observed library size is."""
    mean, information = prediction.likelihood.mean, prediction.likelihood.information
    # a count has the variance mean^2 / information: that of a Poisson is its mean
    variance = mean * (mean / information.clamp(min=SMALLEST_RATE))
    return variance.sum(dim=1, keepdim=True) / mean.sum(dim=1, keepdim=True).square()
