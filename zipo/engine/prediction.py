"""What the network predicts for a batch of cells: latents, rates, likelihood, denoised counts."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from zipo.engine.batches import Batch
from zipo.engine.cached_attribute import cached_attribute
from zipo.engine.likelihoods import BASES, SMALLEST_RATE, Likelihood, ZeroInflated


@dataclass
class Prediction:
    """Outputs of the network for a batch."""

    latent: Tensor  # (B, L) U, without the known covariates
    log_library: Tensor  # (B, 1) log l
    logits: Tensor  # (B, G) log mu but for a constant of each cell
    zero_logits: Tensor | None  # (B, G) r, of the zero-inflated likelihoods
    dispersion: Tensor | None  # (B, G) or (1, G) the likelihood's extra parameter, as the setting defines it
    by_rate: bool  # whether that is log(rate / size), or log(1 / size)
    base: str  # name of the likelihood's base distribution in zipo.engine.likelihoods.BASES
    batch: Batch  # whose counts these are predicted for
    posterior: bool  # whether denoised counts draw on them
    own: "Prediction | None" = None  # that with the cells' own covariates, where this one is with others

    @cached_attribute
    def log_proportions(self) -> Tensor:
        """(B, G) log mu; the proportions of a cell sum to one."""
        return log_softmax(self.logits, dim=1)

    @property
    def library_size(self) -> Tensor:
        """(B,) l, in counts."""
        return torch.exp(self.log_library).flatten()

    @property
    def log_rates(self) -> Tensor:
        """(B, G) log m = log(l mu)."""
        return self.log_library + self.log_proportions

    @property
    def rates(self) -> Tensor:
        """(B, G) m = l mu."""
        return torch.exp(self.log_rates)

    @property
    def theta(self) -> Tensor | None:
        """(B, G) log(rate / size), of overdispersed likelihoods."""
        if self.dispersion is None:
            return None
        # log(1/size) + log(rate) = log(rate/size), the form the likelihood takes
        return self.dispersion.expand_as(self.logits) if self.by_rate else self.dispersion + self.log_rates

    @property
    def likelihood(self) -> Likelihood:
        """The counts' likelihood."""
        theta, distribution = self.theta, BASES[self.base]
        base = distribution(self.log_rates) if theta is None else distribution(self.log_rates, theta)
        return base if self.zero_logits is None else ZeroInflated(base, self.zero_logits)

    @property
    def denoised(self) -> Tensor:
        """(B, G) expected counts, given each entry's own count where the setting has it so."""
        if not self.posterior:
            return self.likelihood.mean
        own = (self.own or self).likelihood
        expected = own.posterior_mean(self.batch.dense)
        # a count tells how far its entry is from what was expected of it where it was counted
        return expected if self.own is None else expected * self.from_own

    @property
    def from_own(self) -> Tensor:
        """(B, G) factor on expected counts from the cells' own covariates to those that this prediction is with."""
        if self.own is None:
            return torch.ones_like(self.logits)
        return self.likelihood.mean / self.own.likelihood.mean.clamp(min=SMALLEST_RATE)

    @property
    def has_kernel(self) -> bool:
        """Whether the compiled kernel computes the counts' likelihood."""
        return BASES[self.base].has_kernel
