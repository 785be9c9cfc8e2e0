"""Figure 14: the search for hyper-parameters."""

from typing import TYPE_CHECKING, Any

from zipo.figures.shared import style
from zipo.figures.shared.comparison import Comparison

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

title = "search for hyper-parameters"
caption = (
    "Every trial that came to its end is a point: test NLL (a) and MSE of the rates (b) by encoder, with mean and "
    "error bar over trials of different penalties. The star is the trial of the lowest validation NLL, by which alone "
    "the search goes."
)
experiments = ()
tables = ("trials",)
comparison = Comparison(x="encoder", x_label="Encoder (neurons per layer)", measures=("test_nll", "test_mse_rates"))


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> "pd.DataFrame":
    """Means over the trials of each encoder, and how many were pruned."""
    trials = _with_encoders(tables)
    table = comparison.numbers(trials)
    pruned = trials.query("status == 'pruned'").groupby("encoder").size()
    table = table.rename(columns={"runs": "trials"})
    table["pruned"] = table["encoder"].map(pruned).fillna(0).astype(int)
    return table


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """The picture."""
    trials = _with_encoders(tables)
    figure = comparison.draw(trials, study)
    for ax in figure.axes:
        if ax.texts:  # room for them
            ax.margins(y=0.3)
    if trials["validation_nll"].notna().any():
        best = trials.loc[trials["validation_nll"].idxmin()]
        place = sorted(trials["encoder"].unique(), key=style.rank).index(best["encoder"])
        for ax, measure in zip(figure.axes, comparison.measures, strict=True):
            ax.plot(place, best[measure], "*", color="firebrick", markersize=11, markeredgecolor="w", zorder=5)
    return figure


def _with_encoders(tables: dict[str, Any]) -> "pd.DataFrame":
    """The trials without those whose worker died before it chose anything."""
    return tables["trials"].dropna(subset=["encoder"])
