"""Reads the counts that a user names, in any format that data sets have, recognised by name or contents."""

from pathlib import Path
from typing import Literal

import h5py

from zipo.datasets.counts import as_counts, check_names
from zipo.datasets.formats import annotated
from zipo.datasets.formats.count_layers import layers_with_counts_in, pointing_to_counts
from zipo.datasets.formats.features import LEFT_OUT, genes_among, types_in
from zipo.datasets.formats.foreign import has_matrix, refuse_absent, refuse_folder, refuse_unreadable
from zipo.datasets.formats.hdf5 import open_hdf5
from zipo.datasets.formats.reading import read_counts
from zipo.datasets.formats.suffixes import FileFormat
from zipo.datasets.formats.tenx import parts
from zipo.datasets.names import refuse_lengths, refuse_transposed, warn_of_dates
from zipo.datasets.raw_counts import CountsInData
from zipo.shared.errors import InputError

KNOWN = (
    ".h5ad, 10x .h5, .loom, a folder with a matrix.mtx as 10x writes it, and tables (.csv, .tsv, .txt, also with .gz)"
)
TABLES = (".csv", ".tsv", ".txt")
BINARY: dict[str, FileFormat] = {".h5ad": "h5ad", ".h5": "10x_h5", ".loom": "loom"}


def read(path: Path, layer: str | None = None, genes_in: Literal["rows", "columns"] | None = None) -> CountsInData:
    """The counts of a file or folder, and all else that it holds, of the features that are genes.

    - `layer`: which counts of an .h5ad (raw, or a layer by name) or .loom (a layer by name); the main ones if None.
    - `genes_in`: where a table has its genes.

    Counts of an .h5ad stay on disk if they are X and this is CSR. Raises InputError for anything that is none of the
    formats, is damaged, has names that occur twice, or holds other values than raw counts; those of an .h5ad on disk
    are not looked at yet.
    """
    kind = format_of(path)
    if kind == "table" and genes_in is None:
        raise InputError(
            f"{path}: a table can have its genes in rows or in columns; say --genes-in rows or --genes-in columns"
        )
    if layer is not None and kind not in ("h5ad", "loom"):
        raise InputError(f"{path}: --layer is for .h5ad and .loom, other formats have no layers; leave it out")
    if kind in ("h5ad", "loom"):
        data = (annotated.open_h5ad if kind == "h5ad" else annotated.open_loom)(path, layer)
        places, left_out = genes_among(data.counts.var_names, types_in(data.data.var), str(path))
        if left_out:
            data.data.uns[LEFT_OUT] = left_out
            data = data.of_genes(places)
        counts = data.counts
        check_names(counts.shape, counts.obs_names, counts.var_names, str(path))
        refuse_transposed(counts.obs_names, counts.var_names, str(path))
        refuse_lengths(counts.obs_names, str(path))
        warn_of_dates(counts.var_names, str(path))
        if not counts.isbacked:
            with pointing_to_counts(lambda: layers_with_counts_in(path)):
                as_counts(counts.X, counts.obs_names, counts.var_names, str(path))
        return data
    adata = read_counts(path, kind, genes_in=genes_in if kind == "table" else None)
    return CountsInData(adata, adata)


def files_of(path: Path) -> list[Path]:
    """Every file that `read` reads."""
    return list(parts(path)) if path.is_dir() else [path]


def format_of(path: Path) -> FileFormat:
    """The format of a file or folder, by its contents if it is HDF5, otherwise by its name."""
    refuse_absent(path)
    if path.is_dir():
        if has_matrix(path):
            return "10x_mtx"
        refuse_folder(path, f"counts can be {KNOWN}")
    if path.is_file() and h5py.is_hdf5(path):
        with open_hdf5(path) as file:
            return "h5ad" if {"obs", "var"} <= set(file) else "loom" if "row_attrs" in file else "10x_h5"
    refuse_unreadable(path)
    if path.name.endswith((".mtx", ".mtx.gz")):
        raise InputError(
            f"{path}: the matrix alone names neither genes nor cells; give the folder in which it stands with "
            "features.tsv (or genes.tsv) and barcodes.tsv"
        )
    suffix = path.suffix.lower()
    if suffix in TABLES or (suffix == ".gz" and Path(path.stem).suffix.lower() in TABLES):
        return "table"
    if suffix in BINARY:  # and yet no HDF5: its reader tells what is wrong
        return BINARY[suffix]
    raise InputError(f"{path}: not a format that zipo reads; counts can be {KNOWN}")
