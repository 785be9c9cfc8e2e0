"""Sizes of a negative binomial, refined with its linear decoder: one of each gene, or log-linear in the latents.

A gene may vary as a Poisson has it in one cell type and come in bursts in another, so that log sizes are regressed on
the decoder's inputs as log rates are. Slopes have normal priors about zero, with the variance that they turn out to
have: where counts do not ask for them, each gene keeps one size.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zipo.engine.batches import Batch
from zipo.engine.model import Network, SharedByCells
from zipo.engine.regression_steps import regression_steps

LARGEST = 2.0
"""Largest change of a log size in a step, in any cell that is no outlier."""
SIZES = (-6.0, 9.0)
"""Bounds of the logarithm of a size where all latents are zero."""
EXTREME = 15.0
"""Largest logarithm of an entry's size, up or down, at which derivatives are taken: beyond, an NB is a Poisson, or has
its counts in too few cells to see. A cell far from all others may have any log size, whose exp is no float."""
VAGUE = 1e-3
"""Precision of the prior of slopes on covariates."""
LEAST_SHARE = 1e-3
"""Of the curvature of the entries where the likelihood is concave, that all together have at least."""
TINY = 1e-8
"""Added to curvatures, so that a gene without counts has a solution."""


class SizeRegressions:
    """The regressions of all genes' log sizes at their present values, added up over batches of cells."""

    def __init__(self, network: Network, head: nn.Linear | SharedByCells) -> None:
        self.network, self.bias = network, head.bias
        self.weight: Tensor | None = head.weight if isinstance(head, nn.Linear) else None
        self.slopes = 0 if self.weight is None else self.weight.shape[1]
        genes, inputs, device = len(self.bias), self.slopes + 1, self.bias.device
        self.rows, self.columns = torch.triu_indices(inputs, inputs, device=device)
        self.gradient = torch.zeros(genes, inputs, dtype=torch.float64, device=device)
        self.normal = torch.zeros(genes, len(self.rows), device=device)
        self.curvature = torch.zeros(2, genes, dtype=torch.float64, device=device)

    def add(self, batch: Batch, rates: Tensor, log_inverse_size: Tensor, variance: Tensor, inputs: Tensor) -> None:
        """Add the cells of a batch: rates and variances of their logarithms (B, G), sizes (B, G) or (1, G), and the
        decoder's inputs with a one (B, K)."""
        log_inverse_size = log_inverse_size.clamp(-EXTREME, EXTREME)
        first, second = size_derivatives(rates, log_inverse_size, batch)
        more_first, more_second = adjustment(rates, log_inverse_size, variance)
        first += more_first
        curvature = -(second + more_second)
        # a sum over concave entries alone is positive definite
        concave = curvature.clamp(min=0)
        inputs = inputs[:, -self.slopes - 1 :]
        self.gradient += first.T @ inputs.double()
        self.normal += concave.float().T @ (inputs[:, self.rows] * inputs[:, self.columns])
        self.curvature += torch.stack([curvature.sum(dim=0), concave.sum(dim=0)])

    def step(self, least_variance: float, inputs: Sequence[Tensor]) -> None:
        """Move slopes and sizes by a Newton step, which is of fixed length uphill where a gene's likelihood is not
        concave, and changes no log size by more than LARGEST at these inputs, each (B, K); priors of slopes have no
        less than a variance in log sizes per standard deviation of the latents."""
        precision, values = self._precision(least_variance), self._values()
        gradient = self.gradient - values * precision
        # shaped by the concave entries, and as large as the curvature of all
        share = (self.curvature[0] / self.curvature[1].clamp(min=TINY)).clamp(min=LEAST_SHARE)
        cells = [each[:, -self.slopes - 1 :] for each in inputs]
        values += regression_steps(self.normal * share[:, None], precision + TINY, gradient, cells, LARGEST)
        self.bias.copy_(-values[:, -1].clamp(*SIZES))
        if self.weight is not None:
            self.weight.copy_(-values[:, :-1])

    def _values(self) -> Tensor:
        """(G, K) slopes and log size of each gene; the network holds their negatives, as log(1 / size)."""
        size = self.bias[:, None]
        return -(size if self.weight is None else torch.cat([self.weight, size], dim=1)).double()

    def _precision(self, least_variance: float) -> Tensor:
        """(K,) precisions of the priors of slopes and log sizes."""
        precision = torch.zeros(self.slopes + 1, dtype=torch.float64, device=self.bias.device)
        if self.weight is not None:
            latents, scale = self.network.encoder.latents, self.network.prior_of_latents.precision.double()
            variance = self.weight[:, :latents].double().square().mean(dim=0)
            precision[:latents] = 1 / torch.maximum(variance, least_variance * scale)
            precision[latents:-1] = VAGUE
        return precision


def size_derivatives(rates: Tensor, log_inverse_size: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """(B, G) first and second derivative of an NB's log-likelihood by the logarithm of each entry's size, float64."""
    r, m = torch.exp(-log_inverse_size.double()).expand_as(rates), rates.double()
    ratio = m / r
    share = ratio / (1 + ratio)
    # of every entry as a zero, and then what the positive counts x change
    first, second = share - ratio.log1p_(), share.square() / r
    places = batch.index
    x, size = batch.values.double(), r.flatten()[places]
    other = x + size
    per_total = x / (size + m.flatten()[places])
    first.view(-1)[places] += torch.digamma(other) - torch.digamma(size) - per_total
    second.view(-1)[places] += torch.polygamma(1, other) - torch.polygamma(1, size) + per_total.square() / x
    first *= r
    return first, second.mul_(r.square()).add_(first)


def adjustment(rates: Tensor, log_inverse_size: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """(B, G) first and second derivative, by the logarithm of each entry's size, of what the log-likelihood changes by
    when it is averaged over latents and weights instead of taken at their best.

    Fitted rates are nearer to their counts than the true ones: with them a gene would seem to vary less than it does.
    By Laplace's approximation -1/2 log det of the curvatures is added (Cox & Reid 1987, as edgeR does for dispersions),
    whose derivative is that of the information I = m r / (r + m) times -1/2 `variance` (B, G) of the log rates.
    """
    r = torch.exp(-log_inverse_size)
    share = rates / (r + rates)
    first = (r * share * variance).clamp_(max=1.0) * share / -2
    return first, first * (2 * share - 1)
