"""Figure 13: ZiPo and DCA-like models."""

from zipo.figures.shared.comparison import Comparison

title = "ZiPo and DCA-like models"
caption = (
    "ZiPo beside three DCA-like settings of the same code: DCA (128-64-128, ReLU, ZINB, library-normalised input, "
    "observed library size), zipDCA (the same with ZIP) and tunedDCA (ZiPo's encoder and penalties with DCA's input "
    "and library). Test NLL (a), MSE of the rates (b) and epochs (c). The DCA package itself is not part of this."
)
experiments = ("methods",)
comparison = Comparison(x="variant", x_label="Model", measures=("test_nll", "test_mse_rates", "epochs"))
numbers, draw = comparison.of(*experiments)
