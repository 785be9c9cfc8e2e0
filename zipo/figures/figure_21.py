"""Figure 21: claims under other readings of the paper."""

import textwrap
from typing import TYPE_CHECKING, Any

import pandas as pd

from zipo.figures.shared import style
from zipo.shared.verdicts import SIGNS, amount

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

title = "claims under other readings of the paper"
caption = (
    "Verdict (colour and sign) and effect of each claim, in rows, under the study's own reading (as run) and with one "
    "reading of what the paper leaves open changed at a time, in columns. Effects in per cent are ratios less one, "
    "\N{MULTIPLICATION SIGN} precedes larger ratios. \N{ALMOST EQUAL TO}: the reading leaves the claim's settings as "
    "they are. To the right, what the readings together say: robust if reproduced under every reading, or the readings "
    "on which the verdict hangs."
)
experiments = ()
tables = ("readings",)

COLUMN, ROW = 0.92, 0.34  # inches of a cell
TEXT, CLASS = 4.6, 2.4  # inches of the claims at the left, and of what the readings say at the right
LINE, CLASS_LINE = 78, 38  # letters in a line of either
FAINT = "#f4f4f4"


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> pd.DataFrame:
    """A row per claim, data set and reading: verdict, effect and its confidence interval."""
    columns = ["id", "dataset", "class", "because_of", "reading", "same_runs", "verdict", "measure", "scale", "effect"]
    return tables["readings"][[*columns, "ci_low", "ci_high", "pairs"]]


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """A grid of cells, claims in rows and readings in columns."""
    style.use()
    from matplotlib import pyplot as plt

    table = tables["readings"]
    readings = list(table["reading"].unique())
    claims = [rows for _, rows in table.groupby(["id", "dataset"], sort=False)]
    width, height = COLUMN * len(readings), ROW * max(1, len(claims))
    figure = plt.figure(figsize=(TEXT + width + CLASS, height + 1.3))
    ax = figure.add_axes((TEXT / (TEXT + width + CLASS), 0.3 / (height + 1.3), width / (TEXT + width + CLASS),
                          height / (height + 1.3)))  # fmt: skip
    ax.set(xlim=(0, len(readings)), ylim=(max(1, len(claims)), 0), xticks=[], yticks=[])
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    for column, reading in enumerate(readings):
        label = reading.replace("_", " ").replace("=", ":\n", 1)
        ax.text(column + 0.5, -0.2, label, ha="center", va="bottom", fontsize=7.5, linespacing=1.2)
    several = table["dataset"].nunique() > 1
    shown = table.drop_duplicates(["id", "dataset"])["figure"].astype("Float64").fillna(0)
    for row in range(1, len(claims)):
        if shown.iloc[row] != shown.iloc[row - 1]:  # a line between the figures of the paper
            ax.axhline(row, color="#444444", linewidth=0.8, zorder=3)
    ax.axvline(1, color="#444444", linewidth=0.8, zorder=3)
    for row, rows in enumerate(claims):
        _text(ax, row, len(readings), rows.iloc[0], several)
        for cell in rows.to_dict("records"):
            _cell(ax, row, readings.index(cell["reading"]), cell)
    _legend(ax, len(claims))
    return figure


def _text(ax: "Axes", row: int, columns: int, claim: pd.Series, several: bool) -> None:
    """The claim at the left of a row, and at its right what the readings say of it."""
    place = "Text" if pd.isna(claim["figure"]) else f"Fig. {claim['figure']}"
    words = f"{place}: {claim['claim']}" + (f" [{claim['dataset']}]" if several else "")
    ax.text(-0.08, row + 0.5, textwrap.fill(words, LINE), ha="right", va="center", fontsize=6.5, linespacing=1.05)
    label = f"{claim['class']} {claim['because_of']}" if claim["class"] == "hangs on" else claim["class"]
    weight = "bold" if claim["class"] == "robust" else "normal"
    lines = textwrap.fill(label.replace("_", " "), CLASS_LINE, max_lines=3)
    ax.text(columns + 0.08, row + 0.5, lines, ha="left", va="center", fontsize=6.5, weight=weight, linespacing=1.0)


def _cell(ax: "Axes", row: int, column: int, cell: dict[str, Any]) -> None:
    """The verdict under one reading."""
    from matplotlib.patches import Rectangle

    sign, colour, ink = SIGNS[cell["verdict"]]
    text = sign if pd.isna(cell["effect"]) else f"{sign} {amount(cell['effect'], cell['scale'])}"
    if cell["same_runs"]:
        text, colour, ink = "\N{ALMOST EQUAL TO}", FAINT, "#777777"
    ax.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.2))
    ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=7, color=ink)


def _legend(ax: "Axes", rows: int) -> None:
    """The signs and colours of the verdicts below the grid."""
    from matplotlib.patches import Patch

    patches = [Patch(facecolor=colour, label=f"{sign} {verdict}") for verdict, (sign, colour, _) in SIGNS.items()]
    ax.legend(
        handles=patches, loc="upper left", bbox_to_anchor=(0, -0.08 / max(1, rows) / ROW), ncols=len(patches),
        frameon=False, fontsize=7.5,
    )  # fmt: skip
