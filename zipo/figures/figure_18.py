"""Figure 18: zeros and mean expression."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zipo.figures.shared import style
from zipo.figures.shared.methods import CONTROL, of_controls

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

title = "zeros and mean expression"
caption = (
    "How far the share of zeros that each method's own distribution expects lies from what is observed, in percentage "
    "points, for groups of genes of like mean count, from rare genes at the left to frequent ones at the right: "
    "orange where it expects too many zeros, purple where too few, white within 1 point. Above each panel is the share "
    "that is observed, to its right the mean of the absolute differences, by whose mean over data sets the methods are "
    "in order, controls (grey) after them. The last rows are Poisson and a negative binomial with one size for all "
    "genes, with the observed means. A method without a distribution of its own is taken as Poisson with its denoised "
    "counts as means; grey rows are of methods without a result."
)
experiments = ()
tables = ("zeros", "leaderboard")
MOST_IN_A_ROW = 4
"""Panels beside each other, so that twelve data sets fill a page and not a scroll."""
WIDTH, ROW, MARGINS = 3.1, 0.145, 1.1
"""Inches: width of a panel, height of a row of it, and what is above and below the rows."""
LABELS = 1.0
"""Inches of the methods' names and of the colour bar, at the left of all panels and at their right."""
LEVELS = (-100, -30, -10, -3, -1, 1, 3, 10, 30, 100)
"""Percentage points between which differences share a colour: few colours can be read off a scale."""
BOUNDS = {"Poisson": "poisson", "negative binomial": "nb"}
NO_RESULT = "0.9"
APART = 8
"""Labels that fit side by side below a panel."""


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """Observed and expected shares of zeros of each group of genes."""
    return tables["zeros"]


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """A panel per data set: a row per method, a column per group of genes."""
    style.use()
    from matplotlib import pyplot as plt

    zeros, controls = tables["zeros"], of_controls(tables["leaderboard"])
    datasets = style.in_order(zeros["dataset"], study)
    differences = {dataset: _differences(zeros[zeros["dataset"] == dataset]) for dataset in datasets}
    rows = _in_order(differences, controls)
    columns = max(1, min(len(datasets), MOST_IN_A_ROW))
    lines = max(1, -(-len(datasets) // columns))
    size = WIDTH * columns + 2 * LABELS, (ROW * len(rows) + MARGINS) * lines
    figure, grid = plt.subplots(lines, columns, figsize=size, squeeze=False, layout="constrained")
    for ax in grid.flat[max(1, len(datasets)) :]:
        ax.axis("off")
    mesh = None
    for place, (ax, dataset) in enumerate(zip(grid.flat, datasets, strict=False)):
        groups = _groups(zeros[zeros["dataset"] == dataset])
        mesh = _draw_panel(ax, differences[dataset].reindex(rows), groups)
        ax.set_yticks(np.arange(len(rows)) + 0.5, rows if place % columns == 0 else [], fontsize="x-small")
        for label in ax.get_yticklabels():
            label.set_color(CONTROL if label.get_text() in controls else style.INK)
        for row in range(1, len(rows)):
            if _kind(rows[row], controls) != _kind(rows[row - 1], controls):
                ax.axhline(row, color=style.INK, linewidth=0.6)
        if place % columns == 0:
            _annotate(ax, "observed zeros ", (0, -0.55), ha="right")
        ax.set_title(study["datasets"][dataset], fontsize="medium")
    if mesh is not None:
        bar = figure.colorbar(mesh, ax=grid, shrink=min(0.8, 3.2 / size[1]), aspect=18, pad=0.01)
        bar.set_ticks(LEVELS[1:-1])
        bar.set_label("Expected less observed zeros\n(percentage points)")
    return figure


def _groups(zeros: pd.DataFrame) -> pd.DataFrame:
    """Groups of genes of a data set, by their mean count, with the observed and the bounds' shares of zeros."""
    return zeros[zeros["method"] == zeros["method"].iloc[0]].sort_values("mean").reset_index(drop=True)


def _differences(zeros: pd.DataFrame) -> pd.DataFrame:
    """Expected less observed shares of zeros of a data set in percentage points, (methods and bounds, groups)."""
    groups = _groups(zeros)
    table = {
        method: (rows := own.sort_values("mean"))["expected"].to_numpy() - rows["observed"].to_numpy()
        for method, own in zeros.groupby("method")
    }
    table |= {name: groups[column].to_numpy() - groups["observed"].to_numpy() for name, column in BOUNDS.items()}
    return 100 * pd.DataFrame.from_dict(table, orient="index")


def _in_order(differences: dict[str, pd.DataFrame], controls: list[str]) -> list[str]:
    """Rows of all panels: methods, controls and bounds, each by the mean over data sets of absolute differences."""
    sizes = pd.DataFrame({dataset: table.abs().mean(axis=1) for dataset, table in differences.items()}).mean(axis=1)
    return sorted(sizes.index, key=lambda name: (_kind(name, controls), sizes[name]))


def _kind(row: str, controls: list[str]) -> int:
    """0 for a method, 1 for a control, 2 for a bound."""
    return 2 if row in BOUNDS else int(row in controls)


def _draw_panel(ax: "Axes", differences: pd.DataFrame, groups: pd.DataFrame) -> "QuadMesh":
    """Differences as colours, with the genes' mean counts below, observed zeros above and mean sizes at the right."""
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm

    colours = colormaps["PuOr_r"].with_extremes(bad=NO_RESULT)
    mesh = ax.pcolormesh(
        np.ma.masked_invalid(differences.to_numpy()), cmap=colours, norm=BoundaryNorm(LEVELS, colours.N),
        rasterized=True,
    )  # fmt: skip
    ax.invert_yaxis()
    ax.grid(visible=False)
    ax.tick_params(axis="y", length=0)
    ticks, places = _ticks(groups["mean"])
    observed = np.interp(np.log(ticks), np.log(groups["mean"]), groups["observed"])
    ax.set_xticks(places, [f"{tick:g}" for tick in ticks], fontsize="x-small")
    ax.set_xlabel("Mean count of the genes", fontsize="small")
    above = ax.secondary_xaxis("top")
    above.set_xticks(places, [f"{share:.0%}" for share in observed], fontsize="x-small")
    above.tick_params(length=2, pad=1)
    _annotate(ax, "mean", (1, -0.55))
    for row, size in enumerate(differences.abs().mean(axis=1)):
        if pd.notna(size):
            _annotate(ax, f"{size:.1f}", (1, row + 0.5))
    return mesh


def _annotate(ax: "Axes", text: str, place: tuple[float, float], ha: str = "left") -> None:
    """Small text beside a panel: `place` is a share of its width, and rows from its top."""
    shift = (3 if ha == "left" else 0, 0)
    ax.annotate(text, place, xycoords=("axes fraction", "data"), xytext=shift, textcoords="offset points", ha=ha,
                va="center", fontsize=6.5)  # fmt: skip


def _ticks(means: pd.Series) -> tuple[list[float], list[float]]:
    """Round numbers within the range of the groups' means, and their places between the groups, far enough apart."""
    powers = 10.0 ** np.arange(np.floor(np.log10(means.min())), np.log10(means.max()) + 1)
    candidates = [*powers, *(3 * powers)]  # powers of ten come first
    ticks: dict[float, float] = {}
    for tick in (tick for tick in candidates if means.min() <= tick <= means.max()):
        place = float(np.interp(np.log(tick), np.log(means), np.arange(len(means)) + 0.5))
        if all(abs(place - other) > len(means) / APART for other in ticks.values()):
            ticks[tick] = place
    return list(ticks), list(ticks.values())
