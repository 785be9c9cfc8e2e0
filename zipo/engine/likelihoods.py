"""Count likelihoods: Poisson, negative binomial (NB) and their zero-inflated forms, ZIP and ZINB.

A likelihood holds the parameters of every entry of a batch (cells x genes) and answers for zero and
positive counts apart, because most counts are zero: `log_prob_zero` for all entries, `log_prob_positive`
for the few that the training loss gathers with `at`. Everything works in float32 from logarithms, and the
gradients are closed forms, so neither cancels where the textbook formulas do.

Notation (paper, section II-D): m = l mu are the rates, r = logit(z) the zero logits, and
theta = log m - log(size), with size the usual NB size: the NB variance is m (1 + e^theta), and
theta -> -inf is the Poisson.
"""

import math
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
THETA_LIMIT = 30.0  # NB is the Poisson to float32 long before -30; beyond 30 its size leaves float32
SMALLEST_RATE = 1e-30  # by which a rate is divided, as that of a gene without counts can be 0
SMALLEST_SIZE = 1e-30  # reached only outside m > 1e-17; keeps x / size within float32


class Likelihood(Protocol):
    """Interface of a likelihood for the loss, the metrics and the estimator; tensors are (cells, genes)."""

    rates: Tensor
    """m = l mu, in counts."""
    has_kernel: ClassVar[bool]
    """Whether zipo.engine.kernels.likelihood computes it; else it is computed by its own methods, on all entries."""

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The parameters by the names that users know, rates first; each (cells, genes)."""

    @property
    def mean(self) -> Tensor:
        """Expected counts."""

    def posterior_mean(self, counts: Tensor) -> Tensor:
        """Expected counts of another measurement of the same cells, given these counts: what an entry's own count tells
        of it beyond the parameters."""

    def posterior_variance(self, counts: Tensor) -> Tensor:
        """Variance, at these parameters, of what `posterior_mean` is the mean of."""

    def posterior_slope(self, counts: Tensor) -> Tensor:
        """Derivative of `posterior_mean` by the logarithm of the rate, the other parameters as they are."""

    @property
    def information(self) -> Tensor:
        """Expected information of a count on the logarithm of its rate, a zero that may be inflation left aside."""

    def log_prob(self, counts: Tensor) -> Tensor:
        """Log-probability of whole counts >= 0, in nats."""

    def log_prob_zero(self) -> Tensor:
        """Log-probability of a zero count, for every entry."""

    def log_prob_positive(self, counts: Tensor, constant: Tensor | None = None) -> Tensor:
        """Log-probability of counts, all of them >= 1; `constant` is their `count_constant` if known."""

    def at(self, index: Tensor) -> "Likelihood":
        """The same likelihood at some entries only, by their index in the flattened batch."""

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """One draw of counts for every entry."""


class Dense:
    """What follows from the other methods of a likelihood; it has no kernel unless it says so."""

    has_kernel: ClassVar[bool] = False

    def posterior_mean(self: Likelihood, counts: Tensor) -> Tensor:
        # what a count tells of its own entry is known of some likelihoods alone
        return self.mean

    def posterior_variance(self: Likelihood, counts: Tensor) -> Tensor:
        return torch.zeros_like(self.rates)

    def posterior_slope(self: Likelihood, counts: Tensor) -> Tensor:
        return self.mean

    @property
    def information(self: Likelihood) -> Tensor:
        # a Poisson's: steps of Fisher scoring need a positive form of about this size, and are halved where it is small
        return self.rates

    def log_prob(self: Likelihood, counts: Tensor) -> Tensor:
        return torch.where(counts == 0, self.log_prob_zero(), self.log_prob_positive(counts.clamp(min=1)))


class Poisson(Dense):
    """Poisson with the logarithm of its rates."""

    has_kernel = True

    def __init__(self, log_rates: Tensor) -> None:
        self.log_rates = log_rates
        self.rates = log_rates.exp()

    @property
    def parameters(self) -> dict[str, Tensor]:
        return {"rates": self.rates}

    @property
    def mean(self) -> Tensor:
        return self.rates

    def log_prob_zero(self) -> Tensor:
        return -self.rates

    def log_prob_positive(self, counts: Tensor, constant: Tensor | None = None) -> Tensor:
        constant = count_constant(counts) if constant is None else constant
        return _PoissonPositive.apply(self.log_rates, counts) - constant

    def at(self, index: Tensor) -> "Poisson":
        return Poisson(self.log_rates.flatten()[index])

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        return torch.poisson(self.rates, generator=generator)


class NegativeBinomial(Dense):
    """NB with the logarithm of its rates and theta = log(rate / size)."""

    has_kernel = True

    def __init__(self, log_rates: Tensor, theta: Tensor) -> None:
        self.log_rates = log_rates
        self.rates = log_rates.exp()
        self.theta = theta.clamp(-THETA_LIMIT, THETA_LIMIT)

    @property
    def parameters(self) -> dict[str, Tensor]:
        return {"rates": self.rates, "size": self.rates * torch.exp(-self.theta)}

    @property
    def mean(self) -> Tensor:
        return self.rates

    def posterior_mean(self, counts: Tensor) -> Tensor:
        # m (r + x) / (r + m): the mean of the gamma variable that a count shares with the other measurement
        return self.information + torch.sigmoid(self.theta) * counts

    def posterior_variance(self, counts: Tensor) -> Tensor:
        return torch.sigmoid(self.theta) * self.posterior_mean(counts)

    def posterior_slope(self, counts: Tensor) -> Tensor:
        return torch.sigmoid(-self.theta) * self.posterior_mean(counts)

    @property
    def information(self) -> Tensor:
        return self.rates * torch.sigmoid(-self.theta)

    def log_prob_zero(self) -> Tensor:
        # -size log(1 + e^theta), ordered so that neither factor overflows
        return -self.rates * (softplus(self.theta) * torch.exp(-self.theta))

    def log_prob_positive(self, counts: Tensor, constant: Tensor | None = None) -> Tensor:
        constant = count_constant(counts) if constant is None else constant
        return _NegativeBinomialPositive.apply(self.log_rates, self.theta, counts) - constant

    def at(self, index: Tensor) -> "NegativeBinomial":
        return NegativeBinomial(self.log_rates.flatten()[index], self.theta.flatten()[index])

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        size = torch.exp(self.log_rates - self.theta)
        return torch.poisson(torch._standard_gamma(size, generator) * self.theta.exp(), generator=generator)


class ZeroInflated(Dense):
    """A mixture of another likelihood with a point mass at zero of probability z = sigmoid(zero_logits)."""

    def __init__(self, base: Likelihood, zero_logits: Tensor) -> None:
        self.base = base
        self.rates = base.rates
        self.zero_logits = zero_logits

    @property
    def parameters(self) -> dict[str, Tensor]:
        rates, *others = self.base.parameters.items()
        return dict([rates, ("zero_probability", torch.sigmoid(self.zero_logits)), *others])

    @property
    def mean(self) -> Tensor:
        return self.rates * torch.sigmoid(-self.zero_logits)

    def posterior_mean(self, counts: Tensor) -> Tensor:
        return self.kept(counts) * self.base.posterior_mean(counts)

    def posterior_variance(self, counts: Tensor) -> Tensor:
        # of a mixture of the base's variable and zero
        kept, mean = self.kept(counts), self.base.posterior_mean(counts)
        return kept * (self.base.posterior_variance(counts) + (1 - kept) * mean.square())

    def posterior_slope(self, counts: Tensor) -> Tensor:
        # the log odds of a zero to be no loss change by those of the base's zero, which fall by the information
        kept, base = self.kept(counts), self.base
        change = (1 - kept) * base.information * base.posterior_mean(counts)
        return kept * (base.posterior_slope(counts) - change)

    def kept(self, counts: Tensor) -> Tensor:
        """Probability that a gene was not lost in a cell, given its count."""
        # a gene that was counted is not lost; a zero is a loss with the odds of z against (1 - z) Pr(0)
        log_odds = self.zero_logits - self.base.log_prob_zero()
        return torch.where(counts > 0, 1.0, torch.sigmoid(-log_odds))

    @property
    def information(self) -> Tensor:
        return self.base.information * torch.sigmoid(-self.zero_logits)

    def log_prob_zero(self) -> Tensor:
        return _MixtureAtZero.apply(self.zero_logits, self.base.log_prob_zero())

    def log_prob_positive(self, counts: Tensor, constant: Tensor | None = None) -> Tensor:
        return self.base.log_prob_positive(counts, constant) - softplus(self.zero_logits)

    def at(self, index: Tensor) -> "ZeroInflated":
        return ZeroInflated(self.base.at(index), self.zero_logits.flatten()[index])

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        not_lost = torch.bernoulli(torch.sigmoid(-self.zero_logits), generator=generator)
        return not_lost * self.base.sample(generator)


BASES: dict[str, type[Any]] = {"poisson": Poisson, "nb": NegativeBinomial}
"""Distributions without zero inflation by the names that `zipo.shared.likelihoods.Family` has for them.

