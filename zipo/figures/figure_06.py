"""Figure 6: hidden layers in the decoder."""

from zipo.figures.shared.comparison import Comparison

title = "hidden layers in the decoder"
caption = "The linear decoder beside decoders with hidden layers. Test NLL (a) and epochs until training stopped (b)."
experiments = ("decoder",)
comparison = Comparison(x="decoder", x_label="Hidden layers of the decoder (neurons)", measures=("test_nll", "epochs"))
numbers, draw = comparison.of(*experiments)
