"""Every hyper-parameter of ZiPo: one flat table of names, defaults, bounds and meanings.

Free of torch, so that a study can be planned without loading it. Where the paper is open, the default is
our reading and the other values are the other readings.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema, model_validator
from pydantic_core import CoreSchema

from zipo.shared.likelihoods import FAMILIES, Family
from zipo.shared.section import Section


class ShapesNetwork:
    """Metadata of a hyper-parameter that shapes the network or its inputs, and so is kept in fine-tuning."""


SHAPES_NETWORK = ShapesNetwork()


class _FamilyName:
    """Names of likelihoods, those registered later too."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"enum": list(FAMILIES), "type": "string"}


def _known_family(name: str) -> str:
    if name not in FAMILIES:
        *others, last = map(repr, FAMILIES)
        raise ValueError(f"Input should be {', '.join(others)} or {last}")
    return name


FamilyName = Annotated[str, AfterValidator(_known_family), _FamilyName()]


def _widths(value: object) -> str:
    """Layer widths as the paper writes them, "2048-1024-128"; a single width may be a plain number."""
    text = "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    try:
        widths = [int(part) for part in text.split("-")]
    except ValueError:
        widths = [0]
    if min(widths) < 1:
        raise ValueError("expected widths of layers joined by dashes, such as 256-64-16")
    return text


def _names(value: object) -> object:
    """Names of columns; a single one need not stand in a list."""
    if isinstance(value, str):
        return (value,) if value else ()
    return value


WIDTHS = "[1-9][0-9]*(-[1-9][0-9]*)*"
Widths = Annotated[
    str,
    BeforeValidator(_widths),
    WithJsonSchema({"type": ["string", "integer"], "pattern": f"^{WIDTHS}$"}),
]
DecoderWidths = Annotated[
    str,
    BeforeValidator(lambda value: value if value == "linear" else _widths(value)),
    WithJsonSchema({"type": ["string", "integer"], "pattern": f"^(linear|{WIDTHS})$"}),
]


