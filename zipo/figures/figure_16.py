"""Figure 16: latent variables and cell types."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style
from zipo.figures.shared.cell_types import legend_beside, of_types

if TYPE_CHECKING:
    from matplotlib.figure import Figure

title = "latent variables and cell types"
caption = (
    "t-SNE of the latent variables of one seed with ZIP and with ZINB, coloured by known cell type. Above each panel: "
    "silhouette of the cell types in the latents, adjusted Rand index (ARI) and normalised mutual information (NMI) "
    "of Leiden clusters of the latents with the cell types, means over all seeds."
)
experiments = ("latent_space",)
tables = ("embeddings", "clusters")


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """Silhouette, ARI and NMI of every data set, model and seed."""
    return tables["clusters"]


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """A row of panels per data set, a panel per model."""
    style.use()
    places = tables["embeddings"]
    datasets = style.in_order(places["dataset"], study)
    models = sorted(places["model"].unique(), key=style.rank)
    scores = tables["clusters"].groupby(["dataset", "model"])[["silhouette", "ari", "nmi"]].mean()
    figure, grid = style.grid(len(datasets), len(models))
    for row, dataset in enumerate(datasets):
        cells, palette = of_types(places[places["dataset"] == dataset])
        for column, model in enumerate(models):
            ax = grid[row, column]
            panel_cells = cells[cells["model"] == model]
            ax.grid(visible=False)
            colours = list(panel_cells["cell_type"].map(palette))
            ax.scatter(panel_cells["x"], panel_cells["y"], s=7, c=colours, linewidths=0, rasterized=True)
            ax.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2")
            text = f"{study['datasets'][dataset]}: {model}"
            if (dataset, model) in scores.index:
                score = scores.loc[(dataset, model)]
                text += f"\nsilhouette {score['silhouette']:.2f}, ARI {score['ari']:.2f}, NMI {score['nmi']:.2f}"
            letter = chr(ord("a") + row * len(models) + column)
            ax.set_title(f"({letter}) {text}", loc="left", fontsize="medium")
        legend_beside(grid[row, -1], palette)
    return figure
