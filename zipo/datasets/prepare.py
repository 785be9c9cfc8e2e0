"""From a source to the data set file that a study trains on."""

import json
import os
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np

from zipo.datasets import bundled, files, filters, simulated, wheel
from zipo.datasets.catalogue import Dataset, FileSource, ScanpySource, WheelSource
from zipo.datasets.counts import check_cells_and_genes


def prepare(name: str, dataset: Dataset, downloads: Path, target: Path) -> None:
    """Read, check and filter a data set, and write it: X as CSR counts, uns["dataset"] as its pedigree."""
    source = dataset.source
    read: list[Path] = []
    if isinstance(source, WheelSource):
        read = [downloads / wheel.file_name(source)]
        adata = wheel.read(read[0], source)
    elif isinstance(source, ScanpySource):
        read = [bundled.path(source)]
        adata = bundled.read(read[0], source)
    elif isinstance(source, FileSource):
        path = files.path_of(source, downloads)
        adata = files.read_file(path, source)
        read = files.files_of(path, source)
    else:
        adata = simulated.simulate(source)
    before = size(adata)
    adata = filters.apply(adata, dataset.filters)
    check_cells_and_genes(adata, f"data set {name}")
    adata.uns["dataset"] = {
        "id": name,
        "title": dataset.title,
        "tissue": dataset.tissue,
        "reference": dataset.reference,
        "source": json.dumps(source.model_dump()),
        "sha256": {file.name: wheel.sha256_of(file) for file in read},
        "filters": json.dumps(dataset.filters.model_dump()),
        "min_cells": adata.uns.pop("min_cells"),
        "before": before,
        "after": size(adata),
    }
    write(adata, target)


def size(adata: ad.AnnData) -> dict[str, Any]:
    """Cells, genes, share of nonzero entries and median library size."""
    entries = adata.n_obs * adata.n_vars
    library = np.asarray(adata.X.sum(axis=1)).ravel()
    return {
        "cells": adata.n_obs,
        "genes": adata.n_vars,
        "nonzero_share": adata.X.nnz / entries if entries else 0.0,
        "median_library": float(np.median(library)) if len(library) else 0.0,
    }


def write(adata: ad.AnnData, target: Path) -> None:
    """Write an .h5ad so that `target` is either whole or absent."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part.h5ad")
    try:
        adata.write_h5ad(part, compression="lzf")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
