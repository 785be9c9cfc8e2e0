"""Figure 15: data sets with ZIP and ZINB."""

from zipo.figures.shared.comparison import Comparison

title = "data sets with ZIP and ZINB"
caption = (
    "ZIP and ZINB, with the paper's penalty on the rates, on every data set of the study: test NLL, MSE of the rates "
    "and epochs, a row of panels for each data set."
)
experiments = ("datasets",)
comparison = Comparison(x="model", x_label="Likelihood", measures=("test_nll", "test_mse_rates", "epochs"))
numbers, draw = comparison.of(*experiments)
