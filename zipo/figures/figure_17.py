"""Figure 17: quality against time."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style
from zipo.figures.shared.methods import CONTROL, in_order, looks, of_controls

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

title = "quality against time"
caption = (
    "How well the denoised counts of each method predict the molecules that it was not given (Poisson deviance, lower "
    "is better) against the time that it took; in brackets the most memory that it held. Bars are intervals over "
    "splits and seeds. Controls, which take no time, are lines; shrinkage is the counts drawn towards the means of the "
    "genes, which a method has to beat. What is far from the rest is named at the edge; a method that did not run to "
    "its end is not shown."
)
experiments = ()
tables = ("leaderboard",)
MEASURE = "poisson_deviance"
FAR = 10  # times the methods' median distance from their median


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """Deviance with its interval, seconds and peak memory of each method and data set."""
    table = tables["leaderboard"]
    chosen = table[(table["metric"] == MEASURE) & (table["status"] == "ok")]
    return chosen[["dataset", "method", "mean", "low", "high", "n", "rank", "seconds", "peak_mb"]]


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """A panel per data set, a point per method, a line per control."""
    style.use()
    table, shown = tables["leaderboard"], numbers(tables, study)
    datasets = style.in_order(shown["dataset"], study)
    controls = of_controls(table)
    names = in_order(table)
    look = looks(names, controls)
    figure, grid = style.grid(1, max(1, len(datasets)))
    figure.set_size_inches(4.4 * max(1, len(datasets)) + 1.8, 3.8)
    for place, (ax, dataset) in enumerate(zip(grid[0], datasets, strict=False)):
        here = shown[shown["dataset"] == dataset]
        is_control = here["method"].isin(controls)
        points, lines = here[~is_control], here[is_control]
        far = _far(points["mean"])
        for row in points[~far].itertuples():
            marker = {name: look[row.method][name] for name in ("color", "marker")}
            ax.plot(row.seconds, row.mean, linestyle="none", markersize=7, label=row.method, **marker)
            if pd.notna(row.low):
                ax.vlines(row.seconds, row.low, row.high, color=marker["color"], linewidth=1)
        ax.set(xscale="log", xlabel="Seconds", ylabel="Deviance of held-out counts\n(per entry)")
        ax.margins(x=0.1, y=0.25)
        _bounds(ax, lines.sort_values("mean"), points[far])
        style.panel_letter(ax, place)
        ax.set_title(study["datasets"][dataset])
    _legend(grid[0], names, shown)
    return figure


def _far(means: pd.Series) -> pd.Series:
    """Which of the methods are so far from the rest that these would be one point beside them."""
    distance = (means - means.median()).abs()
    return distance > FAR * distance.median()


def _bounds(ax: "Axes", controls: pd.DataFrame, far: pd.DataFrame) -> None:
    """Controls as lines; those far from the methods are named at the edge, as far methods are."""
    low, high = ax.get_ylim()
    reach = high - low
    near = controls[controls["mean"].between(low - reach, high + reach)]
    for row in near.itertuples():
        ax.axhline(row.mean, color=CONTROL, linestyle=":", linewidth=1.2)
        ax.annotate(row.method, (0.02, row.mean), xycoords=("axes fraction", "data"), xytext=(0, 2),
                    textcoords="offset points", fontsize="x-small", color=CONTROL)  # fmt: skip
    beyond = [f"{row.method} {row.mean:.2f}" for row in pd.concat([controls.drop(near.index), far]).itertuples()]
    ax.text(0.98, 0.97, "\n".join(f"beyond: {told}" for told in beyond), transform=ax.transAxes, ha="right", va="top",
            fontsize="x-small", color=CONTROL)  # fmt: skip


def _legend(panels: "np.ndarray", names: list[str], shown: pd.DataFrame) -> None:
    """The methods of all panels, with the most memory of each, beside the last panel."""
    handles: dict[str, Artist] = {}
    for ax in panels:
        handles |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    memory = shown.groupby("method")["peak_mb"].max() / 1000
    there = [name for name in names if name in handles]
    panels[-1].legend(
        [handles[name] for name in there], [f"{name} ({memory[name]:.1f} GB)" for name in there], loc="upper left",
        bbox_to_anchor=(1.02, 1), fontsize="x-small",
    )  # fmt: skip
