"""Preparing a data set: from its source to the file that a study trains on."""

import json
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np

from zipo.datasets import filters
from zipo.datasets.catalogue import Dataset
from zipo.datasets.counts import check_cells_and_genes
from zipo.datasets.prepared import write
from zipo.shared.errors import InputError
from zipo.shared.wording import used_by


def prepare(name: str, dataset: Dataset, downloads: Path, target: Path) -> None:
    """Read, check and filter a data set, and write it: X as CSR counts, uns["dataset"] as its pedigree.

    A data set of the paper with fewer detected genes than target_genes keeps them all. What the files left open, such
    as missing labels, is in the pedigree as remarks, which Table I shows.
    """
    with used_by("study"):
        write(_prepared(name, dataset, downloads), target)


def _prepared(name: str, dataset: Dataset, downloads: Path) -> ad.AnnData:
    """The filtered counts with their pedigree."""
    adata, checksums = dataset.source.read(downloads)
    before = size(adata)
    if dataset.paper and before["cells"] != dataset.paper.cells:
        raise InputError(
            f"data set {name}: {before['cells']:,} cells before filters, but the paper's Table I has "
            f"{dataset.paper.cells:,}; the deposit has changed or is not complete: fetch it again, or correct paper in "
            "config/datasets.yaml"
        )
    adata = filters.apply(adata, dataset.filters, fewer_genes="keep" if dataset.paper else "refuse")
    check_cells_and_genes(adata, f"data set {name}", empty_cells=dataset.filters.empty_cells)
    adata.uns["dataset"] = {
        "id": name,
        "title": dataset.title,
        "tissue": dataset.tissue,
        "reference": dataset.reference,
        "source": json.dumps(dataset.source.model_dump()),
        "sha256": checksums,
        "filters": json.dumps(dataset.filters.model_dump()),
        "min_cells": adata.uns.pop("min_cells"),
        "before": before,
        "after": size(adata),
        "paper": dataset.paper.model_dump() if dataset.paper else {},
        "remarks": np.array(adata.uns.pop("remarks"), dtype=object),
    }
    if dataset.markers:
        adata.uns["markers"] = dataset.markers
    return adata


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
