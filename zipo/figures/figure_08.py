"""Figure 8: zero-inflation penalty."""

from zipo.figures.shared.comparison import Comparison

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
numbers, draw = comparison.of(*experiments)
