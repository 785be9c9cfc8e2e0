"""Figure 10: weight penalty and pruning."""

from typing import TYPE_CHECKING, Any

from zipo.figures.shared import pruning_curves
from zipo.figures.shared.comparison import select

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

title = "weight penalty and pruning"
caption = (
    "First-layer weights smaller than δ times their neuron's largest are set to zero after training, for several "
    "weight penalties. Share of weights kept without a penalty (a) and with one (b), MSE of the rates (c) and NLL (d) "
    "on the test cells."
)
experiments = ("alpha_w",)


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> "pd.DataFrame":
    """The numbers behind the picture."""
    return pruning_curves.numbers(select(tables["runs"], experiments[0]), hue="alpha_w")


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """The picture."""
    runs = select(tables["runs"], experiments[0])
    return pruning_curves.draw(runs, study, hue="alpha_w", hue_label=r"Weight penalty $\alpha_w$", apart=0)
