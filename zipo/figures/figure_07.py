"""Figure 7: batch normalisation."""

from zipo.figures.shared.comparison import Comparison

title = "batch normalisation"
caption = (
    "Sigmoid and GELU activations with batch normalisation after the activation and without it. Test NLL (a) and "
    "epochs until training stopped (b); diverged runs have no NLL and are counted."
)
experiments = ("batch_norm",)
comparison = Comparison(
    x="activation",
    x_label="Activation",
    measures=("test_nll", "epochs"),
    hue="batch_norm",
    hue_label="Batch norm",
)
numbers, draw = comparison.of(*experiments)
