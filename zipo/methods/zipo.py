"""ZiPo itself, as a preset has it: trained on nine tenths of the cells, stopped early by the rest."""

from typing import TYPE_CHECKING, Any

import anndata as ad

from zipo.parameters import Parameters
from zipo.presets import DEFAULT

if TYPE_CHECKING:
    from torch import Tensor

    from zipo.engine.prediction import Prediction

name = "zipo"
env = None
# None: as the preset has it for the numbers of cells and genes
parameters: dict = {"preset": DEFAULT} | dict.fromkeys(Parameters.model_fields)
seeded = True
keeps_library = True
scale = "expected counts of its likelihood, or given the cell's own count as well: counts as they are"
source = "ZiPo, doi 10.1109/TCBBIO.2025.3572783, this package"
imports = ("torch", "zipo.model.estimator")
KNOWN = {"rates", "zero_probability", "size"}  # parameters of the distributions that metrics can score


def denoise(counts: ad.AnnData, *, seed: int, **parameters: Any) -> ad.AnnData:
    """Expected counts in layers["denoised"] and the latents in obsm["latent"].

    layers["rates"], ["zero_probability"] and ["size"] hold the rates l mu, zero inflation z and NB sizes, those that
    the likelihood has. Raises InputError if X holds anything but raw counts.
    """
    from zipo.model.estimator import ZiPo
    from zipo.model.predictions import stacked

    chosen = {name: value for name, value in parameters.items() if value is not None}
    model = ZiPo.for_data(counts, seed=seed, **chosen).fit(counts)
    # in one pass, since latents may be refined in each
    values = stacked((_values(prediction) for prediction in model.predictions(counts)), counts.n_obs)
    denoised = counts.copy()
    denoised.obsm["latent"] = values.pop("latent")
    denoised.layers.update(values)
    denoised.uns["likelihood"] = model.parameters.likelihood
    return denoised


def _values(prediction: "Prediction") -> "dict[str, Tensor]":
    """What is kept of the prediction for a batch of cells, by the names of layers."""
    distribution = prediction.likelihood.parameters
    known = distribution if set(distribution) <= KNOWN else {}
    return {"denoised": prediction.denoised, "latent": prediction.latent, **known}
