"""Figure 4: number of latent variables."""

from zipo.figures.shared.comparison import Comparison

title = "number of latent variables"
caption = (
    "Three-layer encoders with a growing number of latent variables, the last layer. Test NLL (a) and epochs "
    "until training stopped (b)."
)
experiments = ("latents",)
comparison = Comparison(x="encoder", x_label="Encoder (neurons per layer)", measures=("test_nll", "epochs"))
numbers, draw = comparison.of(*experiments)