Each is made from the logarithms of its rates (cells, genes) and, if its family is overdispersed, from theta of the same
shape. One without `has_kernel` needs nothing beside this class: autograd gives its gradients.
"""


def count_constant(counts: Tensor) -> Tensor:
    """The part of every likelihood that depends on counts >= 1 alone: log(x!) - x log x + x."""
    return _stirling_error(counts) + 0.5 * torch.log(counts) + HALF_LOG_2PI


class _PoissonPositive(torch.autograd.Function):
    """log Poisson(x; m) for x >= 1, plus count_constant: minus half the deviance, as in Loader (2000)."""

    @staticmethod
    def forward(ctx: Any, log_m: Tensor, x: Tensor) -> Tensor:
        m = log_m.exp()
        ctx.save_for_backward(m, x)
        vanishing = log_m < -60  # where m / x would leave float32
        deviance = _deviance(x, m.clamp(min=1e-26), m - x)
        return -torch.where(vanishing, x * (torch.log(x) - log_m - 1), deviance)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        m, x = ctx.saved_tensors
        return grads[0] * (x - m), None


class _NegativeBinomialPositive(torch.autograd.Function):
    """log NB(x; mean m, size m e^-theta) for x >= 1, plus count_constant, as in Loader (2000)."""

    @staticmethod
    def forward(ctx: Any, log_m: Tensor, theta: Tensor, x: Tensor) -> Tensor:
        m = log_m.exp()
        size = (log_m - theta).exp().clamp(min=SMALLEST_SIZE)
        ctx.save_for_backward(x, size, theta)
        # of n = x + size in all, n q are expected as counts and n p as size; both miss by (m - x) p
        n, q, p = x + size, torch.sigmoid(theta), torch.sigmoid(-theta)
        miss = (m - x) * p
        deviance = _deviance(x, n * q, miss) + _deviance(size, n * p, -miss)
        return _stirling_error(n) - _stirling_error(size) - deviance - 0.5 * torch.log1p(x / size)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, size, theta = ctx.saved_tensors
        by_log_m = _size_digamma_difference(x, size) - size * softplus(theta)
        by_theta = x * torch.sigmoid(-theta) - size * torch.sigmoid(theta) - by_log_m
        return grads[0] * by_log_m, grads[0] * by_theta, None


class _MixtureAtZero(torch.autograd.Function):
    """log(z + (1 - z) e^f0) from the zero logits r and the base's log-probability f0 of a zero."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, f0: Tensor) -> Tensor:
        log_z, log_rest = logsigmoid(r), logsigmoid(-r) + f0
        log_prob = torch.logaddexp(log_z, log_rest)
        ctx.save_for_backward(log_z, torch.exp(log_rest - log_prob))
        return log_prob

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        log_z, from_base = ctx.saved_tensors  # from_base: probability that a zero comes from the base
        return grads[0] * (1 - from_base - log_z.exp()), grads[0] * from_base


