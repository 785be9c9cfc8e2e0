"""The network: a deep encoder with residuals, heads for every parameter of the likelihood, a library network."""

import math
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import replace

import torch
from torch import Tensor, nn

from zipo.engine import triton_kernels
from zipo.engine.batches import Batch
from zipo.engine.cached_attribute import cached_attribute
from zipo.engine.first_layer import FirstLayer
from zipo.engine.layers import Layers
from zipo.engine.precision import bfloat16
from zipo.engine.prediction import Prediction
from zipo.engine.refinement import LatentPrior, refined
from zipo.parameters import Parameters

ENTRIES_AT_ONCE = 1 << 21
"""Of a batch whose latents are refined: 8 MB as float32, of which some ten are held."""
ACTIVATIONS = {"sigmoid": nn.Sigmoid, "gelu": nn.GELU, "relu": nn.ReLU, "relu6": nn.ReLU6}


class Network(nn.Module):
    """ZiPo's network (paper, section II-C) for a number of genes and of covariate columns.

    `median_library`, in counts, is where predicted library sizes start, and what the normalised input is scaled to.
    `seed` fixes the initial weights, drawn as torch draws those of linear layers; torch's global generator, which
    threads share, has no part in them.

    On a processor the first layer and the loss are compiled kernels, with which `encoder.first.weight.grad` stays None
    after a backward pass. zipo.engine.optimizer.Adam takes the step from what the pass leaves instead, and a backward
    pass for any other optimizer raises InputError. Set `kernels` to False to train with one, at a lower speed.
    """

    kernels = True
    """Whether the compiled kernels may be used; see `uses_kernels`."""

    def __init__(
        self, genes: int, parameters: Parameters, covariates: int = 0, median_library: float = 1.0, seed: int = 0
    ) -> None:
        super().__init__()
        self.hyper = parameters
        self.median_library: Tensor
        self.register_buffer("median_library", torch.tensor(float(median_library)))
        self.encoder = Encoder(genes, parameters)
        width = self.encoder.latents + covariates
        predicted = parameters.library == "predicted"
        self.library = nn.Sequential(*_library_blocks(width, parameters)) if predicted else None
        # with zero inflation only a part of the rates is counted: for the expected counts to add up to a cell's counts,
        # l exceeds these by a factor, whose logarithm is learned
        inflated = parameters.zero_inflated and not predicted
        self.log_excess = nn.Parameter(torch.zeros(())) if inflated else None

        blocks = []
        for hidden in parameters.decoder_widths:
            blocks.append(_block(width, hidden, parameters))
            width = hidden
        self.decoder = nn.Sequential(*blocks)
        # its outputs are logits, of which log_softmax makes log mu; model files have it under this name
        self.log_proportions = Linear(width, genes)
        self.zero_logits = Linear(width, genes) if parameters.zero_inflated else None
        self.dispersion: SharedByCells | nn.Linear | None = None
        if parameters.overdispersed:
            shared = parameters.dispersion == "gene"
            self.dispersion = SharedByCells(genes) if shared else Linear(width, genes)
        is_refined = parameters.inference == "refined"
        self.latent_prior = LatentPrior(self.encoder.latents, genes, covariates) if is_refined else None
        self.fixed_statistics = False  # of batch norms, see `fine_tune`
        self._start(torch.Generator().manual_seed(seed))

    def _start(self, generator: torch.Generator) -> None:
        """Draw the initial weights."""
        for module in self.modules():
            if isinstance(module, nn.Linear | FirstLayer):
                _draw(module, generator)
        if self.library is not None and self.library_bias is not None:
            # from l = 1, few cells and few steps would never climb to the scale of the counts
            nn.init.constant_(self.library_bias, math.log(max(1.0, self.median_library.item())))
        if self.dispersion is not None:
            nn.init.constant_(self.dispersion.bias, self.hyper.dispersion_start)

    @property
    def uses_kernels(self) -> bool:
        """Whether the compiled kernels are in use: on a processor, unless `kernels` is False."""
        return self.kernels and self.encoder.first.weight.device.type == "cpu"

    @property
    def fuses_likelihood(self) -> bool:
        """Whether a kernel computes the likelihoods that have one: on a processor the compiled one, and on a GPU
        Triton's where it works, but for steps that torch's compiler fuses as a whole."""
        device = self.median_library.device
        return self.uses_kernels or (self.kernels and not self.hyper.compiled and triton_kernels.work_on(device))

    @cached_attribute
    def layers(self) -> Layers | None:
        """The layers as zipo.engine.gradients goes through them; None where it does not know them."""
        library = () if self.library is None else self.library.children()
        encoder = self.encoder
        return Layers.of(encoder.first, encoder.blocks, encoder.projections, library, self.decoder)

    @property
    def heads(self) -> list[nn.Module | None]:
        """The layers that give logits of the proportions, zero logits and dispersion; None for one that is absent."""
        return [self.log_proportions, self.zero_logits, self.dispersion]

    @property
    def library_bias(self) -> Tensor | None:
        """What is added to every cell's log l; None where l is the sum of the counts."""
        return self.log_excess if self.library is None else self.library.get_parameter(f"{len(self.library) - 1}.bias")

    @property
    def prior_of_latents(self) -> LatentPrior:
        """The prior of a network whose latents can be refined; ValueError for another."""
        if self.latent_prior is None:
            raise ValueError("this network has no prior of its latents: its setting is not inference: refined")
        return self.latent_prior

    @property
    def refines(self) -> bool:
        """Whether predictions are made from refined latents: once a prior is fitted, after the training."""
        return self.latent_prior is not None and bool(self.latent_prior.fitted)

    @property
    def has_linear_rates(self) -> bool:
        """Whether log rates are linear in the latents, but for what makes a cell's proportions add up to one."""
        return self.library is None and not len(self.decoder)

    @property
    def cells_at_once(self) -> int:
        """Cells of a batch for predictions: those of a training batch, but where latents are refined, many enough for
        wide products, and few enough to hold the slopes of a decoder with hidden layers."""
        if not self.refines:
            return self.hyper.batch_size
        genes = self.log_proportions.out_features
        return max(2, ENTRIES_AT_ONCE // (genes if self.has_linear_rates else genes * self.encoder.latents))

    @property
    def latent_weights(self) -> Tensor:
        """(G, L) weights of the proportions on the latents, of a network with linear rates."""
        return self.log_proportions.weight[:, : self.encoder.latents]

    @property
    def parts(self) -> dict[str, list[nn.Module]]:
        """The modules that can be frozen, by the names of what they make up."""
        parts: dict[str, list[nn.Module | None]] = {
            "first_layer": [self.encoder.first],
            "encoder": [self.encoder],
            "decoder": [self.decoder, *self.heads],
            "library": [self.library],
        }
        present = {name: [module for module in modules if module is not None] for name, modules in parts.items()}
        return {name: modules for name, modules in present.items() if modules}

    def fine_tune(self, frozen: Collection[str] = ()) -> None:
        """Prepare for training with other cells: freeze these parts, and the statistics of all batch norms.

        The trained weights depend on those statistics, and few cells, in small batches, estimate them badly: weights
        fitted to the statistics of batches are another function in evaluation, and so would frozen weights be.
        """
        self.fixed_statistics = True
        for name in frozen:
            for module in self.parts[name]:
                module.requires_grad_(False)

    def train(self, mode: bool = True) -> "Network":
        """As of nn.Module, but that fixed statistics of batch norms stay."""
        super().train(mode)
        if self.fixed_statistics:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm1d):
                    module.eval()
        return self

    def forward(self, batch: Batch, covariates: Tensor | None = None) -> Prediction:
        """The prediction for a batch of B cells; as if they had these covariates (B, C), where any are given."""
        values = self.transform(batch)
        with self._reduced():
            latent = self.encoder(batch, values, self.uses_kernels).float()
        if self.latent_prior is not None:
            latent = self.latent_prior(latent)
            if self.refines and not self.training:
                latent = refined(self, batch, self.latent_prior.without_outliers(latent)).latent
        prediction = self.decode(latent, batch)
        if covariates is None:
            return prediction
        return replace(self.decode(latent, replace(batch, covariates=covariates)), own=prediction)

    def _reduced(self) -> AbstractContextManager:
        """Context of the products that training may take in bfloat16."""
        return bfloat16(self.training and self.hyper.precision == "bfloat16", self.median_library.device)

    def decode(self, latent: Tensor, batch: Batch) -> Prediction:
        """The prediction for a batch of B cells with these latents (B, L)."""
        known = torch.cat([latent, batch.covariates], dim=1)  # V, the paper's complete encoding
        # in float32, since an error here is one of all the cell's rates
        log_library = self.library(known) if self.library else torch.log(batch.library_size.clamp(min=1))
        if self.log_excess is not None:
            log_library = log_library + self.log_excess
        with self._reduced():
            hidden = self.decoder(known)
            logits = self.log_proportions(hidden).float()
            zero_logits = None if self.zero_logits is None else self.zero_logits(hidden).float()
            dispersion = None if self.dispersion is None else self.dispersion(hidden).float()
        p = self.hyper
        settings = p.dispersion == "logits", p.family.base, batch, p.denoised == "posterior"
        return Prediction(latent, log_library, logits, zero_logits, dispersion, *settings)

    def transform(self, batch: Batch) -> Tensor:
        """(N,) positive counts as the encoder sees them; zeros stay zeros."""
        if self.hyper.input == "raw":
            return batch.values
        if self.hyper.input == "log1p":
            return torch.log1p(batch.values)
        return torch.log1p(batch.values * (self.median_library / batch.library_size.clamp(min=1)).flatten()[batch.rows])


