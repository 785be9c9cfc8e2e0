"""Style of all figures: sizes, palette, labels of measures, order of categories, and writing of pictures."""

import math
from collections.abc import Iterable
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.shared.atomic_files import atomic_write
from zipo.shared.tables import write_tsv

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELS = {
    "test_nll": "Test NLL (nats per entry)",
    "epochs": "Epochs until training stopped",
    "test_mse_rates": "Test MSE of rates (counts²)",
    "test_mse_means": "Test MSE of means (counts²)",
    "test_mean_zero_probability": "Mean zero-inflation\nprobability",
    "penalty_w_unweighted": "L1/L2 of the first layer's weights",
    "kept": "First-layer weights kept (%)",
    "pruned_test_nll": "Test NLL after pruning\n(nats per entry)",
    "pruned_test_mse_rates": "Test MSE of rates after pruning\n(counts²)",
}
# categories that the paper puts first
FIRST = ("none", "linear", "sigmoid", "POISSON", "NB", "ZIP", "ZiPo", "DCA", "zipDCA")
PANEL = (3.9, 3.2)  # inches
IN_A_ROW = 3  # panels of figures that have one for each data set
LOG_RANGE = 30.0  # means further apart than this factor go on a logarithmic axis
FORMATS = ("png", "pdf")
MARGIN = 0.1  # inches around a picture
PALETTE = (
    "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9",
)  # fmt: skip
"""Seaborn's palette `colorblind`, whose colours are told apart in every common colour blindness."""
INK, TEXT, SMALL = "0.15", 10.08, 9.24  # grey, and points
THEME = {
    "font.family": "sans-serif", "font.sans-serif": ["Arial", "DejaVu Sans", "Liberation Sans"], "font.size": TEXT,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.labelsize": TEXT, "axes.titlesize": TEXT, "legend.title_fontsize": TEXT,
    "xtick.labelsize": SMALL, "ytick.labelsize": SMALL, "legend.fontsize": SMALL,
    "axes.linewidth": 1.0, "lines.linewidth": 1.2, "lines.markersize": 4.8, "lines.solid_capstyle": "round",
    "xtick.major.size": 4.8, "ytick.major.size": 4.8, "xtick.major.width": 1.0, "ytick.major.width": 1.0,
    "xtick.minor.size": 3.2, "ytick.minor.size": 3.2, "xtick.minor.width": 0.8, "ytick.minor.width": 0.8,
    "patch.edgecolor": "w", "patch.force_edgecolor": True, "patch.linewidth": 0.8,
    "axes.axisbelow": True, "axes.grid": True, "grid.color": "0.8", "grid.alpha": 0.3,
    "figure.constrained_layout.w_pad": 0.12, "figure.constrained_layout.h_pad": 0.08,
    "pdf.fonttype": 42,  # text stays text
    "savefig.dpi": 200,
}  # fmt: skip
"""Seaborn's theme `ticks` for papers; importing seaborn takes as long as drawing a figure."""


def use() -> None:
    """Set sizes, colours and grid of the figures that are drawn from now on."""
    import matplotlib
    from cycler import cycler

    matplotlib.use("Agg")
    settings: Any = THEME | {"axes.prop_cycle": cycler(color=PALETTE)}
    matplotlib.rcParams.update(settings)


def colours(number: int) -> list[str]:
    """So many colours of the palette, which begins again after its last."""
    return list(islice(cycle(PALETTE), number))


def in_order(datasets: Iterable[str], study: dict[str, Any]) -> list[str]:
    """The data sets that occur, in the study's order."""
    present = set(datasets)
    return [name for name in study["datasets"] if name in present]


def rank(value: object) -> tuple:
    """Sort key of a category: numbers by size, encoders by depth and width, none first and full last."""
    text = str(value)
    if text in FIRST:
        return (0, FIRST.index(text))
    try:
        return (1, float(text))
    except ValueError:
        pass
    parts = text.split("-")
    if all(part.isdigit() for part in parts):
        return (2, len(parts), *map(int, parts))
    return (4,) if text == "full" else (3, text)


def number(value: object) -> str:
    """A category as a tick label."""
    if not isinstance(value, float):
        return str(value)
    if value and not 1e-2 <= abs(value) < 1e4:
        exponent = math.floor(math.log10(abs(value)))
        factor = value / 10**exponent
        return f"$10^{{{exponent}}}$" if math.isclose(factor, 1) else rf"${factor:g}\cdot10^{{{exponent}}}$"
    return f"{value:g}"


def logarithmic(values: Iterable[float]) -> bool:
    """Whether positive values spread so far that a linear axis would hide the small ones."""
    series = pd.Series(values, dtype=float).dropna()
    return bool(len(series) and series.min() > 0 and series.max() > LOG_RANGE * series.min())


def grid(rows: int, columns: int) -> "tuple[Figure, np.ndarray]":
    """A figure with its axes (rows, columns)."""
    from matplotlib import pyplot as plt

    width, height = PANEL
    figure, axes = plt.subplots(
        rows, columns, figsize=(width * columns, height * rows), squeeze=False, layout="constrained"
    )
    return figure, axes


def panels(number: int, size: tuple[float, float]) -> "tuple[Figure, list[Axes]]":
    """A figure with so many panels of a size in inches, in rows of IN_A_ROW at most; one that is empty for none."""
    columns = max(1, min(number, IN_A_ROW))
    rows = max(1, -(-number // columns))
    figure, axes = grid(rows, columns)
    figure.set_size_inches(size[0] * columns, size[1] * rows)
    for ax in axes.flat[max(1, number) :]:
        ax.axis("off")
    return figure, list(axes.flat)


def panel_letter(ax: "Axes", index: int) -> None:
    """A bold (a), (b), ..., (z), (aa), ... above the panel's upper left corner."""
    more, letter = divmod(index, 26)
    text = (chr(ord("a") + more - 1) if more else "") + chr(ord("a") + letter)
    ax.set_title(f"({text})", loc="left", fontweight="bold")


def write(figure: "Figure", numbers: pd.DataFrame, stem: Path) -> None:
    """Write a figure as PNG and PDF and its numbers as TSV; each appears whole or not at all."""
    # laid out and measured once; savefig would do so twice for each format
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    box = figure.get_tightbbox().padded(MARGIN)
    for kind in FORMATS:
        # no date in the file, so that the same numbers give the same bytes
        metadata = {"CreationDate": None} if kind == "pdf" else {"Software": None}
        with atomic_write(stem.with_name(f"{stem.name}.{kind}")) as part:
            figure.savefig(part, bbox_inches=box, metadata=metadata)
    write_tsv(numbers, stem.with_name(f"{stem.name}.tsv"))