class ParameterValues(Section):
    """Some hyper-parameters of ZiPo, as a configuration names them; those not named keep their defaults."""

    likelihood: Annotated[FamilyName, SHAPES_NETWORK] = "zip"
    """Distribution of the counts."""
    encoder: Annotated[Widths, SHAPES_NETWORK] = "2048-1024-512-256-128"
    """Widths of the encoder's layers, genes to latents; the last is the number of latents."""
    residuals: Annotated[Literal["none", "full"] | Annotated[int, Field(ge=1)], SHAPES_NETWORK] = "full"
    """Which encoder layers are added to the latents by linear projection: none, the last k, or all."""
    activation: Annotated[Literal["sigmoid", "gelu", "relu", "relu6"], SHAPES_NETWORK] = "sigmoid"
    """Activation of the hidden blocks of encoder, decoder and library network."""
    batch_norm: Annotated[Literal["none", "before", "after"], SHAPES_NETWORK] = "after"
    """Batch norm of the encoder and decoder blocks: before or after the activation, or none."""
    decoder: Annotated[DecoderWidths, SHAPES_NETWORK] = "linear"
    """Widths of the decoder's hidden layers, or linear for none."""
    library: Annotated[Literal["predicted", "observed"], SHAPES_NETWORK] = "predicted"
    """Library size of the rates: predicted from the latents, or each cell's own sum of counts, as DCA has it."""
    library_network: Annotated[Widths, SHAPES_NETWORK] = "16-4"
    """Widths of the hidden layers that predict the library size."""
    covariates: Annotated[tuple[str, ...], BeforeValidator(_names), SHAPES_NETWORK] = ()
    """Known covariates joined to the latents: columns of obs, taken as categories where they are text or a few whole
    numbers, else as numbers; NAME:category or NAME:number declares which."""
    input: Annotated[Literal["raw", "log1p", "normalised_log1p"], SHAPES_NETWORK] = "log1p"
    """What the encoder sees: counts, log1p of counts, or log1p of counts scaled to the median library size."""
    reduction: Literal["mean", "sum"] = "mean"
    """NLL in the loss: mean over all entries, or mean over cells of the sum over genes."""
    inference: Annotated[Literal["amortised", "refined"], SHAPES_NETWORK] = "amortised"
    """Latents that predictions are made from: the encoder's, as in the paper, or improved from there for each cell on
    its own counts, together with the weights of a linear decoder and the sizes of its NB."""
    denoised: Literal["mean", "posterior"] = "mean"
    """Denoised counts: the likelihood's mean, or its expectation given the cell's own count of the gene as well."""
    dispersion: Annotated[Literal["logits", "gene", "gene_cell"], SHAPES_NETWORK] = "logits"
    """Meaning of the NB's extra parameter: theta = log(rate / size) of each entry, or log(1 / size)
    shared by the cells (gene) or of each entry (gene_cell)."""
    dispersion_start: Annotated[float, Field(ge=-30, le=30), SHAPES_NETWORK] = -3.0
    """Where the NB's extra parameter starts; low values start near the Poisson."""
    alpha_z: Annotated[float, Field(ge=0)] = 0.1
    """Weight of the penalty on squared zero-inflation probabilities."""
    alpha_w: Annotated[float, Field(ge=0)] = 0.1
    """Weight of the scale-invariant L1/L2 penalty on the first layer's weights."""
    sparsity: Literal["penalty", "proximal", "factors"] = "penalty"
    """What makes the first layer sparse: the penalty of weight alpha_w, as in the paper, which leaves small weights; a
    soft threshold after each step, which leaves zeros; or factors, whose leading genes its neurons read: non-negative
    factors of the encoder's input, which are not trained on."""
    weights_kept: Annotated[float, Field(gt=0, le=1)] = 0.02
    """Share of the first layer's weights that are not zero, at most, with sparsity: proximal; with factors, of each
    neuron's."""
    sparsity_epochs: Annotated[int, Field(ge=1)] = 30
    """Epochs in which that share is reached, at most half of max_epochs; then the weights that are left are trained on
    without a threshold, and patience begins."""
    alpha_theta: Annotated[float, Field(ge=0)] = 0.001
    """Weight of the penalty on the squared extra parameter of the NB."""
    alpha_rate: Annotated[float, Field(ge=0)] = 0.1
    """Weight of the rate penalty of NB and ZINB."""
    rate_penalty: Literal["entrywise", "library", "none"] = "entrywise"
    """Rate penalty of NB and ZINB: squared error of the rates, of the library size, or none."""
    gene_totals: Literal["trained", "fitted"] = "trained"
    """Expected counts of each gene summed over the cells: as training leaves them, as in the paper, or made to add up
    to the gene's counts after it, by the biases of the proportions and of the library size."""
    batch_size: Annotated[int, Field(ge=2)] = 256
    """Cells in a mini-batch."""
    learning_rate: Annotated[float, Field(gt=0)] = 0.0212
    """Adam's learning rate in the first epoch."""
    learning_rate_decay: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Factor on the learning rate after each epoch, until the floor is reached."""
    learning_rate_floor: Annotated[float, Field(gt=0)] = 0.001
    """Learning rate at which the decay ends and the plateau rule begins."""
    plateau_patience: Annotated[int, Field(ge=1)] = 15
    """Epochs without a relative gain of plateau_threshold before the learning rate is cut."""
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Factor on the learning rate when it is cut."""
    plateau_threshold: Annotated[float, Field(ge=0)] = 0.001
    """Relative gain of the validation loss that counts for the plateau rule."""
    stop_patience: Annotated[int, Field(ge=1)] = 30
    """Epochs without a gain before training stops."""
    stop_threshold: Annotated[float, Field(ge=0)] = 0.0
    """Relative gain of the validation loss that counts for stopping."""
    max_epochs: Annotated[int, Field(ge=1)] = 1000
    """Epochs after which training stops in any case."""
    monitor: Literal["loss", "nll"] = "loss"
    """Validation quantity that plateau, stopping and best weights follow: with or without penalties."""
    explosion: Annotated[float, Field(gt=1)] = 1000.0
    """A run has diverged when its loss is not finite, or an epoch's validation NLL after the first exceeds
    this many times the NLL of the per-gene Poisson with observed library sizes."""
    precision: Literal["float32", "tf32", "bfloat16"] = "float32"
    """Arithmetic of matrix products in training steps, tf32 on GPUs alone; all else is in float32."""
    compiled: bool = False
    """Whether torch's compiler, which takes a minute, fuses training steps on a GPU; a processor has kernels."""
    validation_share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the cells kept for validation."""
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the cells kept for the test, read once after training."""