class SharedByCells(nn.Module):
    """A head that gives each gene one value, whatever the cell."""

    def __init__(self, genes: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(genes))

    def forward(self, hidden: Tensor) -> Tensor:
        """(1, G) whatever `hidden` is."""
        # a view of a parameter asks for gradients even where none are recorded, and so would all that is made of it
        return (self.bias if torch.is_grad_enabled() else self.bias.detach())[None]


class Encoder(nn.Module):
    """Blocks G_1 ... G_t; the latents are the last block plus bias-free projections of the residual layers."""

    def __init__(self, genes: int, parameters: Parameters) -> None:
        super().__init__()
        widths = parameters.encoder_widths
        self.latents = widths[-1]
        self.first = FirstLayer(genes, widths[0])
        self.blocks = nn.ModuleList(
            _block(before, width, parameters) for before, width in zip([None, *widths], widths, strict=False)
        )
        self.first_residual = len(widths) - 1 - parameters.residual_layers
        self.projections = nn.ModuleList(
            Linear(width, self.latents, bias=False) for width in widths[self.first_residual : -1]
        )

    def forward(self, batch: Batch, values: Tensor, use_kernel: bool) -> Tensor:
        """(B, latents) of a batch whose positive counts have been transformed to these values (N,)."""
        return self.after_first(self.blocks[0](self.first(batch, values, use_kernel)))

    def after_first(self, x: Tensor) -> Tensor:
        """(B, latents) from the outputs (B, neurons) of the first block."""
        outputs = [x]
        for block in self.blocks[1:]:
            x = block(x)
            outputs.append(x)
        for projection, output in zip(self.projections, outputs[self.first_residual : -1], strict=True):
            x = x + projection(output)
        return x


