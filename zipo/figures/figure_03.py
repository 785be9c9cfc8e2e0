"""Figure 3: size of the first layer."""

from zipo.figures.shared.comparison import Comparison

title = "size of the first layer"
caption = (
    "Three-layer encoders with a first layer of growing size; the middle layer is the geometric mean of its "
    "neighbours. Test NLL (a) and epochs until training stopped (b)."
)
experiments = ("first_layer",)
comparison = Comparison(x="encoder", x_label="Encoder (neurons per layer)", measures=("test_nll", "epochs"))
numbers, draw = comparison.of(*experiments)
