"""Counts of your own, in any of the usual formats, as one entry in config/datasets.yaml."""

import sys
from pathlib import Path

import anndata as ad
import h5py
import pandas as pd

from zipo.datasets.catalogue import SUFFIXES, FileSource
from zipo.datasets.counts import as_counts
from zipo.datasets.formats import annotated, dense, tenx
from zipo.datasets.formats.foreign import refuse_unreadable
from zipo.datasets.formats.hdf5 import open_hdf5
from zipo.datasets.formats.labels import obs_of, read_labels
from zipo.datasets.formats.stored import Stored, unique_genes
from zipo.datasets.formats.whole_numbers import counts_elsewhere, whole_layers_of
from zipo.datasets.names import refuse_transposed, warn_of_dates
from zipo.datasets.sources.wheel import check_sha256
from zipo.shared.errors import InputError
from zipo.shared.wording import used_by


def files_of(path: Path, source: FileSource) -> list[Path]:
    """Every file that read_file reads."""
    counts = list(tenx.parts(path)) if path.is_dir() else [path]
    return counts + ([Path(source.labels)] if source.labels else [])


def read_file(path: Path, source: FileSource) -> ad.AnnData:
    """The counts of a file or folder as CSR, with the source's cell_type, batch and covariates in obs.

    Otherwise as read_whole.
    """
    with used_by("study"):
        adata = read_whole(path, source)
        place, columns = str(path), adata.obs
        if source.labels is not None:
            place, columns = source.labels, read_labels(Path(source.labels), adata.obs_names)
        adata.obs = obs_of(source, columns, adata.obs_names, place)
    return adata


def read_whole(path: Path, source: FileSource) -> ad.AnnData:
    """The counts of a file or folder as CSR, with all columns that the file itself has about its cells in obs.

    var["gene_id"] holds accessions where the file has them beside the symbols, and uns["left_out_features"] the number
    of features of each type that are no genes. Raises InputError naming the file and what was expected.
    """
    stored = _stored(path, source)
    genes = unique_genes(stored.genes, stored.gene_ids)
    refuse_transposed(stored.cells, genes, str(path))
    with counts_elsewhere(lambda: whole_layers_of(path)):
        counts = as_counts(stored.matrix, stored.cells, genes, str(path))
    warn_of_dates(genes, str(path))
    obs = pd.DataFrame(index=pd.Index(stored.cells, dtype=str)) if stored.obs is None else stored.obs
    var = pd.DataFrame(index=pd.Index(genes, dtype=str))
    if stored.gene_ids is not None:
        var["gene_id"] = list(stored.gene_ids)
    for kind, number in stored.uns.get("left_out_features", {}).items():
        print(f"{path}: left out {number} features of type {kind!r}, which are no genes", file=sys.stderr)
    return ad.AnnData(counts, obs=obs, var=var, uns=dict(stored.uns))


def _stored(path: Path, source: FileSource) -> Stored:
    """What the reader of the file's format finds."""
    kind = source.known_format or ("10x_mtx" if path.is_dir() else None)
    if kind == "10x_mtx":
        if not path.is_dir():
            raise InputError(f"{path}: no such folder; format 10x_mtx is one with matrix, features and barcodes")
        if source.sha256 is not None:
            raise InputError(f"{path}: sha256 is the checksum of one file, but this is a folder; leave it out")
        return tenx.read_folder(path)
    refuse_unreadable(path)
    if source.sha256 is not None:
        check_sha256(path, source.sha256, str(path))
    if kind == "table":
        return dense.read_table(path, source)
    if kind == "10x_h5":
        return tenx.read_h5(path)
    if kind == "h5ad":
        return annotated.read_h5ad(path, source.layer)
    if kind == "loom":
        return annotated.read_loom(path, source.layer)
    if h5py.is_hdf5(path):
        with open_hdf5(path):
            pass
    raise InputError(
        f"{path}: unknown suffix {path.suffix!r}; known are {', '.join(SUFFIXES)} (.csv, .tsv and .txt also with .gz) "
        "and folders with a matrix.mtx; or give format"
    )
