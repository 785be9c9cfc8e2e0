"""scVI: a variational autoencoder of counts."""

import anndata as ad
import numpy as np

name = "scvi"
env = "scvi"
parameters = {"likelihood": "zinb", "max_epochs": None, "samples": 10}
seeded = True
keeps_library = True
scale = "expected counts (1 - z) l mu of its likelihood at the observed library size: counts as they are"
source = "Lopez 2018, doi 10.1038/s41592-018-0229-2, scvi-tools 1.4.2"
imports = ("torch", "scvi")


def denoise(counts: ad.AnnData, *, seed: int, likelihood: str, max_epochs: int | None, samples: int) -> ad.AnnData:
    """Expected counts in layers["denoised"], as means over samples of the latents, and latents in obsm["latent"].

    layers["rates"], ["size"] and, for zinb, ["zero_probability"] hold the parameters of the distribution.

    `likelihood` is nb or zinb; `max_epochs` of None leaves the number of epochs to scVI.
    """
    from scvi import settings
    from scvi.model import SCVI

    settings.seed = seed
    data = counts.copy()  # scVI registers its fields there
    SCVI.setup_anndata(data)
    model = SCVI(data, gene_likelihood=likelihood)
    model.train(max_epochs=max_epochs, accelerator="cpu", enable_progress_bar=False, logger=False)
    means: dict[str, np.ndarray] = {}
    for _ in range(samples):
        for part, values in model.get_likelihood_parameters().items():
            means[part] = means.get(part, 0) + values / samples
    denoised = counts.copy()
    denoised.layers["rates"] = means["mean"]
    denoised.layers["size"] = means["dispersions"]
    denoised.layers["denoised"] = means["mean"]
    if "dropout" in means:
        zero = np.minimum(means["dropout"], 1)  # rounding takes a mean of ones beyond
        denoised.layers["zero_probability"] = zero
        denoised.layers["denoised"] = means["mean"] * (1 - zero)
    denoised.obsm["latent"] = model.get_latent_representation()
    denoised.uns["likelihood"] = likelihood
    return denoised
