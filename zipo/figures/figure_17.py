"""Figure 17: quality against time."""

from typing import Any

import pandas as pd

from zipo.figures import style
from zipo.figures.methods import in_order, looks, of_controls

title = "quality against time"
caption = (
    "How well each method predicts the molecules that it was not given (Poisson deviance, lower is better) against the "
    "time that it took, with its peak memory beside its name. Bars are intervals over splits and seeds. Controls are "
    "grey; a method that did not run to its end is not shown."
)
experiments = ()
tables = ("leaderboard",)
MEASURE = "poisson_deviance"


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """Deviance with its interval, seconds and peak memory of each method and data set."""
    table = tables["leaderboard"]
    chosen = table[(table["metric"] == MEASURE) & (table["status"] == "ok")]
    return chosen[["dataset", "method", "mean", "low", "high", "n", "rank", "seconds", "peak_mb"]]


def draw(tables: dict[str, Any], study: dict[str, Any]):
    """A panel per data set, a point per method."""
    style.use()
    table, shown = tables["leaderboard"], numbers(tables, study)
    datasets = style.in_order(shown["dataset"], study)
    look = looks(in_order(table), of_controls(table))
    figure, grid = style.grid(1, max(1, len(datasets)))
    figure.set_size_inches(5.6 * max(1, len(datasets)), 4.6)
    for place, (ax, dataset) in enumerate(zip(grid[0], datasets, strict=False)):
        for row in shown[shown["dataset"] == dataset].itertuples():
            marker = {name: look[row.method][name] for name in ("color", "marker")}
            ax.plot(row.seconds, row.mean, linestyle="none", markersize=7, **marker)
            if pd.notna(row.low):
                ax.vlines(row.seconds, row.low, row.high, color=marker["color"], linewidth=1)
            ax.annotate(
                f"{row.method}, {_memory(row.peak_mb)}", (row.seconds, row.mean), xytext=(6, 4),
                textcoords="offset points", fontsize="xx-small", color=marker["color"],
            )  # fmt: skip
        ax.set(xscale="log", xlabel="Seconds", ylabel="Deviance of held-out counts\n(per entry)")
        ax.margins(x=0.28, y=0.12)
        style.panel_letter(ax, place)
        ax.set_title(study["datasets"][dataset])
    return figure


def _memory(megabytes: float) -> str:
    return f"{megabytes / 1000:.1f} GB"
