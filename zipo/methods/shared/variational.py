"""Variational autoencoders of scvi-tools: training, and expected counts under the distributions that they predict."""

from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np

if TYPE_CHECKING:
    from scvi.model import SCVI, LinearSCVI


def trained(
    kind: "type[SCVI | LinearSCVI]",
    counts: ad.AnnData,
    seed: int,
    max_epochs: int | None,
    learning_rate: float = 1e-3,
    **options: Any,
) -> "SCVI | LinearSCVI":
    """A model of that kind, trained on the counts; `max_epochs` of None leaves their number to scvi-tools.

    The learning rate is that of scvi-tools by default.
    """
    from scvi import settings

    settings.seed = seed
    data = counts.copy()  # scvi-tools registers its fields there
    kind.setup_anndata(data)
    model = kind(data, **options)
    plan = {"lr": learning_rate}
    model.train(max_epochs=max_epochs, accelerator="cpu", enable_progress_bar=False, logger=False, plan_kwargs=plan)
    return model


def denoised_by(model: "SCVI | LinearSCVI", counts: ad.AnnData, likelihood: str, samples: int) -> ad.AnnData:
    """Expected counts in layers["denoised"], as means over samples of the latents, and latents in obsm["latent"].

    layers["rates"], ["size"] and, for zinb, ["zero_probability"] hold the parameters of the distribution.
    """
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
