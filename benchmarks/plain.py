"""ZiPo written from the paper in plain PyTorch: dense batches, autograd, torch's own Adam.

The reference for the engine: benchmarks/throughput.py compares the engine's speed with it, and the tests compare
losses. So it is written to be right and to be read, not to be fast, and takes nothing from the engine but the table
of hyper-parameters. Its weights have the engine's names.
"""

from collections import OrderedDict
from collections.abc import Iterable

import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn
from torch.nn import functional as F

from zipo.parameters import Parameters

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "gelu": nn.GELU, "relu": nn.ReLU, "relu6": nn.ReLU6}


class PlainZiPo(nn.Module):
    """The network of section II-C for dense counts x (B, G) and known covariates (B, C)."""

    def __init__(self, genes: int, parameters: Parameters, covariates: int = 0, median_library: float = 1.0):
        super().__init__()
        p = self.p = parameters
        self.register_buffer("median_library", torch.tensor(float(median_library)))
        self.encoder = Encoder(genes, p)
        width = p.encoder_widths[-1] + covariates
        self.library = library_network(width, p) if p.library == "predicted" else None
        inflated = p.zero_inflated and self.library is None
        self.log_excess = nn.Parameter(torch.zeros(())) if inflated else None
        decoder = []
        for hidden in p.decoder_widths:
            decoder.append(block(width, hidden, p))
            width = hidden
        self.decoder = nn.Sequential(*decoder)
        self.log_proportions = nn.Linear(width, genes)
        if p.zero_inflated:
            self.zero_logits = nn.Linear(width, genes)
        if p.overdispersed:
            self.dispersion = PerGene(genes) if p.dispersion == "gene" else nn.Linear(width, genes)
            nn.init.constant_(self.dispersion.bias, p.dispersion_start)

    def forward(self, x: Tensor, covariates: Tensor) -> dict[str, Tensor]:
        """The parameters of every entry's distribution, by name, as far as the likelihood has them."""
        observed = x.sum(dim=1, keepdim=True).clamp(min=1)
        if self.p.input == "raw":
            scaled = x
        elif self.p.input == "log1p":
            scaled = torch.log1p(x)
        else:
            scaled = torch.log1p(x / observed * self.median_library)

        encoding = torch.cat([self.encoder(scaled), covariates], dim=1)  # V, the paper's complete encoding
        hidden = self.decoder(encoding)
        log_library = torch.log(observed) if self.library is None else self.library(encoding)
        if self.log_excess is not None:
            log_library = log_library + self.log_excess
        outputs = {
            "log_library": log_library,  # (B, 1) log l
            "log_rates": log_library + F.log_softmax(self.log_proportions(hidden), dim=1),  # (B, G) log l mu
        }
        if self.p.zero_inflated:
            outputs["zero_logits"] = self.zero_logits(hidden)  # (B, G) r = logit(z)
        if self.p.overdispersed:
            outputs["dispersion"] = self.dispersion(hidden)  # (B, G), or (1, G) if it is the gene's
            by_rate = self.p.dispersion == "logits"  # theta itself, else log(1 / size)
            outputs["theta"] = outputs["dispersion"] + (0 if by_rate else outputs["log_rates"])  # log(rate / size)
        return outputs

    def objective(self, x: Tensor, outputs: dict[str, Tensor]) -> Tensor:
        """The loss of a batch: NLL by the chosen reduction, and the penalties."""
        nll = -log_likelihood(x, outputs)
        fit = nll.mean() if self.p.reduction == "mean" else nll.sum(dim=1).mean()
        return fit + self.penalty(x, outputs)

    def penalty(self, x: Tensor, outputs: dict[str, Tensor]) -> Tensor:
        """The weighted penalties of sections II-D to II-F and III-F."""
        p = self.p
        weights = self.encoder.blocks[0].linear.weight  # (H, G)
        l1 = weights.abs().mean(dim=1)
        l2 = weights.square().mean(dim=1).sqrt()
        total = p.alpha_w * (l1 / l2).mean()
        if p.zero_inflated:
            total = total + p.alpha_z * torch.sigmoid(outputs["zero_logits"]).square().mean()
        if p.overdispersed:
            total = total + p.alpha_theta * outputs["dispersion"].square().mean()
            if p.rate_penalty == "entrywise":
                total = total + p.alpha_rate * F.mse_loss(outputs["log_rates"].exp(), x)
            elif p.rate_penalty == "library":
                total = total + p.alpha_rate * F.mse_loss(outputs["log_library"].exp(), x.sum(dim=1, keepdim=True))
        return total


