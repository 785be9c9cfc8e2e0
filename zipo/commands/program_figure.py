"""Picture of gene programs: their mean activity by groups of cells, with the leading genes of each as labels."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zipo.figures.shared import style
from zipo.model.programs.analysis import Programs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 24
"""Programs at most, unless there are more groups: that of each group, then the strongest."""
GENES = 5
"""Leading genes in a label."""
LONGEST = 20
"""Characters of the name of a group."""
FIRST_COLUMNS = b"program\tgenes\t"
MISSING = "0.85"


def numbers(programs: Programs) -> pd.DataFrame:
    """A row per program that is shown: program, genes, stable where known, then its mean activity in each group."""
    shown = list(dict.fromkeys(programs.typical))
    strongest = [name for name in programs.summary["program"] if name not in shown]
    shown += strongest[: max(0, SHOWN - len(shown))]
    activity = programs.activity[shown]
    # along the diagonal: by the group in which each is most active, the most active first
    order = np.lexsort([-activity.max().to_numpy(), activity.to_numpy().argmax(axis=0)])
    shown = [shown[place] for place in order]
    table = pd.DataFrame({"program": shown, "genes": [", ".join(programs.leading(name, GENES)) for name in shown]})
    if programs.stability is not None:
        table["stable"] = programs.stability.set_index("program")["stable"][shown].to_numpy()
    return pd.concat([table, programs.activity[shown].T.reset_index(drop=True)], axis=1)


def draw(table: pd.DataFrame) -> "Figure":
    """A heat map of programs by groups, in colours that every common colour blindness tells apart."""
    style.use()
    from matplotlib import pyplot as plt

    known = "stable" in table
    values = table[table.columns[2 + known :]]
    rows, columns = values.shape
    size = 3.9 + 0.34 * columns, 1.7 + 0.24 * rows
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    limit = float(np.nanmax(np.abs(values.to_numpy()))) or 1.0
    limit = min(limit, 3.0)  # so that a handful of cells does not pale all others
    picture = ax.imshow(values.to_numpy(float), cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto")
    labels = [
        f"{genes or 'no gene is high'}  ({name.removeprefix('program_')}{'*' if stable else ''})"
        for name, genes, stable in zip(table["program"], table["genes"], _stable(table), strict=True)
    ]
    ax.set_yticks(range(rows), labels, fontsize="small")
    ax.yaxis.tick_right()
    names = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in map(str, values.columns)]
    ax.set_xticks(range(columns), names, rotation=45, ha="right", rotation_mode="anchor")
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.set_xticks(np.arange(0.5, columns - 1), minor=True)
    ax.set_yticks(np.arange(0.5, rows - 1), minor=True)
    ax.grid(which="minor", color="white", linewidth=0.8, alpha=1)
    ax.tick_params(which="minor", length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    figure.colorbar(
        picture, ax=ax, location="top", shrink=0.6, aspect=30, extend="both" if limit == 3.0 else "neither",
        label="Mean activity (standard deviations)",
    )  # fmt: skip
    title = "leading genes (neuron; * comes back in other seeds)" if known else "leading genes (neuron)"
    ax.set_ylabel(title, fontsize="small")
    ax.yaxis.set_label_position("right")
    return figure


def _stable(table: pd.DataFrame) -> list[bool]:
    return list(table["stable"]) if "stable" in table else [False] * len(table)
