"""Figure 15: data sets with ZIP and ZINB."""

from typing import Any

from zipo.figures.comparison import Comparison, select
from zipo.figures.likelihood_names import with_model_names

title = "data sets with ZIP and ZINB"
caption = (
    "ZIP and ZINB, with the paper's penalty on the rates, on every data set of the study: test NLL, MSE of the rates "
    "and epochs, a row of panels for each data set."
)
experiments = ("datasets",)
comparison = Comparison(x="model", x_label="Likelihood", measures=("test_nll", "test_mse_rates", "epochs"))


def numbers(tables: dict[str, Any], study: dict[str, Any]):
    return comparison.numbers(with_model_names(select(tables["runs"], experiments[0])))


def draw(tables: dict[str, Any], study: dict[str, Any]):
    return comparison.draw(with_model_names(select(tables["runs"], experiments[0])), study)