class Parameters(ParameterValues):
    """All hyper-parameters of one model and its training, fitting together."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Parameters":
        earlier = len(self.encoder_widths) - 1
        if isinstance(self.residuals, int):
            if self.residuals > earlier:
                raise ValueError(
                    f"residuals: {self.residuals} asks for more layers than the {earlier} before the latents "
                    f"of encoder {self.encoder}"
                )
            if self.residuals == earlier:  # one name for one model, so that it trains once
                object.__setattr__(self, "residuals", "full")
        if self.validation_share + self.test_share >= 1:
            raise ValueError("validation_share and test_share leave no cell for training: their sum must be < 1")
        return self

    @property
    def encoder_widths(self) -> list[int]:
        """Widths of the encoder's layers, the latents last."""
        return [int(width) for width in self.encoder.split("-")]

    @property
    def encoder_shape(self) -> dict[str, int]:
        """What tables call the encoder's first and last width, and their number."""
        widths = self.encoder_widths
        return {"first_layer": widths[0], "latents": widths[-1], "depth": len(widths)}

    @property
    def columns(self) -> dict[str, Any]:
        """All hyper-parameters and the shape of the encoder, named as columns of tables."""
        return self.model_dump(mode="json") | self.encoder_shape

    @property
    def decoder_widths(self) -> list[int]:
        """Widths of the decoder's hidden layers."""
        return [] if self.decoder == "linear" else [int(width) for width in self.decoder.split("-")]

    def with_widths(self, factor: float) -> "Parameters":
        """The same with hidden layers of encoder and decoder `factor` times as wide; latents keep their number."""
        *hidden, latents = self.encoder_widths
        encoder = [*(_scaled(width, factor) for width in hidden), latents]
        decoder = [_scaled(width, factor) for width in self.decoder_widths]
        shapes = {"encoder": "-".join(map(str, encoder)), "decoder": "-".join(map(str, decoder)) or "linear"}
        return type(self).model_validate(self.model_dump() | shapes)

    @property
    def library_widths(self) -> list[int]:
        """Widths of the library network's hidden layers."""
        return [int(width) for width in self.library_network.split("-")]

    @property
    def residual_layers(self) -> int:
        """How many layers before the latents are added to them."""
        if self.residuals == "none":
            return 0
        return len(self.encoder_widths) - 1 if self.residuals == "full" else self.residuals

    @property
    def family(self) -> Family:
        """Capabilities of the likelihood."""
        return FAMILIES[self.likelihood]

    @property
    def zero_inflated(self) -> bool:
        """Whether the likelihood has zero inflation."""
        return self.family.zero_inflated

    @property
    def overdispersed(self) -> bool:
        """Whether the likelihood has an extra parameter beside the rates."""
        return self.family.overdispersed


def _scaled(width: int, factor: float) -> int:
    return max(1, round(width * factor))


def shaping_the_network() -> frozenset[str]:
    """Names of the hyper-parameters that are marked with SHAPES_NETWORK."""
    return frozenset(name for name, field in ParameterValues.model_fields.items() if SHAPES_NETWORK in field.metadata)