class Encoder(nn.Module):
    """Blocks G_1 ... G_t; the last k before the latents are added to them by bias-free projections."""

    def __init__(self, genes: int, p: Parameters):
        super().__init__()
        widths = p.encoder_widths
        inputs = [genes, *widths[:-1]]
        self.blocks = nn.ModuleList(block(*sides, p) for sides in zip(inputs, widths, strict=True))
        self.first_residual = len(widths) - 1 - p.residual_layers
        self.projections = nn.ModuleList(
            nn.Linear(width, widths[-1], bias=False) for width in widths[self.first_residual : -1]
        )

    def forward(self, x: Tensor) -> Tensor:
        outputs = []
        for layer in self.blocks:
            x = layer(x)
            outputs.append(x)
        residuals = outputs[self.first_residual : -1]
        return x + sum(project(output) for project, output in zip(self.projections, residuals, strict=True))


class PerGene(nn.Module):
    """One value a gene, whatever the cell."""

    def __init__(self, genes: int):
        super().__init__()
        self.bias = nn.Parameter(torch.empty(genes))

    def forward(self, hidden: Tensor) -> Tensor:
        return self.bias[None]


def block(inputs: int, outputs: int, p: Parameters) -> nn.Sequential:
    """Linear layer, then activation and batch norm in the configured order."""
    layers: list[tuple[str, nn.Module]] = [("linear", nn.Linear(inputs, outputs))]
    if p.batch_norm == "before":
        layers.append(("norm", nn.BatchNorm1d(outputs)))
    layers.append(("activation", ACTIVATIONS[p.activation]()))
    if p.batch_norm == "after":
        layers.append(("norm", nn.BatchNorm1d(outputs)))
    return nn.Sequential(OrderedDict(layers))


def library_network(inputs: int, p: Parameters) -> nn.Sequential:
    """Linear, batch norm and activation, in the order of section II-C, ending in log l."""
    layers: list[nn.Module] = []
    for width in p.library_widths:
        layers.append(nn.Linear(inputs, width))
        if p.batch_norm != "none":
            layers.append(nn.BatchNorm1d(width))
        layers.append(ACTIVATIONS[p.activation]())
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 1))


def log_likelihood(x: Tensor, outputs: dict[str, Tensor]) -> Tensor:
    """Log-probability of each count (B, G), in nats, by the textbook formulas on logarithms."""
    log_m = outputs["log_rates"]
    if "theta" in outputs:
        size = torch.exp(log_m - outputs["theta"])
        log_f = torch.lgamma(x + size) - torch.lgamma(size) - torch.lgamma(x + 1)
        log_f = log_f + size * F.logsigmoid(-outputs["theta"]) + x * F.logsigmoid(outputs["theta"])
    else:
        log_f = x * log_m - log_m.exp() - torch.lgamma(x + 1)
    if "zero_logits" not in outputs:
        return log_f
    log_z, log_not_inflated = F.logsigmoid(outputs["zero_logits"]), F.logsigmoid(-outputs["zero_logits"]) + log_f
    return torch.where(x == 0, torch.logaddexp(log_z, log_not_inflated), log_not_inflated)


def learning_rate(p: Parameters, epoch: int) -> float:
    """The rate of an epoch, from 1, while it decays; the plateau rule after the floor is not here."""
    return max(p.learning_rate_floor, p.learning_rate * p.learning_rate_decay ** (epoch - 1))


def adam(model: PlainZiPo) -> torch.optim.Adam:
    """The optimizer, at torch's defaults but for the rate of the first epoch."""
    return torch.optim.Adam(model.parameters(), lr=model.p.learning_rate)


def dense(matrix: csr_matrix, cells: Tensor) -> Tensor:
    """These cells' counts (B, G), in this order."""
    return torch.from_numpy(matrix[cells.numpy()].toarray())


def train_step(model: PlainZiPo, optimizer: torch.optim.Optimizer, x: Tensor, covariates: Tensor) -> float:
    """One step of the optimizer on a batch; its loss before the step."""
    optimizer.zero_grad()
    loss = model.objective(x, model(x, covariates))
    loss.backward()
    optimizer.step()
    return loss.item()


def train(model: PlainZiPo, matrix: csr_matrix, covariates: Tensor, orders: Iterable[Tensor]) -> list[float]:
    """Train on the cells in the given order of each epoch, for as many epochs as orders; the loss of every batch.

    The matrix and the covariates (cells, C) are of the model's precision.
    """
    optimizer, losses = adam(model), []
    model.train()
    for epoch, order in enumerate(orders, start=1):
        optimizer.param_groups[0]["lr"] = learning_rate(model.p, epoch)
        for cells in order.split(model.p.batch_size):
            losses.append(train_step(model, optimizer, dense(matrix, cells), covariates[cells]))
    return losses