def _deviance(x: Tensor, y: Tensor, difference: Tensor) -> Tensor:
    """x log(x/y) + y - x for x, y > 0, given y - x too, which the caller can often know more exactly."""
    w = difference / (x + y)
    near = w.abs() < 0.2
    v = torch.where(near, w, 0.0)
    v2 = v * v
    series = 1 / 3 + v2 * (1 / 5 + v2 * (1 / 7 + v2 * (1 / 9 + v2 * (1 / 11 + v2 / 13))))
    close = 2 * x * v2 * (1 / (1 - v) - v * series)
    return torch.where(near, close, difference - x * torch.log(y / x))


def _stirling_error(x: Tensor) -> Tensor:
    """log Gamma(x + 1) - [(x + 1/2) log x - x + log(2 pi) / 2] for x > 0."""
    large = x > 4
    y = torch.where(large, x, 4.0)
    i = 1 / (y * y)
    series = (1 / 12 - i * (1 / 360 - i * (1 / 1260 - i * (1 / 1680 - i * (1 / 1188 - i * 691 / 360360))))) / y
    s = torch.where(large, 4.0, x)
    direct = torch.lgamma(s + 1) - (s + 0.5) * torch.log(s) + s - HALF_LOG_2PI
    return torch.where(large, series, direct)


def _size_digamma_difference(x: Tensor, size: Tensor) -> Tensor:
    """size (digamma(size + x) - digamma(size)), without its cancellation at large sizes."""
    large = size > 10
    n = torch.where(large, size, 10.0)
    i, ratio = 1 / n, n / (n + x)
    # digamma's expansion, each term as a difference: log n, 1 / 2n, 1 / 12n^2, 1 / 120n^4, 1 / 252n^6
    series = n * torch.log1p(x / n) + (1 - ratio) / 2 + i * (1 - ratio**2) / 12
    series = series - i**3 * (1 - ratio**4) / 120 + i**5 * (1 - ratio**6) / 252
    s = torch.where(large, 10.0, size)
    direct = s * (torch.digamma(s + x) - torch.digamma(s))
    return torch.where(large, series, direct)
