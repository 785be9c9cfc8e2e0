"""Figure 18: zeros and mean expression."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style
from zipo.figures.shared.methods import in_order, looks, of_controls

if TYPE_CHECKING:
    from matplotlib.figure import Figure

title = "zeros and mean expression"
caption = (
    "Share of zeros of genes against their mean count, as observed, under Poisson and under a negative binomial with "
    "one size for all genes, and as each method's own distribution expects it (left); and how far each lies above what "
    "is observed (right, logarithmic beyond 5 %). Points are means over groups of genes of like mean count. A method "
    "without a distribution of its own is taken as Poisson with its denoised counts as means."
)
experiments = ()
tables = ("zeros", "leaderboard")
LONG_LEGEND = 18
"""Lines that a column of the legend has at most, as a panel is not higher."""
BOUNDS = {"poisson": ("Poisson", "--"), "nb": ("negative binomial", "-.")}


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """Observed and expected shares of zeros of each group of genes."""
    return tables["zeros"]


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """A row of two panels per data set, with a legend beside the first."""
    style.use()
    zeros, table = tables["zeros"], tables["leaderboard"]
    datasets = style.in_order(zeros["dataset"], study)
    names = in_order(table)
    method_styles = looks(names, of_controls(table))
    figure, grid = style.grid(max(1, len(datasets)), 2)
    figure.set_size_inches(11.5, 3.6 * max(1, len(datasets)))
    for row, dataset in enumerate(datasets):
        dataset_zeros = zeros[zeros["dataset"] == dataset]
        shares, beyond = grid[row]
        for name in names:
            curve = dataset_zeros[dataset_zeros["method"] == name].sort_values("mean")
            if curve.empty:
                continue
            line = method_styles[name] | {"markersize": 3, "linewidth": 1, "label": name}
            shares.plot(curve["mean"], curve["expected"], **line)
            beyond.plot(curve["mean"], curve["expected"] - curve["observed"], **line)
        genes = dataset_zeros[dataset_zeros["method"] == dataset_zeros["method"].iloc[0]].sort_values("mean")
        for name, (label, dashes) in BOUNDS.items():
            shares.plot(genes["mean"], genes[name], color="k", linestyle=dashes, linewidth=1.4, label=label)
            beyond.plot(genes["mean"], genes[name] - genes["observed"], color="k", linestyle=dashes, linewidth=1.4)
        shares.plot(genes["mean"], genes["observed"], "o", color="k", markersize=4, fillstyle="none", label="observed")
        beyond.axhline(0, color="k", linewidth=0.8)
        shares.set(ylabel="Share of zeros")
        beyond.set_yscale("symlog", linthresh=0.05)  # so that one far off does not flatten the others
        beyond.set(ylabel="Expected less observed share")
        for place, ax in enumerate((shares, beyond)):
            ax.set(xscale="log", xlabel="Mean count of the genes")
            style.panel_letter(ax, 2 * row + place)
            ax.set_title(study["datasets"][dataset])
        if row == 0:
            handles, labels = shares.get_legend_handles_labels()
            beyond.legend(
                handles, labels, loc="upper left", bbox_to_anchor=(1.02, 1), fontsize="x-small",
                ncols=1 + len(labels) // LONG_LEGEND,
            )  # fmt: skip
    return figure
