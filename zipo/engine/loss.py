"""The loss: likelihood of a batch and penalties, with their weights (paper, sections II-D to II-F and III-F).

`objective` is what training minimises:

    NLL + alpha_z mean z^2 + alpha_theta mean t^2 + rate penalty + alpha_w sparsity of the first layer's weights

Terms that are sums over the entries of a batch, NLL among them, come with their gradients from the compiled kernels of
zipo.engine.kernels.likelihood on a processor, in one pass, and of zipo.engine.triton_kernels on a GPU, where a network
uses them and the likelihood has one. Else they are torch's own arithmetic on all entries, to which tests hold the
kernels.
"""

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from zipo.engine import kernels
from zipo.engine.batches import Batch
from zipo.engine.likelihoods import Likelihood
from zipo.parameters import Parameters

if TYPE_CHECKING:  # the network's first layer needs the penalty on its weights, which is below
    from zipo.engine.model import Network
    from zipo.engine.prediction import Prediction

Scalar = TypeVar("Scalar", Tensor, float)
Numbers = TypeVar("Numbers", Tensor, np.ndarray)
Decoded = tuple[Tensor, Tensor, Tensor | None, Tensor | None]
"""Outputs of the decoder: log library (B, 1), logits, zero logits and dispersion, the last two where there are such."""
NORM_FLOOR = 1e-12  # keeps the L1/L2 ratio defined for a neuron whose weights are all zero


def objective(network: "Network", batch: Batch) -> tuple[Tensor, Tensor]:
    """The loss of a batch with its penalties, from which to go backward, and its NLL in nats per entry."""
    prediction = network(batch)
    loss, sums = entry_terms(prediction, batch, TermWeights.of(network.hyper, batch), network.fuses_likelihood)
    for penalty in (library_penalty(network, prediction, batch), weight_penalty(network)):
        if penalty is not None:
            loss = loss + penalty
    return loss, sums.nll / batch.entries


def weight_penalty(network: "Network") -> Tensor | None:
    """The weighted penalty on the first layer, unless it is turned off or zeros take its place."""
    weight = penalty_weight(network.hyper)
    return weight * network.encoder.first.sparsity(network.uses_kernels) if weight else None


def penalty_weight(p: Parameters) -> float:
    """Weight of the penalty on the first layer; 0 if there is none."""
    return p.alpha_w if p.sparsity == "penalty" else 0.0


def library_penalty(network: "Network", prediction: "Prediction", batch: Batch) -> Tensor | None:
    """The weighted rate penalty on library sizes, for settings that have it in this form."""
    if not penalises_library(network.hyper):
        return None
    return network.hyper.alpha_rate * library_rate(torch.exp(prediction.log_library), batch.library_size)


def penalises_library(p: Parameters) -> bool:
    """Whether the rate penalty is one on library sizes."""
    return p.overdispersed and p.rate_penalty == "library" and p.alpha_rate > 0


class Sums(NamedTuple, Generic[Scalar]):
    """Sums over the entries of a batch."""

    nll: Scalar
    """Negative log-likelihood in nats."""
    z: Scalar
    """Zero-inflation probability."""
    z_squared: Scalar
    dispersion_squared: Scalar
    """Square of the likelihood's extra parameter, as the setting defines it."""
    rates_error: Scalar
    """(m - x)^2, of the rates m."""
    means_error: Scalar
    """((1 - z) m - x)^2."""


class TermWeights(NamedTuple):
    """Weights of the sums over entries in the loss of a batch; 0 for a penalty that is turned off."""

    nll: float
    z_squared: float
    dispersion_squared: float
    rates_error: float

    @classmethod
    def of(cls, p: Parameters, batch: Batch) -> "TermWeights":
        """Those of a setting."""
        entrywise = p.rate_penalty == "entrywise"
        return cls(
            1 / batch.entries if p.reduction == "mean" else 1 / batch.cells,
            p.alpha_z / batch.entries if p.zero_inflated else 0.0,
            p.alpha_theta / batch.entries if p.overdispersed else 0.0,
            p.alpha_rate / batch.entries if p.overdispersed and entrywise else 0.0,
        )

    def weighted_sum(self, sums: Sums) -> Any:
        """The terms times their weights, added up; a term that is turned off may be infinite."""
        return sum(weight * getattr(sums, name) for name, weight in self._asdict().items() if weight)


