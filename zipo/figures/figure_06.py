"""Figure 6: hidden layers in the decoder."""

from typing import Any

from zipo.figures.comparison import Comparison, select

title = "hidden layers in the decoder"
caption = "The linear decoder beside decoders with hidden layers. Test NLL (a) and epochs until training stopped (b)."
experiments = ("decoder",)
comparison = Comparison(x="decoder", x_label="Hidden layers of the decoder (neurons)", measures=("test_nll", "epochs"))


def numbers(tables: dict[str, Any], study: dict[str, Any]):
    return comparison.numbers(select(tables["runs"], experiments[0]))


def draw(tables: dict[str, Any], study: dict[str, Any]):
    return comparison.draw(select(tables["runs"], experiments[0]), study)
