"""Figure 20: latent variables of the methods."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style
from zipo.figures.shared.cell_types import legend_beside, of_types
from zipo.figures.shared.methods import in_order

if TYPE_CHECKING:
    from matplotlib.figure import Figure

title = "latent variables of the methods"
caption = (
    "t-SNE of the latent variables of each method that has them, from the training molecules of one split, coloured by "
    "known cell type. Above each panel: silhouette of the cell types, adjusted Rand index (ARI) and normalised mutual "
    "information (NMI) of Leiden clusters with the cell types, means over splits and seeds."
)
experiments = ()
tables = ("places", "leaderboard")
IN_A_ROW = 5
SMALL = 0.7
"""Size of the panels, as a share of the usual one, where several data sets have many of them."""
MANY = 20
"""Panels of a figure from which on they are small."""
SCORES = {"silhouette": "latent_silhouette", "ARI": "latent_ari", "NMI": "latent_nmi"}


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """Silhouette, ARI and NMI of every data set and method."""
    table = tables["leaderboard"]
    chosen = table[table["metric"].isin(SCORES.values()) & (table["status"] == "ok")]
    return chosen[["dataset", "method", "metric", "mean", "low", "high", "n", "rank"]]


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """Rows of panels for each data set, a panel per method, a legend at each data set's first row."""
    style.use()
    places, scores = tables["places"], numbers(tables, study).set_index(["dataset", "method", "metric"])["mean"]
    order = [name for name in in_order(tables["leaderboard"]) if name in set(places["method"])]
    datasets = style.in_order(places["dataset"], study)
    rows_each = max(1, -(-len(order) // IN_A_ROW))
    figure, grid = style.grid(max(1, rows_each * len(datasets)), max(1, min(IN_A_ROW, len(order))))
    if grid.size > MANY:
        figure.set_size_inches(*(SMALL * figure.get_size_inches()))
    for ax in grid.flat:
        ax.axis("off")
    for index, dataset in enumerate(datasets):
        cells, palette = of_types(places[places["dataset"] == dataset])
        for place, name in enumerate(order):
            panel_cells = cells[cells["method"] == name]
            ax = grid[index * rows_each + place // IN_A_ROW, place % IN_A_ROW]
            if panel_cells.empty:
                continue
            ax.axis("on")
            ax.grid(visible=False)
            colours = panel_cells["cell_type"].map(palette).tolist()
            ax.scatter(panel_cells["x"], panel_cells["y"], c=colours, s=4, linewidth=0, rasterized=True)
            ax.set(xticks=[], yticks=[])
            values = {word: scores.get((dataset, name, metric)) for word, metric in SCORES.items()}
            summary = ", ".join(f"{word} {value:.2f}" for word, value in values.items() if value is not None)
            ax.set_title(
                f"{study['datasets'][dataset]}: {name}\n{summary}",
                loc="left",
                fontsize="small" if grid.size <= MANY else "xx-small",
            )
        legend_beside(grid[index * rows_each, -1], palette)
    return figure
