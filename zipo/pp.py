"""Denoising in scanpy's manner: one function that fills slots of an AnnData."""

from collections.abc import Mapping
from typing import Any

import anndata as ad

from zipo import slots
from zipo.errors import InputError
from zipo.estimator import ZiPo
from zipo.predictions import stacked


def denoise(
    adata: ad.AnnData,
    *,
    copy: bool = False,
    layer: str | None = None,
    rates: bool = False,
    batch: Mapping[str, Any] | None = None,
    seed: int = 1,
    device: str = "auto",
    **parameters,
) -> ad.AnnData | None:
    """Train ZiPo on raw counts and denoise them.

    Fills layers["denoised"], obsm["X_zipo"], obs["zipo_library_size"] and uns["zipo"], which tells what they mean and
    how they were made. X stays as it is.

    - `copy`: fill a copy and return it.
    - `layer`: where the raw counts are; None for X.
    - `rates`: fill layers["rates"] too.
    - `batch`: value of some covariates that all cells are denoised to, as in `ZiPo.denoise`.
    - `seed`, `device`, `parameters`: as of `ZiPo`; sizes that are not given follow from the data.

    Raises InputError for anything but raw counts, for too few cells, and where the training diverges.
    """
    if layer is not None and layer not in adata.layers:
        raise InputError(f"there is no layer {layer!r}; there are {', '.join(adata.layers) or 'none'}")
    adata = adata.copy() if copy else adata
    counts = adata if layer is None else ad.AnnData(adata.layers[layer], obs=adata.obs, var=adata.var)
    model = ZiPo.for_data(counts, seed=seed, device=device, **parameters).fit(counts)
    names = slots.slots(rates)
    about = slots.about(model, names, slots.checked(model, counts), batch)
    found = (slots.values(prediction, names) for prediction in model.predictions(counts, batch))
    for name, array in stacked(found, adata.n_obs).items():
        group, slot = name.split("/")
        getattr(adata, group)[slot] = array
    adata.uns[slots.ABOUT] = about
    return adata if copy else None
