"""Writes denoised counts to an .h5ad, a batch of cells at a time.

Neither counts on disk nor the result are ever in memory as a whole. Other matrices of the input, its layers and raw,
are, since anndata reads them so.
"""

from collections.abc import Callable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np

from zipo.datasets.formats.annotated import open_h5ad
from zipo.datasets.formats.h5ad import check_writable, write_matrices, write_tables
from zipo.datasets.formats.hdf5 import create_hdf5
from zipo.datasets.raw_counts import CountsInData, counts_of, with_all
from zipo.model import slots
from zipo.model.arguments import check_batch, check_standard_errors, path_of
from zipo.model.estimator import ZiPo
from zipo.model.plausibility import Plausibility
from zipo.model.targets import check_apart, check_file
from zipo.shared.atomic_files import atomic_write

LIBRARY = slots.LIBRARY.removeprefix("obs/")


def write_denoised(
    model: ZiPo,
    adata: ad.AnnData | PathLike[str] | str,
    target: PathLike[str] | str,
    *,
    layer: str | None = None,
    rates: bool = False,
    standard_errors: bool = False,
    batch: Mapping[str, Any] | None = None,
    on_cells: Callable[[int], None] | None = None,
) -> Plausibility:
    """Denoise counts to an .h5ad, and return how plausible the result is.

    The file holds all of `adata`, and the slots of `zipo.model.slots` in place of those of the same names.

    - `adata`: counts in memory or in backed mode, or an .h5ad.
    - `target`: the .h5ad; it appears whole or not at all, and is the same bytes for the same model and counts. A file
      that zipo did not write is not replaced, nor is that of `adata`.
    - `layer`: where the raw counts are: None for X, a layer, or raw for adata.raw, whose genes the
      output then has.
    - `rates`: write layers["rates"] too.
    - `standard_errors`: write layers["denoised_se"] and obsm["X_zipo_se"] too; of a model with `inference: refined`.
    - `batch`: value of some covariates that all cells are denoised to, as in `ZiPo.denoise`.
    - `on_cells`: called after each batch with the number of cells done.

    Raises InputError for anything but raw counts of the model's genes, where the target cannot be written, and where
    the result is not on the scale of the counts.
    """
    if standard_errors:
        check_standard_errors(model.parameters)
    names, target = slots.slots(rates, standard_errors), path_of(target)
    file = path_of(adata) if isinstance(adata, PathLike | str) else getattr(adata, "filename", None)  # of backed mode
    check_apart({"target": target}, [] if file is None else [file])
    check_file(target)
    if isinstance(adata, PathLike | str):
        opened = open_h5ad(path_of(adata), layer)
        try:
            return write(model, opened, target, names, batch=batch, on_cells=on_cells)
        finally:
            opened.data.file.close()
    source = with_all(adata, counts_of(adata, "counts", layer))
    return write(model, source, target, names, batch=batch, on_cells=on_cells)


def write(
    model: ZiPo,
    source: CountsInData,
    target: Path,
    names: list[str],
    *,
    batch: Mapping[str, Any] | None = None,
    on_cells: Callable[[int], None] | None = None,
    of_genes: Mapping[str, np.ndarray] | None = None,
    of_cells: Mapping[str, np.ndarray] | None = None,
    also: Mapping[str, Any] | None = None,
) -> Plausibility:
    """As `write_denoised`, for counts and the AnnData that they belong to; `target` is checked before.

    `names` are the slots to write, as of `zipo.model.slots.slots`, `of_genes` further columns of var, `of_cells` of
    obs, and `also` further entries of uns.
    """
    check_batch(batch)
    data = source.data
    check_room(data, target, names, model.parameters.encoder_widths[-1])
    plausibility = slots.checked(model, source.counts)
    about = slots.about(model, names, plausibility, batch)
    with atomic_write(target) as part, create_hdf5(part) as (file, check):
        obs = data.obs.assign(**{LIBRARY: np.zeros(data.n_obs, np.float32)}, **of_cells or {})
        uns = dict(data.uns) | {slots.ABOUT: about} | dict(also or {})
        write_tables(file, obs, data.var.assign(**of_genes or {}), uns)
        check()
        write_matrices(file, data, names)
        check()
        for cells in _write_slots(file, model, source.counts, names, batch):
            check()
            if on_cells:
                on_cells(cells)
    return plausibility


def check_room(data: ad.AnnData, target: Path, names: list[str], latents: int, advice: str = "make room") -> None:
    """Raise InputError, before anything is computed, where an output with these slots cannot be written for its content
    or its size.

    `advice` is what to do where the disk lacks room.
    """
    columns = {"layers": data.n_vars, "obsm": latents, "obs": 1}
    values = sum(columns[name.split("/")[0]] for name in names)
    check_writable(data, target, 4 * data.n_obs * values, names, advice)


def _write_slots(
    file: h5py.File, model: ZiPo, counts: ad.AnnData, names: list[str], batch: Mapping[str, Any] | None
) -> Iterator[int]:
    """Write the slots; yields the number of cells done after each batch."""
    end = 0
    for prediction in model.predictions(counts, batch):
        begin, end = end, end + len(prediction.latent)
        for name, tensor in slots.values(model.network, prediction, names).items():
            values = tensor.cpu().numpy()
            if name not in file:  # uncompressed: lzf leaves 93 to 100 % of the bytes, at a tenth of the speed
                file.create_dataset(name, (counts.n_obs, *values.shape[1:]), np.float32)
                file[name].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
            file[name][begin:end] = values
        yield end
