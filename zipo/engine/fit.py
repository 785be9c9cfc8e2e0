"""How well a batch fits a prediction: sums over its entries, of which the loss is a weighted sum.

On a processor the sums and the loss's gradients are the kernel of zipo.engine.kernels.likelihood, in one pass.
Elsewhere, and where it is asked for, they are torch's own arithmetic on all entries, to which tests hold the kernel.
"""

from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from zipo.engine import kernels
from zipo.engine.batches import Batch
from zipo.engine.likelihoods import Likelihood
from zipo.engine.model import Prediction
from zipo.parameters import Parameters

Scalar = TypeVar("Scalar", Tensor, float)


class Sums(NamedTuple, Generic[Scalar]):
    """Sums over the entries of a batch."""

    nll: Scalar
    """Negative log-likelihood in nats."""
    z: Scalar
    """Zero-inflation probability."""
    z_squared: Scalar
    dispersion_squared: Scalar
    """Square of the NB's extra parameter, as the setting defines it."""
    rates_error: Scalar
    """(m - x)^2, of the rates m."""
    means_error: Scalar
    """((1 - z) m - x)^2."""


class Weights(NamedTuple):
    """What an entry's share in those sums weighs in the loss of a batch; 0 for a penalty that is turned off."""

    nll: float
    z_squared: float
    dispersion_squared: float
    rates_error: float

    @classmethod
    def of(cls, p: Parameters, batch: Batch) -> "Weights":
        """Those of a setting (paper, sections II-D to II-F and III-F)."""
        overdispersed, entrywise = p.overdispersed, p.rate_penalty == "entrywise"
        return cls(
            1 / batch.entries if p.reduction == "mean" else 1 / batch.cells,
            p.alpha_z / batch.entries if p.zero_inflated else 0.0,
            p.alpha_theta / batch.entries if overdispersed else 0.0,
            p.alpha_rate / batch.entries if overdispersed and entrywise else 0.0,
        )

    def of_sums(self, sums: Sums) -> Any:
        """The weighted sum; what is turned off may be infinite."""
        return sum(weight * getattr(sums, name) for name, weight in self._asdict().items() if weight)


def fit(prediction: Prediction, batch: Batch, weights: Weights, dense: bool = False) -> tuple[Tensor, Sums[Tensor]]:
    """The weighted sum, from which to go backward, and the sums."""
    if dense or batch.values.device.type != "cpu":
        sums = _dense(prediction, batch)
        return weights.of_sums(sums), Sums(*(each.detach() for each in sums))
    loss, sums = _Fit.apply(
        prediction.log_library,
        prediction.logits,
        prediction.zero_logits,
        prediction.dispersion,
        prediction.by_rate,
        batch,
        weights,
    )
    return loss, Sums(*sums)


class _Fit(torch.autograd.Function):
    """The kernel, whose gradients are at hand when its sums are."""

    @staticmethod
    def forward(ctx, log_library, logits, zero_logits, dispersion, by_rate, batch, weights):
        absent = logits.new_empty(batch.cells, 0)
        said = log_library.flatten(), logits, zero_logits, dispersion
        decoded = [absent if each is None else each for each in said]
        rows = batch.cells if any(ctx.needs_input_grad) else 0
        gradients = [logits.new_empty(rows), *(logits.new_empty(rows, each.shape[1]) for each in decoded[1:])]
        sums = np.empty((batch.cells, len(Sums._fields)))
        counts = batch.starts, batch.columns, batch.values, batch.constant
        kernels.share(
            kernels.load("likelihood").nll_and_gradients,
            batch.cells,
            tuple(each.numpy() for each in counts),
            tuple(each.detach().numpy() for each in decoded),
            by_rate,
            tuple(map(np.float32, weights)),
            sums,
            tuple(each.numpy() for each in gradients),
        )
        if rows and dispersion is not None and len(dispersion) == 1:
            gradients[3] = gradients[3].sum(dim=0, keepdim=True)
        ctx.gradients = gradients
        totals = Sums(*sums.sum(axis=0).tolist())
        found = torch.tensor(totals)
        ctx.mark_non_differentiable(found)
        return torch.tensor(weights.of_sums(totals)), found

    @staticmethod
    def backward(ctx, *grads: Tensor):
        gradients = ctx.gradients if grads[0] == 1 else [grads[0] * each for each in ctx.gradients]
        by_library, *others = gradients
        present = (each if each.shape[1] else None for each in others)
        return by_library[:, None], *present, None, None, None


def _dense(prediction: Prediction, batch: Batch) -> Sums[Tensor]:
    likelihood, nothing = prediction.likelihood, torch.zeros((), device=batch.values.device)
    z = nothing if prediction.zero_logits is None else torch.sigmoid(prediction.zero_logits)
    dispersion = nothing if prediction.dispersion is None else prediction.dispersion
    return Sums(
        nll_sum(likelihood, batch),
        z.detach().sum(),
        z.square().sum(),
        dispersion.square().sum() * (batch.entries / dispersion.numel()),
        squared_error_sum(likelihood.rates, batch),
        squared_error_sum(likelihood.mean.detach(), batch),
    )


def nll_sum(likelihood: Likelihood, batch: Batch) -> Tensor:
    """Negative log-likelihood summed over all entries, in nats.

    Every entry is scored as a zero, and the positive ones are corrected.
    """
    as_zero = likelihood.log_prob_zero()
    positive = likelihood.at(batch.index).log_prob_positive(batch.values, batch.constant)
    return -(as_zero.sum() + (positive - as_zero.flatten()[batch.index]).sum())


def squared_error_sum(rates: Tensor, batch: Batch) -> Tensor:
    """Sum of (m - x)^2 over all entries."""
    # sum m^2 - 2 sum m x + sum x^2 would cancel; correct each positive entry instead
    at_positive = rates.flatten()[batch.index]
    return rates.square().sum() + ((at_positive - batch.values).square() - at_positive.square()).sum()
