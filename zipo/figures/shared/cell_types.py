"""Cell types as colours: twenty hues that stay apart, and grey for the rest."""

from typing import TYPE_CHECKING

import pandas as pd

from zipo.figures.shared import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_TYPES = 20  # more colours cannot be told apart; rarer types share the grey of the rest
REST = "others"
IN_A_COLUMN = 16  # entries of the legend, so that it is no taller than its panels


def of_types(cells: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, tuple]]:
    """The cells with rare types as `others` and missing ones as `unknown`, and a colour for each type, common first."""
    from matplotlib.colors import to_rgb

    types = cells["cell_type"].astype(object).fillna("unknown").astype(str).replace("", "unknown")
    common = types.value_counts().index[:MOST_TYPES]
    cells = cells.assign(cell_type=types.where(types.isin(common), REST))
    order = [*common, *([REST] if (cells["cell_type"] == REST).any() else [])]
    # the colour-blind palette in its full and in a darker shade
    base = [to_rgb(colour) for colour in style.PALETTE]
    shades = [*base, *(tuple(0.55 * part for part in colour) for colour in base), (0.8, 0.8, 0.8)]
    return cells, dict(zip(order, [*shades[: len(common)], shades[-1]], strict=False))


def legend_beside(ax: "Axes", palette: dict[str, tuple], title: str = "Cell type") -> None:
    """A legend of the types, or other groups of cells, to the right of a panel."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker="o", linestyle="none", markersize=5, color=colour, label=name)
        for name, colour in palette.items()
    ]
    ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1), title=title, fontsize="x-small",
        labelspacing=0.3, handletextpad=0.1, columnspacing=0.8, ncols=-(-len(handles) // IN_A_COLUMN),
    )  # fmt: skip
