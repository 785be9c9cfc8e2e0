"""Figure 5: depth of the encoder and residuals."""

from zipo.figures.shared.comparison import Comparison

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
numbers, draw = comparison.of(*experiments)
