"""The figure of what denoising is worth: methods, genes and cells."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zipo.commands.worth.estimates import Estimate
from zipo.commands.worth.names import ZIPO
from zipo.commands.worth.verdicts import least_gain
from zipo.commands.worth.worth import Worth
from zipo.figures.shared import style
from zipo.shared.atomic_files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "zipo check"  # in the PNG, by which it is known again
LOWEST = -0.5  # explained shares below are drawn at the edge
LABELS = {
    ZIPO: "ZiPo",
    "gene by gene": "shrunk gene by gene",
    "mixture": "mixed with gene means",
    "PCA": "rebuilt by PCA",
}
PERMUTED = "shrunk gene by gene,\npermuted counts"


def draw(state: Mapping[str, Any], genes: pd.DataFrame, cells: np.ndarray) -> "Figure":
    """Explained shares, what is gained over simple predictions, genes, and cells.

    - `state`: as of `Worth.state`.
    - `genes`: a row per gene: mean, explained (NaN where it cannot be judged), and whether it is doubtful.
    - `cells`: explained share of each cell, NaN where it cannot be judged.
    """
    style.use()
    figure, grid = style.grid(2, 2)
    figure.set_size_inches(10, 6.8)
    shares = {label: state["explained"][name] for name, label in LABELS.items()}
    _intervals(grid[0, 0], shares, [LABELS[ZIPO]])
    grid[0, 0].set(xlabel="Explained share (%)")
    grid[0, 0].set_title("deviance of the gene means, explained", loc="left", fontsize="small")
    gains = {label: state["gains"][name] for name, label in LABELS.items() if name != ZIPO}
    _intervals(grid[0, 1], gains | {PERMUTED: state["permuted_gain"]}, [])
    least = least_gain(Estimate(*state["permuted_gain"]))
    grid[0, 1].axvline(0, color="k", linewidth=0.8)
    grid[0, 1].axvline(100 * least, color="C1", linestyle=":", label=f"needed ({100 * least:.1f} %)")
    grid[0, 1].set(xlabel="Lower by (%)")
    grid[0, 1].set_title("deviance of ZiPo, lower than that of counts", loc="left", fontsize="small")
    grid[0, 1].legend(fontsize="x-small")
    _genes(grid[1, 0], genes)
    _cells(grid[1, 1], cells)
    figure.suptitle(
        f"Held-out molecules predicted from the rest, with 95 % intervals over cells: {state['verdict']}",
        fontsize="medium",
    )
    return figure


def of_worth(worth: Worth) -> "Figure":
    """The figure of what `measure` gave."""
    genes = pd.DataFrame({"mean": worth.genes["mean"], "explained": next(iter(worth.of_genes().values()))})
    genes["doubtful"] = genes.index.isin(worth.doubtful_genes)
    cells = next(iter(worth.of_cells(worth.cells.index).values()))
    return draw(worth.state(), genes, cells)


def write(figure: "Figure", target: Path) -> None:
    """Write a figure as PNG, which appears whole or not at all."""
    with atomic_write(target) as part:
        figure.savefig(part, bbox_inches="tight", metadata={"Software": None, "Title": TITLE})


def is_written(file: Path) -> bool:
    """Whether `write` has written this file."""
    with file.open("rb") as stream:
        start = stream.read(200)
    return start.startswith(b"\x89PNG") and b"Title\0" + TITLE.encode() in start


def _intervals(ax: "Axes", estimates: Mapping[str, Sequence[float]], marked: Sequence[str]) -> None:
    """Estimates with their intervals, in percent, from top to bottom; some of them in another colour."""
    for place, (label, (value, low, high)) in enumerate(estimates.items()):
        error = [[100 * (value - low)], [100 * (high - value)]]
        colour = "C1" if label in marked else "C0"
        ax.errorbar(100 * value, -place, xerr=error, fmt="o", color=colour, capsize=3)
    ax.set_yticks([-place for place in range(len(estimates))], list(estimates))
    ax.set(ylim=(0.5 - len(estimates), 0.5))


def _genes(ax: "Axes", genes: pd.DataFrame) -> None:
    judged = genes[genes["explained"].notna() & (genes["mean"] > 0)]
    for doubtful, colour, label in ((False, "C0", "other genes"), (True, "C3", "not to be believed")):
        some = judged[judged["doubtful"] == doubtful]
        if len(some):
            text = f"{label} ({len(some):,})"
            values = 100 * some["explained"].clip(lower=LOWEST)
            ax.scatter(some["mean"], values, color=colour, s=6, linewidth=0, rasterized=True, label=text)
    ax.axhline(0, color="k", linewidth=0.8)
    ax.set(xscale="log", xlabel="Mean count of the gene", ylabel="Explained share of the gene (%)")
    ax.set_title(f"{len(genes) - len(judged):,} genes have too few molecules", loc="left", fontsize="small")
    if len(judged):
        ax.legend(fontsize="x-small", markerscale=2)


def _cells(ax: "Axes", cells: np.ndarray) -> None:
    judged = cells[np.isfinite(cells)]
    ax.hist(100 * np.clip(judged, LOWEST, 1), bins=50, color="C0", linewidth=0)
    ax.axvline(0, color="k", linewidth=0.8)
    ax.locator_params(axis="y", integer=True)
    ax.set(xlabel="Explained share of the cell (%)", ylabel="Cells")
    ax.set_title(f"{len(cells) - len(judged):,} cells have too few molecules", loc="left", fontsize="small")
