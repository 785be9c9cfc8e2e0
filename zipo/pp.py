"""Denoising in scanpy's manner: one function that fills slots of an AnnData."""

from collections.abc import Mapping
from typing import Any

import anndata as ad

from zipo.datasets.formats.count_layers import layers_with_counts, pointing_to_counts
from zipo.datasets.formats.features import warn_of_others
from zipo.datasets.raw_counts import check_anndata, check_cut, counts_of, same_names
from zipo.model import slots
from zipo.model.arguments import check_batch, check_standard_errors
from zipo.model.covariates import Covariates
from zipo.model.estimator import ZiPo
from zipo.model.predictions import stacked
from zipo.presets import DEFAULT
from zipo.shared.errors import InputError


def denoise(
    adata: ad.AnnData,
    *,
    copy: bool = False,
    layer: str | None = None,
    rates: bool = False,
    standard_errors: bool = False,
    batch: Mapping[str, Any] | None = None,
    preset: str = DEFAULT,
    seed: int = 1,
    device: str = "auto",
    **parameters: Any,
) -> ad.AnnData | None:
    """Train ZiPo on raw counts and denoise them.

    Fills layers["denoised"], obsm["X_zipo"], obs["zipo_library_size"] and uns["zipo"], which tells what they mean and
    how they were made. X stays as it is.

    - `copy`: fill a copy, in memory, and return it.
    - `layer`: where the raw counts are: None for X, a layer, or raw for adata.raw.
    - `rates`: fill layers["rates"] too.
    - `standard_errors`: fill layers["denoised_se"] and obsm["X_zipo_se"] too, which needs `inference: refined`, as the
      presets denoise, fast and programs have it.
    - `batch`: value of some covariates that all cells are denoised to, as in `ZiPo.denoise`.
    - `preset`: denoise, fast, paper or programs, as of `ZiPo.for_data`.
    - `seed`, `device`, `parameters`: as of `ZiPo`; what is not given is as the preset has it for the data.

    Raises InputError for anything but raw counts, for too few cells, and where the training diverges.
    """
    check_anndata(adata, "counts")
    check_batch(batch)
    check_cut(adata, "counts")
    if copy:
        adata = _in_memory(adata) if adata.isbacked else adata.copy()
    if adata.isbacked and adata.is_view:
        raise InputError(
            "counts: this is a view of a file, which takes no new layers; take it into memory, adata.to_memory(), or "
            "fill a copy by copy=True"
        )
    counts = counts_of(adata, "counts", layer)
    if not same_names(counts.var_names, adata.var_names):
        raise InputError(
            f"{layer}: its {counts.n_vars} genes are not the {adata.n_vars} of X, for which alone a layer can be "
            "filled; denoise adata.raw.to_adata()"
        )
    warn_of_others(adata)
    model = ZiPo.for_data(counts, preset, seed=seed, device=device, **parameters)
    if standard_errors:
        check_standard_errors(model.parameters)
    if batch:
        Covariates(counts.obs, model.parameters.covariates).with_values(counts.obs.head(1), batch)
    with pointing_to_counts(lambda: layers_with_counts(adata)):
        model.fit(counts)
    names = slots.slots(rates, standard_errors)
    about = slots.about(model, names, slots.checked(model, counts), batch)
    parts = (slots.values(model.network, prediction, names) for prediction in model.predictions(counts, batch))
    arrays = stacked(parts, adata.n_obs)
    for name, array in arrays.items():
        group, slot = name.split("/")
        getattr(adata, group)[slot] = array
    adata.uns[slots.ABOUT] = about
    return adata if copy else None


def _in_memory(adata: ad.AnnData) -> ad.AnnData:
    """All of a backed AnnData in memory; the file, which anndata closes, is open again as it was."""
    copy = adata.to_memory()
    adata.file.open()
    return copy
