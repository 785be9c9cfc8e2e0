"""Figure 2: library sizes and totals of genes."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

title = "library sizes and totals of genes"
caption = (
    "Violins of the library sizes of cells (a) and of the total counts of genes (b) in each data set, after filters. "
    "Cells and genes without any counts have no place on the logarithmic axis and are left out."
)
experiments = ()
tables = ("totals",)


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """Number, zeros, median and quantiles of the totals of every data set's cells and genes."""
    groups = tables["totals"].groupby(["of", "dataset"], sort=False)["total"]
    shares = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
    table = pd.DataFrame({"n": groups.size(), "zeros": groups.agg(lambda total: int((total == 0).sum()))})
    for name, share in shares.items():
        table[name] = groups.quantile(share)
    return table.reset_index()


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """A violin per data set, of the logarithms."""
    style.use()
    import numpy as np

    totals = tables["totals"]
    order = style.in_order(totals["dataset"], study)
    positive = totals[totals["total"] > 0]
    positive = positive.assign(log_total=np.log10(positive["total"]))
    figure, axes = style.grid(1, 2)
    labels = {"cell": "Library size of a cell (counts)", "gene": "Total of a gene (counts)"}
    for index, (kind, ax) in enumerate(zip(labels, axes[0], strict=True)):
        shown = positive[positive["of"] == kind]
        _violins(ax, [shown.loc[shown["dataset"] == name, "log_total"] for name in order])
        ticks = range(int(np.floor(shown["log_total"].min())), int(np.ceil(shown["log_total"].max())) + 1)
        ax.set_yticks(list(ticks), [f"$10^{{{tick}}}$" for tick in ticks])
        ax.set_xticks(range(len(order)), [study["datasets"][name].replace(", ", ",\n") for name in order])
        ax.set_xlabel("")
        ax.set_ylabel(labels[kind])
        ax.grid(axis="x", visible=False)
        style.panel_letter(ax, index)
    return figure


def _violins(ax: "Axes", groups: list[pd.Series]) -> None:
    """A violin for each group, of the same greatest width, with lines at median and quartiles."""
    violins = ax.violinplot(
        [group.to_numpy() for group in groups], range(len(groups)), widths=0.8, showextrema=False,
        quantiles=[[0.25, 0.5, 0.75]] * len(groups),
    )  # fmt: skip
    bodies: Any = violins["bodies"]
    for body, colour in zip(bodies, style.colours(len(groups)), strict=True):
        body.set(facecolor=colour, edgecolor="0.3", linewidth=0.9, alpha=0.9)
    violins["cquantiles"].set(color="0.3", linewidth=0.9)
