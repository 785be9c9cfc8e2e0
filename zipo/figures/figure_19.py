"""Figure 19: false correlations between genes after denoising."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style
from zipo.figures.shared.methods import in_order, looks, of_controls
from zipo.metrics.false_correlations import STRONG

if TYPE_CHECKING:
    from matplotlib.figure import Figure

title = "correlations of genes that have none"
caption = (
    "Each gene's counts were permuted among the cells of a type, so that no two genes go together there, and then "
    f"denoised: the share of pairs of genes whose correlation still exceeds {STRONG:g} and chance. Lower is better; "
    "no denoising shows what chance alone leaves, and gene mean is 0 since it makes all cells alike. Correlations are "
    "those of ranks, to which even the smallest differences count and which the noise of single genes hides; the "
    "leaderboard's false_amplitude is the size of what genes share. Bars are intervals over splits, where there are "
    "several."
)
experiments = ()
tables = ("leaderboard",)


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """The share of correlated pairs of each method and data set, with its interval."""
    table = tables["leaderboard"]
    chosen = table[(table["metric"] == "false_correlations") & (table["status"] == "ok")]
    return chosen[["dataset", "method", "mean", "low", "high", "n", "rank"]]


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """A panel per data set, a bar per method, the lowest share on top."""
    style.use()
    table, shown = tables["leaderboard"], numbers(tables, study)
    datasets = style.in_order(shown["dataset"], study)
    method_styles = looks(in_order(table), of_controls(table))
    figure, panels = style.panels(len(datasets), (5.6, 1.4 + 0.24 * shown["method"].nunique()))
    for place, (ax, dataset) in enumerate(zip(panels, datasets, strict=False)):
        bars = shown[shown["dataset"] == dataset].sort_values(["mean", "method"], ascending=False)
        colours = [method_styles[name]["color"] for name in bars["method"]]
        ax.barh(bars["method"], 100 * bars["mean"], color=colours, height=0.7)
        with_interval = bars.dropna(subset=["low"])
        ax.hlines(
            with_interval["method"], 100 * with_interval["low"], 100 * with_interval["high"], color="k", linewidth=1
        )
        for name, share in zip(bars["method"], 100 * bars["mean"], strict=True):
            ax.annotate(f"{share:.2g}", (share, name), xytext=(3, 0), textcoords="offset points", va="center",
                        fontsize="xx-small")  # fmt: skip
        ax.margins(x=0.12)
        ax.grid(visible=False, axis="y")
        ax.set(xlabel="Pairs of permuted genes that correlate (%)")
        style.panel_letter(ax, place)
        ax.set_title(study["datasets"][dataset])
    return figure
