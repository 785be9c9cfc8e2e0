"""Figure 5: depth of the encoder and residuals."""

from typing import Any

from zipo.figures.comparison import Comparison, select

title = "depth of the encoder and residuals"
caption = (
    "Encoders of growing depth, with residual connections from none, some or all of their layers to the latents. "
    "Test NLL (a) and epochs until training stopped (b)."
)
experiments = ("depth",)
comparison = Comparison(
    x="encoder",
    x_label="Encoder (neurons per layer)",
    measures=("test_nll", "epochs"),
    hue="residuals",
    hue_label="Residuals",
)


def numbers(tables: dict[str, Any], study: dict[str, Any]):
    return comparison.numbers(select(tables["runs"], experiments[0]))


def draw(tables: dict[str, Any], study: dict[str, Any]):
    return comparison.draw(select(tables["runs"], experiments[0]), study)