NLL_ALONE = TermWeights(1.0, 0.0, 0.0, 0.0)


def entry_terms(
    prediction: "Prediction", batch: Batch, weights: TermWeights, use_kernel: bool
) -> tuple[Tensor, Sums[Tensor]]:
    """The loss's terms that are sums over entries: their weighted sum, from which to go backward, and the sums.

    `use_kernel` asks for the compiled kernel, which is taken for the likelihoods that have one.
    """
    if not (use_kernel and prediction.has_kernel):
        sums = _dense_sums(prediction, batch)
        return weights.weighted_sum(sums), Sums(*(each.detach() for each in sums))
    loss, sums, _ = _kernel_of(batch).apply(*_decoded(prediction), prediction.by_rate, batch, weights)
    return loss, Sums(*sums)


def cell_nll(prediction: "Prediction", batch: Batch, use_kernel: bool) -> tuple[Tensor, Tensor]:
    """NLL of all counts in nats, from which to go backward, and that of each cell (B,); `use_kernel` as above."""
    if use_kernel and prediction.has_kernel:
        loss, _, by_cell = _kernel_of(batch).apply(*_decoded(prediction), prediction.by_rate, batch, NLL_ALONE)
        return loss, by_cell
    likelihood = prediction.likelihood
    as_zero = likelihood.log_prob_zero()
    positive = likelihood.at(batch.index).log_prob_positive(batch.values, batch.constant)
    by_cell = -as_zero.sum(dim=1).index_add(0, batch.rows, positive - as_zero.flatten()[batch.index])
    return by_cell.sum(), by_cell.detach()


def _decoded(prediction: "Prediction") -> Decoded:
    """The decoder's outputs as the kernel takes them."""
    return prediction.log_library, prediction.logits, prediction.zero_logits, prediction.dispersion


def _kernel_of(batch: Batch) -> type[torch.autograd.Function]:
    """The kernel for the device that a batch is on."""
    return _Kernel if batch.values.device.type == "cpu" else _TritonKernel


class Scored(NamedTuple):
    """What the processor's kernel makes of a batch."""

    loss: float
    sums: Sums[float]
    by_cell: np.ndarray  # (B,) NLL in nats
    gradients: list[Tensor]  # of the loss by the decoder's outputs, without cells where not wanted; an absent one has
    # no genes


def scored(
    outputs: Decoded, by_rate: bool, batch: Batch, weights: TermWeights, learn: bool, overwrite: bool = False
) -> Scored:
    """The sums over entries, and if asked for the gradients of their weighted sum, by the processor's kernel.

    With `overwrite` gradients take the memory of the outputs, which at the paper's sizes are the most of a step's.
    """
    log_library, logits, zero_logits, dispersion = outputs
    absent = logits.new_empty(batch.cells, 0)
    present = log_library.flatten(), logits, zero_logits, dispersion
    decoded = [absent if each is None else each for each in present]
    rows = batch.cells if learn else 0
    gradients = [logits.new_empty(rows)]
    gradients += [
        each if overwrite and len(each) == rows else logits.new_empty(rows, each.shape[1]) for each in decoded[1:]
    ]
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
    totals = Sums(*sums.sum(axis=0).tolist())
    return Scored(weights.weighted_sum(totals), totals, sums[:, 0], gradients)


class _Kernel(torch.autograd.Function):
    """The processor's kernel, which gives the gradients together with the sums."""

    @staticmethod
    def forward(
        ctx: Any,
        log_library: Tensor,
        logits: Tensor,
        zero_logits: Tensor | None,
        dispersion: Tensor | None,
        by_rate: bool,
        batch: Batch,
        weights: TermWeights,
    ) -> tuple[Tensor, Tensor, Tensor]:
        outputs, learn = (log_library, logits, zero_logits, dispersion), any(ctx.needs_input_grad)
        loss, sums, by_cell, ctx.gradients = scored(outputs, by_rate, batch, weights, learn)
        as_tensors = torch.tensor(sums), torch.from_numpy(by_cell.astype(np.float32))
        ctx.mark_non_differentiable(*as_tensors)
        return torch.tensor(loss), *as_tensors

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        gradients = ctx.gradients if grads[0] == 1 else [grads[0] * each for each in ctx.gradients]
        by_library, *others = gradients
        present = (each if each.shape[1] else None for each in others)
        return by_library[:, None], *present, None, None, None


