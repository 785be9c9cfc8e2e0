"""Figure 16: latent variables and cell types."""

from typing import Any

import pandas as pd

from zipo.figures import style

title = "latent variables and cell types"
caption = (
    "t-SNE of the latent variables of one seed with ZIP and with ZINB, coloured by known cell type. Above each panel: "
    "silhouette of the cell types in the latents, adjusted Rand index (ARI) and normalised mutual information (NMI) "
    "of Leiden clusters of the latents with the cell types."
)
experiments = ("latent_space",)
tables = ("embeddings", "clusters")
MOST_TYPES = 20  # more colours cannot be told apart; rarer types share the grey of the rest
REST = "others"
IN_A_COLUMN = 16  # entries of the legend, so that it is no taller than its panels


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """Silhouette, ARI and NMI of every data set and model."""
    return tables["clusters"]


def draw(tables: dict[str, Any], study: dict[str, Any]):
    """A row of panels per data set, a panel per model."""
    style.use()
    import seaborn as sns

    places = tables["embeddings"]
    datasets = style.in_order(places["dataset"], study)
    models = sorted(places["model"].unique(), key=style.rank)
    scores = tables["clusters"].set_index(["dataset", "model"])
    figure, grid = style.grid(len(datasets), len(models))
    for row, dataset in enumerate(datasets):
        here = places[places["dataset"] == dataset]
        types = here["cell_type"].astype(object).fillna("unknown").astype(str)
        common = types.value_counts().index[:MOST_TYPES]
        here = here.assign(cell_type=types.where(types.isin(common), REST))
        order = [*common, *([REST] if (here["cell_type"] == REST).any() else [])]
        # twenty hues that stay apart: the colour-blind palette in its full and in a darker shade
        base = sns.color_palette("colorblind", 10)
        shades = [*base, *(tuple(0.55 * part for part in colour) for colour in base), (0.8, 0.8, 0.8)]
        palette = dict(zip(order, [*shades[: len(common)], shades[-1]], strict=False))
        for column, model in enumerate(models):
            ax = grid[row, column]
            cells = here[here["model"] == model]
            ax.grid(visible=False)
            sns.scatterplot(
                cells, x="x", y="y", hue="cell_type", hue_order=order, palette=palette, s=7, linewidth=0,
                legend=column == len(models) - 1, ax=ax, rasterized=True,
            )  # fmt: skip
            ax.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2")
            text = f"{study['datasets'][dataset]}: {model}"
            if (dataset, model) in scores.index:
                score = scores.loc[(dataset, model)]
                text += f"\nsilhouette {score['silhouette']:.2f}, ARI {score['ari']:.2f}, NMI {score['nmi']:.2f}"
            letter = chr(ord("a") + row * len(models) + column)
            ax.set_title(f"({letter}) {text}", loc="left", fontsize="medium")
        sns.move_legend(
            grid[row, -1], "upper left", bbox_to_anchor=(1.02, 1), title="Cell type", fontsize="x-small",
            labelspacing=0.3, handletextpad=0.1, columnspacing=0.8, ncols=-(-len(order) // IN_A_COLUMN),
        )  # fmt: skip
        for handle in grid[row, -1].get_legend().legend_handles:
            handle.set_markersize(5)
    return figure
