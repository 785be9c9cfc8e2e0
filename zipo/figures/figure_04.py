"""Figure 4: number of latent variables."""

from typing import Any

from zipo.figures.comparison import Comparison, select

title = "number of latent variables"
caption = (
    "Three-layer encoders with a growing number of latent variables, the last layer. Test NLL (a) and epochs "
    "until training stopped (b)."
)
experiments = ("latents",)
comparison = Comparison(x="encoder", x_label="Encoder (neurons per layer)", measures=("test_nll", "epochs"))


def numbers(tables: dict[str, Any], study: dict[str, Any]):
    return comparison.numbers(select(tables["runs"], experiments[0]))


def draw(tables: dict[str, Any], study: dict[str, Any]):
    return comparison.draw(select(tables["runs"], experiments[0]), study)
