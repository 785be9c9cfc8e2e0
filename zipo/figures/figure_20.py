"""Figure 20: latent variables of the methods."""

import textwrap
from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style
from zipo.figures.shared.cell_types import of_types

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

title = "latent variables of the methods"
caption = (
    "t-SNE of the latent variables of each method that has them (columns, the highest mean ARI first) on each data set "
    "(rows), from the training molecules of one split, coloured by known cell type; the commonest types are named at "
    "the right. Above each panel: adjusted Rand index (ARI) and normalised mutual information (NMI) of Leiden clusters "
    "with the cell types, and silhouette of the cell types (sil.), means over splits and seeds, the best of each data "
    "set in bold."
)
experiments = ()
tables = ("places", "leaderboard")
SCORES = {"ARI": "latent_ari", "NMI": "latent_nmi", "sil.": "latent_silhouette"}
PLACES = {"ARI": (0.0, "left"), "NMI": (0.5, "center"), "sil.": (1.0, "right")}
"""Where above a panel a score stands, as a share of its width, and how it is aligned."""
WIDTH = 13.5
"""Inches of all panels together, as far as LEAST and MOST allow."""
LEAST, MOST = 0.72, 1.7
"""Inches that a panel is wide and high at the least and at the most."""
GAP = 0.08, 0.2
"""Inches between panels, and between rows of them, where the scores stand."""
LEFT, RIGHT, TOP = 1.3, 1.7, 1.0
"""Inches of the data sets' names, of the cell types and of the methods' names."""
LINE = 0.115
"""Inches of a line of the cell types."""
LETTERS = 18
"""Letters in a line of the data sets' names, and in a cell type's."""
FONT = 7.0
"""Points of the scores and of the names of cell types."""


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """Silhouette, ARI and NMI of every data set and method."""
    table = tables["leaderboard"]
    chosen = table[table["metric"].isin(SCORES.values()) & (table["status"] == "ok")]
    return chosen[["dataset", "method", "metric", "mean", "low", "high", "n", "rank"]]


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """A row of panels per data set, a column per method."""
    style.use()
    from matplotlib import pyplot as plt

    places = tables["places"]
    scores = numbers(tables, study).pivot_table(index="metric", columns=["dataset", "method"], values="mean")
    methods = _in_order(places, scores)
    datasets = style.in_order(places["dataset"], study)
    size = min(MOST, max(LEAST, WIDTH / max(1, len(methods)) - GAP[0]))
    width = LEFT + max(1, len(methods)) * (size + GAP[0]) + RIGHT
    height = TOP + max(1, len(datasets)) * (size + GAP[1])
    figure = plt.figure(figsize=(width, height))
    for row, dataset in enumerate(datasets):
        cells, palette = of_types(places[places["dataset"] == dataset])
        bottom = height - TOP - row * (size + GAP[1]) - size
        for column, method in enumerate(methods):
            left = LEFT + column * (size + GAP[0])
            ax = figure.add_axes((left / width, bottom / height, size / width, size / height))
            ax.set(xticks=[], yticks=[])
            ax.grid(visible=False)
            if row == 0:
                ax.annotate(method, (0.1, 1), xytext=(0, 14), textcoords="offset points", xycoords="axes fraction",
                            rotation=35, fontsize="small")  # fmt: skip
            if column == 0:
                ax.set_ylabel(textwrap.fill(study["datasets"][dataset], LETTERS), fontsize="small", rotation=0,
                              ha="right", va="center")  # fmt: skip
            if column == len(methods) - 1:
                _name_types(ax, palette, size)
            shown = cells[cells["method"] == method]
            if shown.empty:
                ax.annotate("no result", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", fontsize=FONT)
                continue
            colours = shown["cell_type"].map(palette).tolist()
            ax.scatter(shown["x"], shown["y"], c=colours, s=size**2, linewidth=0, rasterized=True)
            _write_scores(ax, scores.get(dataset, pd.DataFrame()), method)
    if datasets and methods:
        _head_scores(figure.axes[0])
    return figure


def _in_order(places: pd.DataFrame, scores: pd.DataFrame) -> list[str]:
    """The methods with latents, the highest mean ARI over data sets first."""
    ari = (
        scores.loc[SCORES["ARI"]].groupby("method").mean() if SCORES["ARI"] in scores.index else pd.Series(dtype=float)
    )
    return sorted(places["method"].unique(), key=lambda name: (-ari.get(name, float("-inf")), name))


def _write_scores(ax: "Axes", scores: pd.DataFrame, method: str) -> None:
    """Write a method's scores above its panel; `scores` are those of the data set, measures x methods."""
    for word, metric in SCORES.items():
        value = scores[method].get(metric) if method in scores else None
        if value is None or pd.isna(value):
            continue
        place, alignment = PLACES[word]
        best = f"{value:.2f}" == f"{scores.loc[metric].max():.2f}"
        ax.annotate(
            f"{value:.2f}".replace("0.", "."), (place, 1), xytext=(0, 2), textcoords="offset points",
            xycoords="axes fraction", ha=alignment, fontsize=FONT, weight="bold" if best else "normal",
        )  # fmt: skip


def _head_scores(ax: "Axes") -> None:
    """Say left of the first panel's scores which they are."""
    ax.annotate(", ".join(SCORES), (0, 1), xytext=(-6, 2), textcoords="offset points", xycoords="axes fraction",
                ha="right", fontsize=FONT)  # fmt: skip


def _name_types(ax: "Axes", palette: dict[str, tuple], size: float) -> None:
    """Name the commonest cell types to the right of a panel, as many as fit beside it."""
    from matplotlib.lines import Line2D

    lines = max(2, int(size / LINE))
    named = list(palette) if len(palette) <= lines else list(palette)[: lines - 1]
    handles = [
        Line2D([], [], marker="o", linestyle="none", markersize=4, color=palette[name],
               label=textwrap.shorten(name.replace("_", " "), LETTERS, placeholder="\N{HORIZONTAL ELLIPSIS}"))
        for name in named
    ]  # fmt: skip
    if len(named) < len(palette):
        handles.append(Line2D([], [], linestyle="none", label=f"and {len(palette) - len(named)} more"))
    ax.legend(
        handles=handles, loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=FONT, frameon=False, borderpad=0,
        labelspacing=0.15, handletextpad=0.1, borderaxespad=0.2,
    )  # fmt: skip