class Linear(nn.Linear):
    """A linear layer that begins with uninitialised weights.

    torch's skip_init makes it on the meta device, for which torch imports sympy: a tenth of a start.
    """

    def reset_parameters(self) -> None:
        """Leave the weights as they are; `_draw` sets them."""


@torch.no_grad()
def _draw(layer: nn.Linear | FirstLayer, generator: torch.Generator) -> None:
    """Draw a layer's weights, then its biases, uniformly within 1 / sqrt(inputs), as nn.Linear does."""
    by_output = layer.weight if isinstance(layer, nn.Linear) else torch.empty(layer.weight.T.shape)
    nn.init.kaiming_uniform_(by_output, a=math.sqrt(5), generator=generator)
    if isinstance(layer, FirstLayer):
        layer.weight.copy_(by_output.T)
    if layer.bias is not None:
        bound = 1 / math.sqrt(by_output.shape[1])
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


def _block(inputs: int | None, outputs: int, parameters: Parameters) -> nn.Sequential:
    """Linear layer, unless `inputs` is None, activation and batch norm, in the configured order."""
    block = nn.Sequential()
    if inputs is not None:
        block.add_module("linear", Linear(inputs, outputs))
    activation = ACTIVATIONS[parameters.activation]()
    if parameters.batch_norm == "before":
        block.add_module("norm", nn.BatchNorm1d(outputs))
    block.add_module("activation", activation)
    if parameters.batch_norm == "after":
        block.add_module("norm", nn.BatchNorm1d(outputs))
    return block


def _library_blocks(inputs: int, parameters: Parameters) -> list[nn.Module]:
    """Blocks of linear, batch norm and activation, in the order of section II-C, ending in log l."""
    blocks: list[nn.Module] = []
    for width in parameters.library_widths:
        blocks.append(Linear(inputs, width))
        if parameters.batch_norm != "none":
            blocks.append(nn.BatchNorm1d(width))
        blocks.append(ACTIVATIONS[parameters.activation]())
        inputs = width
    return [*blocks, Linear(inputs, 1)]
