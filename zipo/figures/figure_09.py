"""Figure 9: weight penalty."""

from zipo.figures.shared.comparison import Comparison

title = "weight penalty"
caption = (
    "The weight of the scale-invariant L1/L2 penalty on the first layer. Test NLL (a), MSE of the rates (b), "
    "epochs (c) and the penalty itself at the end of training, before its weight multiplies it (d)."
)
experiments = ("alpha_w",)
comparison = Comparison(
    x="alpha_w",
    x_label=r"Weight penalty $\alpha_w$",
    measures=("test_nll", "test_mse_rates", "epochs", "penalty_w_unweighted"),
)
numbers, draw = comparison.of(*experiments)
