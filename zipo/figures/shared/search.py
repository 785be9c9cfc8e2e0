"""Pictures of a search for hyper-parameters: loss by trial, and importance of each hyper-parameter."""

from typing import TYPE_CHECKING

import pandas as pd

from zipo.figures.shared import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = {"encoder": "Encoder", "alpha_z": r"$\alpha_z$", "alpha_w": r"$\alpha_w$"}
NLL = "Validation NLL (nats per entry)"


def draw_history(trials: pd.DataFrame) -> "Figure":
    """The validation NLL trial by trial, with the lowest so far; trials that did not end are ticks at the bottom."""
    style.use()
    figure, grid = style.grid(1, 1)
    ax = grid[0, 0]
    grey, blue, red = "0.45", style.PALETTE[0], style.PALETTE[3]
    ended = trials[trials["status"] == "ok"]
    ax.step(trials["trial"], trials["validation_nll"].cummin().ffill(), where="post", color=blue, label="lowest so far")
    ax.scatter(ended["trial"], ended["validation_nll"], s=14, color=grey, zorder=3, label="trial")
    for (status, group), colour in zip(
        trials[trials["status"] != "ok"].groupby("status"), (red, "k", grey), strict=False
    ):
        ax.plot(
            group["trial"],
            [0.02] * len(group),
            "|",
            color=colour,
            transform=ax.get_xaxis_transform(),
            label=str(status),
        )
    if style.logarithmic(ended["validation_nll"]):
        ax.set_yscale("log")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("Trial")
    ax.set_ylabel(NLL)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, columnspacing=1, handletextpad=0.4)
    return figure


def draw_importances(importances: dict[str, float]) -> "Figure":
    """Shares of the variance of the validation NLL, a bar each; a sentence in their place if there are none."""
    style.use()
    figure, grid = style.grid(1, 1)
    ax = grid[0, 0]
    if not importances:
        ax.text(0.5, 0.5, "Too few trials came to their end.", ha="center", va="center", transform=ax.transAxes)
        ax.set_axis_off()
        return figure
    ordered = sorted(importances.items(), key=lambda item: item[1])
    bars = ax.barh([NAMES[name] for name, _ in ordered], [100 * share for _, share in ordered], height=0.6)
    ax.bar_label(bars, fmt="%.0f %%", padding=3)
    ax.set_xlim(0, 112)
    ax.set_xticks(range(0, 101, 25))
    ax.set_xlabel("Share of the variance of the\nvalidation NLL (%)")
    ax.grid(axis="y", visible=False)
    return figure
