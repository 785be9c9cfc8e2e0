"""Figure 22: effects behind the claims by number of cells and width of the network."""

import textwrap
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from zipo.figures.shared import style
from zipo.shared.verdicts import figure_name

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

title = "effects behind the claims by number of cells and width of the network"
caption = (
    "Ratio, or difference, that each claim is about, by number of cells and width of all hidden layers (colour, as the "
    "width of the first layer), on one or more populations of cells (marker and line), each with its 95 % confidence "
    "interval; zero effect is the line across. Hollow symbols in grey, in the shaded part, were not run: they are "
    "predicted at the paper's number of cells and width of the first layer by a plane over the logarithms of both that "
    "is fitted to the others, with its 95 % interval, and hold as far as effects go on that way. Intervals that are "
    "much wider than most of a panel's leave it. In each corner: whether intervals without zero lie on one side of it "
    "or on both."
)
experiments = ()
tables = ("scale",)

PANEL = (3.6, 3.1)  # inches
LINE = 44  # letters in a line of a claim
MARKERS = ("o", "s", "^", "D")
LINES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
APART = 1.05  # factor by which points of different widths stand apart along x
BESIDE = 1.45  # factor between the outermost numbers of cells and the edge of a panel, and between labels
SHOWN = 0.75  # quantile of the intervals' halves that a panel has room for above and below the effects
ROOM = 0.15  # share of a panel's range that is left free below and above
DECADE = 10  # factor up to which a logarithmic axis has evenly spaced labels
GREY = "#777777"


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """A row per claim, data set and width, measured, and one per claim and population, predicted."""
    return tables["scale"]


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """A panel per claim."""
    style.use()
    table = tables["scale"].astype({"figure": float})
    claims = [rows for _, rows in table.groupby("id", sort=False)]
    measured = table[table["kind"] == "measured"]
    widths = sorted(measured["first_layer"].unique())
    palette = dict(zip(widths, style.colours(len(widths)), strict=True))
    populations = list(measured["population"].unique())
    figure, axes = style.panels(len(claims), PANEL)
    for index, (ax, rows) in enumerate(zip(axes, claims, strict=False)):
        _panel(ax, rows, palette, populations)
        style.panel_letter(ax, index)
    if claims:
        _legend(figure, palette, populations)
    return figure


def _panel(ax: "Axes", rows: pd.DataFrame, palette: dict[int, str], populations: list[str]) -> None:
    first = rows.iloc[0]
    relative = first["scale"] == "relative"
    values = rows[["effect", "ci_low", "ci_high"]] + (1 if relative else 0)
    rows = rows.assign(**values)
    measured, predicted = rows[rows["kind"] == "measured"], rows[rows["kind"] == "predicted"]
    ax.axhline(1 if relative else 0, color="0.4", linewidth=0.8, zorder=1)
    for place, population in enumerate(populations):
        for step, (width, colour) in enumerate(palette.items()):
            shown = measured[(measured["population"] == population) & (measured["first_layer"] == width)]
            shown = shown.sort_values("cells")
            x = shown["cells"].to_numpy() * APART ** (step - (len(palette) - 1) / 2)
            ax.plot(x, shown["effect"], color=colour, linestyle=LINES[place % 4], linewidth=0.9)
            _points(ax, x, shown, colour, MARKERS[place % 4], filled=True)
        shown = predicted[predicted["population"] == population]
        x = shown["cells"].to_numpy() * APART ** (2 * place)
        _points(ax, x, shown, GREY, MARKERS[place % 4], filled=False)
    _scale(ax, rows, relative)
    ax.set_xscale("log")
    cells = sorted(rows["cells"].unique())
    ax.set_xlim(cells[0] / BESIDE, cells[-1] * BESIDE)
    ax.set_xticks(*_apart(cells))
    ax.minorticks_off()
    if len(predicted):
        ax.axvspan(measured["cells"].max() * BESIDE, cells[-1] * BESIDE, color="0.93", zorder=0, linewidth=0)
    ax.set_xlabel("Cells")
    measure = style.LABELS.get(first["measure"], first["measure"].replace("_", " ")).split(" (")[0]
    ax.set_ylabel(f"{'Ratio' if relative else 'Difference'}: {measure}", fontsize="small")
    claim = textwrap.fill(f"{figure_name(first['figure'])}: {first['claim']}", LINE)
    ax.set_title(claim, fontsize="x-small", loc="center")
    ax.text(0.02, 0.03, _signs(rows), transform=ax.transAxes, fontsize="x-small", style="italic")


def _scale(ax: "Axes", rows: pd.DataFrame, relative: bool) -> None:
    """Limits that hold all effects, their line of no effect and most intervals; ratios on a logarithmic axis."""
    import numpy as np
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, ScalarFormatter

    values = rows[["effect", "ci_low", "ci_high"]].to_numpy(float)
    values = np.log(values) if relative else values
    half = np.quantile((values[:, 2] - values[:, 1]) / 2, SHOWN)
    low, high = min(values[:, 0].min() - half, 0), max(values[:, 0].max() + half, 0)
    low, high = low - ROOM * (high - low), high + ROOM * (high - low)
    if not relative:
        ax.set_ylim(low, high)
        return
    ax.set_yscale("log")
    ax.set_ylim(np.exp(low), np.exp(high))
    near = high - low < np.log(DECADE)
    ax.yaxis.set_major_locator(MaxNLocator(6) if near else LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(ScalarFormatter())
    ax.yaxis.set_minor_locator(NullLocator())


def _signs(rows: pd.DataFrame) -> str:
    """Whether the effect keeps its sign, by population where they differ."""
    signs = rows.groupby("population", sort=False)["sign"].first()
    if signs.nunique() == 1:
        return signs.iloc[0]
    return "\n".join(f"{population}: {sign}" for population, sign in signs.items())


def _apart(cells: list[int]) -> tuple[list[int], list[str]]:
    """Ticks at numbers of cells that are far enough apart for their labels."""
    shown: list[int] = []
    for number in reversed(cells):
        if not shown or shown[-1] > number * BESIDE:
            shown.append(number)
    return shown, [f"{number:,}" for number in shown]


def _points(ax: "Axes", x: "np.ndarray", rows: pd.DataFrame, colour: str, marker: str, *, filled: bool) -> None:
    """Effects with their intervals."""
    effect, low, high = rows[["effect", "ci_low", "ci_high"]].to_numpy(float).T
    ax.errorbar(
        x, effect, yerr=(effect - low, high - effect), color=colour, marker=marker, markersize=4, linestyle="none",
        elinewidth=0.8, capsize=2, markerfacecolor=colour if filled else "white",
    )  # fmt: skip


def _legend(figure: "Figure", palette: dict[int, str], populations: list[str]) -> None:
    """Widths, populations and the mark of predictions, below the panels."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, label=f"first layer of {width}") for width, colour in palette.items()]
    for place, name in enumerate(populations):
        marker, line = MARKERS[place % 4], LINES[place % 4]
        handles.append(Line2D([], [], color="0.2", marker=marker, linestyle=line, markersize=4, label=name))
    handles.append(
        Line2D([], [], color=GREY, marker="o", markerfacecolor="white", linestyle="none", label="predicted, not run")
    )
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize="small")
