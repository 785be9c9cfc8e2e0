"""Figure 11: ZIP and ZINB."""

from zipo.figures.shared.comparison import Comparison

title = "ZIP and ZINB"
caption = (
    "The zero-inflated Poisson beside the zero-inflated negative binomial, with the paper's penalty on the rates "
    "and (ZINB*) without it: test NLL, MSE of the rates and epochs, a row of panels for each data set."
)
experiments = ("likelihood",)
comparison = Comparison(x="model", x_label="Likelihood", measures=("test_nll", "test_mse_rates", "epochs"))
numbers, draw = comparison.of(*experiments)
