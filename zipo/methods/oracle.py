"""Control: the truth of simulated counts, the bound that no denoising can pass."""

import anndata as ad
import numpy as np

from zipo.shared.errors import InputError

name = "oracle"
env = None
parameters: dict = {}
control = True
seeded = False
sees_truth = True
keeps_library = True
scale = "the true means of simulated counts"
source = "a control"


def denoise(counts: ad.AnnData, *, seed: int) -> ad.AnnData:
    """The true means (1 - z) m in layers["denoised"]; the seed changes nothing.

    Its own distribution is the true one: m in layers["rates"] and, where there is zero inflation, z in
    layers["zero_probability"]. Raises InputError if the truth is not known.
    """
    if "true_rates" not in counts.layers:
        raise InputError("oracle: layers['true_rates'] is missing; it is there in simulated data sets only")
    denoised = counts.copy()
    rates, zero = denoised.layers["true_rates"], denoised.layers.get("true_zero_probability", 0.0)
    denoised.layers["rates"] = rates
    denoised.layers["denoised"] = (rates * (1 - zero)).astype(np.float32)
    if "true_zero_probability" in denoised.layers:
        denoised.layers["zero_probability"] = zero
    return denoised
