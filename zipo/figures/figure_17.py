"""Figure 17: quality against time."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style
from zipo.figures.shared.methods import CONTROL, in_order, looks, of_controls

if TYPE_CHECKING:
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
LEGEND_WIDTH = 1.8  # inches
LINE_HEIGHT = 0.04  # of a panel's height: labels closer than that are one label
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
    method_styles = looks(names, controls)
    figure, panels = style.panels(len(datasets), (4.4, 3.8))
    figure.set_figwidth(figure.get_figwidth() + LEGEND_WIDTH)
    for place, (ax, dataset) in enumerate(zip(panels, datasets, strict=False)):
        panel_rows = shown[shown["dataset"] == dataset]
        is_control = panel_rows["method"].isin(controls)
        points, lines = panel_rows[~is_control], panel_rows[is_control]
        outliers = _outlying(points["mean"])
        for row in points[~outliers].itertuples():
            marker = {name: method_styles[row.method][name] for name in ("color", "marker")}
            ax.plot(row.seconds, row.mean, linestyle="none", markersize=7, label=row.method, **marker)
            if pd.notna(row.low):
                ax.vlines(row.seconds, row.low, row.high, color=marker["color"], linewidth=1)
        ax.set(xscale="log", xlabel="Seconds", ylabel="Deviance of held-out counts\n(per entry)")
        ax.margins(x=0.1, y=0.25)
        _draw_controls(ax, lines.sort_values("mean"), points[outliers])
        style.panel_letter(ax, place)
        ax.set_title(study["datasets"][dataset])
    _add_legend(panels, names, shown)
    return figure


def _outlying(means: pd.Series) -> pd.Series:
    """Whether each method lies so far from the others that these would merge into one point if it were drawn."""
    distance = (means - means.median()).abs()
    return distance > FAR * distance.median()


def _draw_controls(ax: "Axes", controls: pd.DataFrame, outliers: pd.DataFrame) -> None:
    """Draw controls as lines; those far from the methods are named in a corner of the panel, as are `outliers`."""
    low, high = ax.get_ylim()
    height = high - low
    near = controls[controls["mean"].between(low - height, high + height)]
    labels: list[tuple[float, list[str]]] = []
    for row in near.itertuples():
        ax.axhline(row.mean, color=CONTROL, linestyle=":", linewidth=1.2)
        if labels and row.mean - labels[-1][0] < LINE_HEIGHT * height:
            labels[-1][1].append(row.method)
        else:
            labels.append((row.mean, [row.method]))
    for mean, names in labels:
        ax.annotate(", ".join(names), (0.02, mean), xycoords=("axes fraction", "data"), xytext=(0, 2),
                    textcoords="offset points", fontsize="x-small", color=CONTROL)  # fmt: skip
    beyond = [f"{row.method} {row.mean:.2f}" for row in pd.concat([controls.drop(near.index), outliers]).itertuples()]
    ax.text(0.98, 0.97, "\n".join(f"beyond: {label}" for label in beyond), transform=ax.transAxes, ha="right", va="top",
            fontsize="x-small", color=CONTROL)  # fmt: skip


def _add_legend(panels: "list[Axes]", names: list[str], shown: pd.DataFrame) -> None:
    """List the methods of all panels, with the peak memory of each, beside the first row."""
    handles: dict[str, Artist] = {}
    for ax in panels:
        handles |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    memory = shown.groupby("method")["peak_mb"].max() / 1000
    drawn = [name for name in names if name in handles]
    panels[: style.IN_A_ROW][-1].legend(
        [handles[name] for name in drawn], [f"{name} ({memory[name]:.1f} GB)" for name in drawn], loc="upper left",
        bbox_to_anchor=(1.02, 1), fontsize="x-small",
    )  # fmt: skip
