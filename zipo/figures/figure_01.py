"""Figure 1: the model as configured."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style
from zipo.shared.likelihoods import FAMILIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

title = "the model as configured"
caption = (
    "ZiPo with the layer sizes of this study's base setting. Solid arrows are blocks of a linear layer, an activation "
    "and, where on, batch normalisation; dashed arrows are residual connections, linear projections that are added "
    "to the latent variables; the heads predict library size, zero inflation and the parameters of the likelihood."
)
experiments = ()
tables = ()
HEADS = {
    "library": ("library size", "l"),
    "zero": ("zero inflation", "z"),
    "proportions": ("proportions", "μ"),
    "theta": ("dispersion", "θ"),
}


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """Every part of the network with its width; genes are not fixed by a setting."""
    base = study["parameters"]
    encoder = [("encoder", int(width)) for width in base["encoder"].split("-")]
    decoder = [] if base["decoder"] == "linear" else [("decoder", int(width)) for width in base["decoder"].split("-")]
    library = (
        [("library", int(width)) for width in base["library_network"].split("-")]
        if base["library"] == "predicted"
        else []
    )
    return pd.DataFrame([*encoder, *decoder, *library], columns=["part", "neurons"])


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """Boxes from left to right: genes, encoder, latents, decoder and heads."""
    style.use()
    from matplotlib import pyplot as plt

    base = study["parameters"]
    parts = numbers(tables, study)
    encoder = parts.loc[parts["part"] == "encoder", "neurons"].tolist()
    decoder = parts.loc[parts["part"] == "decoder", "neurons"].tolist()
    library = parts.loc[parts["part"] == "library", "neurons"].tolist()
    figure, ax = plt.subplots(figsize=(1.15 * (len(encoder) + len(decoder)) + 5.2, 4.2), layout="constrained")

    tallest = max(*encoder, *decoder, 1)
    x, boxes = 0.0, []
    _box(ax, x, 0, 3.2, "genes", "0.85")
    previous = x
    for place, width in enumerate(encoder):
        x += 1.1
        last = place == len(encoder) - 1
        height = 0.55 + 2.2 * (width / tallest) ** 0.5
        _box(ax, x, 0, height, f"{width}", BLUE if not last else ORANGE)
        _arrow(ax, (previous + 0.22, 0), (x - 0.22, 0))
        boxes.append((x, height))
        previous = x
    ax.text(x, -boxes[-1][1] / 2 - 0.22, "latents", ha="center", va="top")
    residuals = (
        len(encoder) - 1 if base["residuals"] == "full" else 0 if base["residuals"] == "none" else base["residuals"]
    )
    for start, height in boxes[len(boxes) - 1 - residuals : -1]:
        _arrow(ax, (start, height / 2), (x, boxes[-1][1] / 2), style="arc3,rad=-0.35", dashed=True)
    latents = x
    if base["covariates"]:
        _box(ax, x, -2.1, 0.5, "covariates", "0.85", wide=True)
        _arrow(ax, (x, -1.8), (x, -boxes[-1][1] / 2 - 0.6))
    for width in decoder:
        x += 1.1
        _box(ax, x, 0, 0.55 + 2.2 * (width / tallest) ** 0.5, f"{width}", BLUE)
        _arrow(ax, (previous + 0.22, 0), (x - 0.22, 0))
        previous = x
    _heads(ax, x, latents, base, library)
    likelihood = base["likelihood"].upper()
    ax.set_title(
        f"{likelihood}, {base['activation']}, batch norm: {base['batch_norm']}, residuals: {base['residuals']}"
    )
    ax.set(xlim=(-0.6, x + 4.4), ylim=(-2.5, 2.7))
    ax.axis("off")
    return figure


BLUE, ORANGE, GREEN = "#9ecae1", "#fdd0a2", "#c7e9c0"


def _heads(ax: "Axes", x: float, latents: float, base: dict[str, Any], library: list[int]) -> None:
    """Draw the decoder's heads, one below the other; the library network starts at the latents, not at the decoder."""
    family = FAMILIES[base["likelihood"]]
    names = ["library"] if library else []
    names += ["zero"] if family.zero_inflated else []
    names += ["proportions"]
    names += ["theta"] if family.overdispersed else []
    for place, name in enumerate(names):
        y = 1.8 - 3.6 * place / max(1, len(names) - 1) if len(names) > 1 else 0
        label, symbol = HEADS[name]
        hidden = "-".join(map(str, library)) + "-1" if name == "library" else "genes"
        _box(ax, x + 2.4, y, 0.6, f"{label} {symbol}\n({hidden})", GREEN, wide=True)
        direct = name == "library" and x > latents
        start = (latents + 0.22, 0.4) if direct else (x + 0.22, 0)
        _arrow(ax, start, (x + 1.45, y), style="arc3,rad=-0.12" if direct else "arc3")


def _box(ax: "Axes", x: float, y: float, height: float, text: str, colour: str, wide: bool = False) -> None:
    from matplotlib.patches import FancyBboxPatch

    half = 0.9 if wide else 0.2
    patch = FancyBboxPatch(
        (x - half, y - height / 2), 2 * half, height, boxstyle="round,pad=0.02", facecolor=colour, edgecolor="0.3"
    )
    ax.add_patch(patch)
    ax.text(x, y, text, ha="center", va="center", rotation=0 if wide else 90, fontsize=9)


def _arrow(
    ax: "Axes", start: tuple[float, float], end: tuple[float, float], style: str = "arc3", dashed: bool = False
) -> None:
    ax.annotate(
        "", xy=end, xytext=start,
        arrowprops={"arrowstyle": "->", "connectionstyle": style, "linestyle": "--" if dashed else "-",
                    "color": "0.35", "lw": 1.1},
    )  # fmt: skip
