"""Panels over the prune threshold: share of weights kept, MSE and NLL after pruning, a curve per setting."""

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style
from zipo.figures.shared.statistics import summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEASURES = ("kept", "test_mse_rates", "test_nll")
THRESHOLD = "prune_threshold"


def numbers(runs: pd.DataFrame, hue: str) -> pd.DataFrame:
    """Mean, sem, bar, runs and diverged runs of every measure at every threshold and value of `hue`."""
    by = ["dataset", hue, THRESHOLD]
    long = _by_threshold(runs, hue)
    tables = []
    for measure in MEASURES:
        table = summary(long, by, measure)
        table.insert(0, "measure", measure)
        tables.append(table.sort_values(by, key=lambda column: column.map(style.rank)))
    return pd.concat(tables, ignore_index=True)


def draw(runs: pd.DataFrame, study: dict[str, Any], hue: str, hue_label: str, apart: float | None = None) -> "Figure":
    """A row of three panels per data set; the leftmost threshold, 0, is the unpruned model.

    The share of weights kept at the value `apart` of `hue` has a panel of its own, beside that of the others.
    """
    style.use()
    table = numbers(runs, hue)
    seeds = _by_threshold(runs, hue)
    seeds = seeds[seeds["status"] == "ok"]
    datasets = style.in_order(table["dataset"], study)
    hues = sorted(table[hue].unique(), key=style.rank)
    thresholds = sorted(table[THRESHOLD].unique())
    colours = style.colours(len(hues))
    others = [value for value in hues if value != apart]
    split = others and len(others) < len(hues)
    panels = [("kept", [apart]), ("kept", others)] if split else [("kept", hues)]
    panels += [(measure, hues) for measure in MEASURES if measure != "kept"]
    figure, grid = style.grid(len(datasets), len(panels))
    for row, dataset in enumerate(datasets):
        for column, (measure, values) in enumerate(panels):
            ax = grid[row, column]
            panel_table = table[(table["dataset"] == dataset) & (table["measure"] == measure)]
            for place, (value, colour) in enumerate(zip(hues, colours, strict=True)):
                if value not in values:
                    continue
                curve = panel_table[panel_table[hue] == value].set_index(THRESHOLD).reindex(thresholds)
                shift = 0.12 * (place - (len(hues) - 1) / 2)
                positions = [index + shift for index in range(len(thresholds))]
                ax.errorbar(
                    positions, curve["mean"], curve["bar"], color=colour, marker="o", markersize=4, capsize=2, lw=1.2,
                    label=style.number(value),
                )  # fmt: skip
                points = seeds[(seeds["dataset"] == dataset) & (seeds[hue] == value)]
                ax.scatter(
                    points[THRESHOLD].map(thresholds.index) + shift, points[measure], s=7, alpha=0.4, color=colour,
                    linewidths=0,
                )  # fmt: skip
            if measure != "kept" and style.logarithmic(panel_table["mean"]):
                ax.set_yscale("log")
            ax.set_xticks(range(len(thresholds)), [style.number(value) for value in thresholds])
            ax.set_xlabel("Prune threshold δ\n(share of a neuron's largest weight)")
            ax.set_ylabel(style.LABELS[measure if measure == "kept" else f"pruned_{measure}"])
            ax.grid(axis="x", visible=False)
            if len(datasets) > 1:
                ax.set_title(study["datasets"][dataset])
            style.panel_letter(ax, row * len(panels) + column)
    grid[0, -1].legend(title=hue_label, loc="upper left", bbox_to_anchor=(1.02, 1))
    return figure


def _by_threshold(runs: pd.DataFrame, hue: str) -> pd.DataFrame:
    """A row per run and threshold, from the runs table's columns pruned_<threshold>_<measure>."""
    kept_columns = [re.fullmatch(r"pruned_(.+)_kept", column) for column in runs.columns]
    names = [match.group(1) for match in kept_columns if match]
    identity = ["dataset", hue, "seed", "status"]
    parts = [runs[[*identity, "test_mse_rates", "test_nll"]].assign(kept=1.0, **{THRESHOLD: 0.0})]
    for name in names:
        columns = {f"pruned_{name}_{measure}": measure for measure in MEASURES}
        parts.append(runs[[*identity, *columns]].rename(columns=columns).assign(**{THRESHOLD: float(name)}))
    return pd.concat(parts, ignore_index=True).assign(kept=lambda table: 100 * table["kept"])
