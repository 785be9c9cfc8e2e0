"""Figure 11: ZIP and ZINB."""

from typing import Any

from zipo.figures.comparison import Comparison, select
from zipo.figures.likelihood_names import with_model_names

title = "ZIP and ZINB"
caption = (
    "The zero-inflated Poisson beside the zero-inflated negative binomial, with the paper's penalty on the rates "
    "and (ZINB*) without it: test NLL, MSE of the rates and epochs, a row of panels for each data set."
)
experiments = ("likelihood",)
comparison = Comparison(x="model", x_label="Likelihood", measures=("test_nll", "test_mse_rates", "epochs"))


def numbers(tables: dict[str, Any], study: dict[str, Any]):
    return comparison.numbers(with_model_names(select(tables["runs"], experiments[0])))


def draw(tables: dict[str, Any], study: dict[str, Any]):
    return comparison.draw(with_model_names(select(tables["runs"], experiments[0])), study)
