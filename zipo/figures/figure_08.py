"""Figure 8: zero-inflation penalty."""

from typing import Any

from zipo.figures.comparison import Comparison, select

title = "zero-inflation penalty"
caption = (
    "The weight of the penalty on squared zero-inflation probabilities. Test NLL (a), epochs (b), MSE of the "
    "rates (c) and mean zero-inflation probability (d), which is hardly identified at low means and is no "
    "dropout rate."
)
experiments = ("alpha_z",)
comparison = Comparison(
    x="alpha_z",
    x_label=r"Zero-inflation penalty $\alpha_z$",
    measures=("test_nll", "epochs", "test_mse_rates", "test_mean_zero_probability"),
)


def numbers(tables: dict[str, Any], study: dict[str, Any]):
    return comparison.numbers(select(tables["runs"], experiments[0]))


def draw(tables: dict[str, Any], study: dict[str, Any]):
    return comparison.draw(select(tables["runs"], experiments[0]), study)
