"""Panels that compare settings: every seed a point, the mean with its error bar, a row per data set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style
from zipo.figures.shared.statistics import BAR, summary
from zipo.shared.likelihoods import FAMILIES
from zipo.shared.runs import runs_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def select(runs: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """The runs of an experiment, by its own names in `variant`, with a column `model`.

    The model is the likelihood's name, with a star where the paper's penalty on the rates is off: ZIP, ZINB, ZINB*.
    """
    runs = runs_of(runs, experiment)
    overdispersed = runs["likelihood"].map(lambda name: FAMILIES[name].overdispersed).astype(bool)
    penalised = (runs["rate_penalty"] != "none") & (runs["alpha_rate"] > 0)
    names = runs["likelihood"].str.upper()
    return runs.assign(model=names.where(~overdispersed | penalised, names + "*"))


@dataclass
class Comparison:
    """A figure of settings: a panel per measure, one column of the runs table along x, perhaps another by colour."""

    x: str
    x_label: str
    measures: tuple[str, ...]
    hue: str | None = None
    hue_label: str = ""

    def of(self, experiment: str) -> tuple[Callable, Callable]:
        """`numbers` and `draw` of a figure file, from the runs of an experiment."""

        def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
            return self.numbers(select(tables["runs"], experiment))

        def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
            return self.draw(select(tables["runs"], experiment), study)

        return numbers, draw

    def numbers(self, runs: pd.DataFrame) -> pd.DataFrame:
        """Mean, sem, bar, runs and diverged runs of every group and measure."""
        by = ["dataset", self.x, *([self.hue] if self.hue else [])]
        tables = []
        for measure in self.measures:
            table = summary(runs, by, measure)
            table.insert(0, "measure", measure)
            tables.append(table.sort_values(by, key=lambda column: column.map(style.rank)))
        return pd.concat(tables, ignore_index=True)

    def draw(self, runs: pd.DataFrame, study: dict[str, Any]) -> "Figure":
        """A row of panels per data set; two of two if there are four, which would be too small to read."""
        style.use()
        datasets = style.in_order(runs["dataset"], study)
        panels = [(dataset, measure) for dataset in datasets for measure in self.measures]
        columns = 2 if len(self.measures) == 4 else len(self.measures)
        figure, grid = style.grid(len(panels) // columns, columns)
        for index, (ax, (dataset, measure)) in enumerate(zip(grid.flat, panels, strict=True)):
            self._panel(ax, runs[runs["dataset"] == dataset], measure)
            style.panel_letter(ax, index)
            if len(datasets) > 1:
                ax.set_title(study["datasets"][dataset])
            legend = ax.get_legend()
            if legend is not None and index != columns - 1:
                legend.remove()
            elif legend is not None:
                legend.set_bbox_to_anchor((1.02, 1), transform=ax.transAxes)
                legend.set_loc("upper left")
                legend.set_title(self.hue_label)
        return figure

    def _panel(self, ax: "Axes", runs: pd.DataFrame, measure: str) -> None:
        order = sorted(runs[self.x].unique(), key=style.rank)
        labels = [style.number(value) for value in order]
        converged = runs[runs["status"] == "ok"]
        hues = sorted(runs[self.hue].unique(), key=style.rank) if self.hue else [None]
        width = STRIP / len(hues)
        for place, (hue, colour) in enumerate(zip(hues, style.colours(len(hues)), strict=True)):
            shown = converged if hue is None else converged[converged[self.hue] == hue]
            groups = [shown.loc[shown[self.x] == value, measure].dropna() for value in order]
            middles = [middle + width * (place - (len(hues) - 1) / 2) for middle in range(len(order))]
            _strips(ax, middles, groups, SEED_COLOUR if hue is None else colour, JITTER / len(hues))
            _means(ax, middles, groups, colour, "" if hue is None else str(hue), CAP / len(hues))
        if self.hue:
            ax.legend()
        ax.set_xticks(range(len(order)), labels)
        ax.set_xlim(-0.5, len(order) - 0.5)
        if style.logarithmic(converged[measure]):
            ax.set_yscale("log")
        ax.set_xlabel(self.x_label)
        ax.set_ylabel(style.LABELS[measure])
        ax.grid(axis="x", visible=False)
        if max(map(len, labels)) * len(labels) > 30 and not isinstance(order[0], float):
            ax.set_xticks(range(len(labels)), labels, rotation=35, ha="right", rotation_mode="anchor")
        self._mark_missing(ax, runs, order)

    def _mark_missing(self, ax: "Axes", runs: pd.DataFrame, order: list) -> None:
        """Write at each place along x how many runs are not shown, since they diverged or did not end."""
        for place, value in enumerate(order):
            status = runs.loc[runs[self.x] == value, "status"]
            missing = status[status != "ok"].value_counts().sort_index()
            if len(missing):
                ax.annotate(
                    "\n".join(f"{count} of {len(status)}\n{reason}" for reason, count in missing.items()),
                    (place, 0.98),
                    xycoords=("data", "axes fraction"),
                    ha="center",
                    va="top",
                    fontsize="x-small",
                    color="firebrick",
                )
                ax.set_xlim(-0.6, len(order) - 0.4)  # room for a note at either end


STRIP = 0.8  # width of all strips of a place along x, whose distance is 1
JITTER = 0.12  # greatest distance of a point from the middle of a strip that has its place alone
CAP = 0.12  # width of a bar's caps, likewise
SEED_COLOUR = "0.45"


def _strips(ax: "Axes", middles: Sequence[float], groups: Sequence[pd.Series], colour: Any, jitter: float) -> None:
    """A point for each value of each group, scattered about the group's middle."""
    import numpy as np

    values = np.concatenate(groups)
    middle = np.repeat(middles, [len(group) for group in groups])
    scattered = middle + np.random.default_rng(1).uniform(-jitter, jitter, len(values))
    ax.scatter(scattered, values, s=3.5**2, color=colour, alpha=0.7, linewidths=0, zorder=1)


def _means(
    ax: "Axes", middles: Sequence[float], groups: Sequence[pd.Series], colour: Any, label: str, cap: float
) -> None:
    """The mean of each group, with the paper's error bar where the group has more than one value."""
    means = [group.mean() for group in groups]
    for middle, mean, group in zip(middles, means, groups, strict=True):
        if len(group) > 1:
            low, high = mean - BAR * group.sem(), mean + BAR * group.sem()
            left, right, gap = middle - cap / 2, middle + cap / 2, float("nan")
            across = [middle, middle, gap, left, right, gap, left, right]
            ax.plot(across, [low, high, gap, low, low, gap, high, high], color=colour, linewidth=1.4)
    ax.plot(middles, means, "o", color=colour, markersize=7, markeredgewidth=0, label=label or None)
