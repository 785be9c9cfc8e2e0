"""ZiPo itself, as a preset has it: trained on nine tenths of the cells, stopped early by the rest."""

from typing import Any

import anndata as ad

from zipo.parameters import Parameters
from zipo.presets import DEFAULT

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

    chosen = {name: value for name, value in parameters.items() if value is not None}
    model = ZiPo.for_data(counts, seed=seed, **chosen).fit(counts)
    denoised = counts.copy()
    denoised.layers["denoised"] = model.denoise(counts)
    distribution = model.distribution(counts)
    if set(distribution) <= KNOWN:
        denoised.layers.update(distribution)
    denoised.obsm["latent"] = model.latent(counts)
    denoised.uns["likelihood"] = model.parameters.likelihood
    return denoised