class _TritonKernel(torch.autograd.Function):
    """The same of a GPU, whose gradients are given out once, since a second backward pass might scale them again."""

    @staticmethod
    def forward(
        ctx: Any,
        log_library: Tensor,
        logits: Tensor,
        zero_logits: Tensor | None,
        dispersion: Tensor | None,
        by_rate: bool,
        batch: Batch,
        weights: TermWeights,
    ) -> tuple[Tensor, Tensor, Tensor]:
        decoded, learn = (log_library, logits, zero_logits, dispersion), any(ctx.needs_input_grad)
        scored = _launch().nll_and_gradients(batch, decoded, by_rate, weights, learn)
        ctx.gradients = scored.gradients
        ctx.mark_non_differentiable(scored.sums, scored.by_cell)
        return scored.loss, scored.sums, scored.by_cell

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        gradients, ctx.gradients = ctx.gradients, None
        if gradients is None:
            raise RuntimeError("the likelihood's kernel goes backward once: compute the loss again")
        _launch().scale(gradients, grads[0])
        return *gradients, None, None, None


def _launch() -> Any:
    from zipo.engine.triton_kernels import launch  # Triton is where torch was built for a GPU

    return launch


def _dense_sums(prediction: "Prediction", batch: Batch) -> Sums[Tensor]:
    """The sums by torch's own arithmetic on all entries."""
    likelihood, zero = prediction.likelihood, torch.zeros((), device=batch.values.device)
    z = zero if prediction.zero_logits is None else torch.sigmoid(prediction.zero_logits)
    dispersion = zero if prediction.dispersion is None else prediction.dispersion
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


def library_rate(library_size: Tensor, observed: Tensor) -> Tensor:
    """E[(l_c - sum_g x_cg)^2] over cells."""
    return (library_size - observed).square().mean()


def scale_invariant_sparsity(weights: Tensor) -> Tensor:
    """`mean_i (mean_g |W_gi|) / (mean_g W_gi^2)^(1/2)` for weights (genes, neurons), for alpha_w.

    Lies in [1/sqrt(genes), 1] for any scale of a neuron's weights: the lower end is one gene a neuron.
    """
    return _L1OverL2.apply(weights)


def sparsity_of_sums(sums: Numbers, genes: int) -> Numbers:
    """The same from the sums over genes of absolute values and of squares (2, neurons)."""
    absolute, squared = sums
    return (absolute / genes / _root_mean_square(squared, genes)).mean()


def sparsity_gradient(sums: Numbers, genes: int, factor: Numbers | float) -> tuple[Numbers, Numbers]:
    """The gradient of factor times the same by a weight w is a sign(w) + b w: a and b of each neuron."""
    absolute, squared = sums
    l1, l2 = absolute / genes, _root_mean_square(squared, genes)
    by_sign = factor / (l2 * genes * len(absolute))
    return by_sign, -by_sign * l1 / l2**2


def _root_mean_square(squared: Numbers, genes: int) -> Numbers:
    return (squared / genes) ** 0.5 + NORM_FLOOR


class _L1OverL2(torch.autograd.Function):
    """The penalty with its gradient in closed form, which is zero where all weights of a neuron are."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor) -> Tensor:
        sums = torch.stack([weights.abs().sum(dim=0), weights.square().sum(dim=0)])
        ctx.save_for_backward(weights, sums)
        return sparsity_of_sums(sums, len(weights))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        weights, sums = ctx.saved_tensors
        by_sign, by_weight = sparsity_gradient(sums, len(weights), grads[0])
        return torch.addcmul(weights.sgn() * by_sign, weights, by_weight)
