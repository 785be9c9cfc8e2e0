"""Figure 12: likelihood and pruning."""

from typing import TYPE_CHECKING, Any

from zipo.figures.shared import pruning_curves
from zipo.figures.shared.comparison import select

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

title = "likelihood and pruning"
caption = (
    "Pruning the first layer of models with ZIP and with ZINB (ZINB* without the penalty on the rates): share of "
    "weights kept, MSE of the rates and NLL on the test cells, a row of panels for each data set."
)
experiments = ("likelihood",)


def numbers(tables: dict[str, Any], study: dict[str, Any]) -> "pd.DataFrame":
    """The numbers behind the picture."""
    return pruning_curves.numbers(select(tables["runs"], experiments[0]), hue="model")


def draw(tables: dict[str, Any], study: dict[str, Any]) -> "Figure":
    """The picture."""
    runs = select(tables["runs"], experiments[0])
    return pruning_curves.draw(runs, study, hue="model", hue_label="Likelihood")
