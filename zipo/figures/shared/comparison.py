"""Panels that compare settings: every seed a point, the mean with its error bar, a row per data set."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style
from zipo.figures.shared.statistics import BAR, summary
from zipo.shared.likelihoods import FAMILIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def select(runs: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """The runs of an experiment, with a column `model`; a run that several experiments share belongs to each.

    The model is the likelihood's name, with a star where the paper's penalty on the rates is off: ZIP, ZINB, ZINB*.
    """
    runs = runs[[experiment in names.split(",") for names in runs["experiments"]]]
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
        import seaborn as sns

        order = sorted(runs[self.x].unique(), key=style.rank)
        labels = [style.number(value) for value in order]
        hues = sorted(runs[self.hue].unique(), key=style.rank) if self.hue else None
        converged = runs[runs["status"] == "ok"].assign(
            **{self.x: lambda table: table[self.x].map(style.number)},
        )
        shared = {"data": converged, "x": self.x, "y": measure, "order": labels, "ax": ax}
        if hues is None:
            colour = sns.color_palette()[0]
            sns.stripplot(**shared, color="0.45", size=3.5, alpha=0.7, jitter=0.12, zorder=1)
            sns.pointplot(**shared, color=colour, errorbar=_bar, linestyle="none", capsize=0.12, err_kws=ERROR)
        else:
            by_hue = {"hue": self.hue, "hue_order": hues, "palette": "colorblind"}
            sns.stripplot(**shared, **by_hue, size=3.5, alpha=0.6, jitter=0.1, dodge=True, legend=False, zorder=1)
            sns.pointplot(
                **shared,
                **by_hue,
                errorbar=_bar,
                linestyle="none",
                capsize=0.08,
                dodge=0.8 - 0.8 / len(hues),
                err_kws=ERROR,
            )
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


ERROR = {"linewidth": 1.4}


def _bar(values: pd.Series) -> tuple[float, float]:
    """Ends of the paper's error bar, for seaborn."""
    mean, half = values.mean(), BAR * values.sem()
    return mean - half, mean + half
