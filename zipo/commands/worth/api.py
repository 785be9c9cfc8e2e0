"""zipo.check: what denoising is worth on the counts of an AnnData, in one call."""

from typing import Any

import anndata as ad

from zipo.commands.worth.measuring import measure
from zipo.commands.worth.names import CHECK
from zipo.commands.worth.worth import Worth
from zipo.datasets.formats.count_layers import layers_with_counts, pointing_to_counts
from zipo.datasets.formats.features import warn_of_others
from zipo.datasets.raw_counts import check_anndata, check_cut, counts_of, same_names
from zipo.presets import DEFAULT
from zipo.shared.errors import InputError


def check(
    adata: ad.AnnData,
    *,
    layer: str | None = None,
    preset: str = DEFAULT,
    seed: int = 1,
    device: str = "auto",
    **parameters: Any,
) -> Worth:
    """Measure what denoising is worth on raw counts: hold out a tenth of the molecules, train on the rest, and compare.

    Two models are trained, one of them on permuted counts, in which there is nothing to learn. Returns the numbers,
    whose `text()` says them in plain words. Fills obs["zipo_explained"], var["zipo_explained"] and uns["zipo_check"];
    all else stays as it is, and nothing is filled where an error is raised.

    - `layer`: where the raw counts are: None for X, a layer, or raw for adata.raw, whose genes must be those of X.
    - `preset`, `seed`, `device`, `parameters`: as of `zipo.pp.denoise`.

    Raises InputError for anything but raw counts, for fewer than 50 cells or 10,000 molecules, and where a training
    diverges.
    """
    check_anndata(adata, "counts")
    check_cut(adata, "counts")
    counts = counts_of(adata, "counts", layer)
    if not same_names(counts.var_names, adata.var_names):
        raise InputError(
            f"{layer}: its {counts.n_vars} genes are not the {adata.n_vars} of X, for which alone var can be "
            "filled; check adata.raw.to_adata()"
        )
    warn_of_others(adata)
    with pointing_to_counts(lambda: layers_with_counts(adata)):
        worth = measure(counts, preset, seed=seed, device=device, **parameters)
    for table, columns in ((adata.var, worth.of_genes()), (adata.obs, worth.of_cells(adata.obs_names))):
        for name, values in columns.items():
            table[name] = values
    adata.uns[CHECK] = worth.state()
    return worth
