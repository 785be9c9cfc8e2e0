"""Counts out of a file or folder in any of the formats that can be read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import anndata as ad
import h5py
import pandas as pd

from zipo.datasets.counts import as_counts
from zipo.datasets.formats import annotated, dense, tenx
from zipo.datasets.formats.contents import Contents, unique_genes
from zipo.datasets.formats.count_layers import layers_with_counts_in, pointing_to_counts
from zipo.datasets.formats.features import LEFT_OUT, genes_among
from zipo.datasets.formats.foreign import refuse_unreadable
from zipo.datasets.formats.hdf5 import open_hdf5
from zipo.datasets.formats.suffixes import SUFFIXES, FileFormat
from zipo.datasets.names import refuse_lengths, refuse_transposed, warn_of_dates
from zipo.shared.errors import InputError


def read_counts(
    path: Path,
    file_format: FileFormat | None,
    *,
    layer: str | None = None,
    genes_in: Literal["rows", "columns"] | None = None,
    cell_columns: Sequence[str] = (),
) -> ad.AnnData:
    """The counts of a file or folder as CSR, with all columns that the file itself has about its cells in obs.

    - `file_format`: None for an unknown suffix; a folder is then 10x_mtx.
    - `layer`: which counts of an .h5ad or .loom; the main matrix if None.
    - `genes_in`, `cell_columns`: where a table has its genes, and its columns that are about cells instead.

    var["gene_id"] holds accessions where the file has them beside the symbols, and uns["left_out_features"] the number
    of features of each type that are no genes. Raises InputError naming the file and what was expected.
    """
    contents = _read_contents(path, file_format, layer, genes_in, cell_columns)
    places, left_out = genes_among(contents.genes, contents.types, str(path))
    if left_out:
        contents = contents.of_genes(places)
    genes = unique_genes(contents.genes, contents.gene_ids)
    refuse_transposed(contents.cells, genes, str(path))
    refuse_lengths(contents.cells, str(path))
    with pointing_to_counts(lambda: layers_with_counts_in(path)):
        counts = as_counts(contents.matrix, contents.cells, genes, str(path))
    warn_of_dates(genes, str(path))
    obs = pd.DataFrame(index=pd.Index(contents.cells, dtype=str)) if contents.obs is None else contents.obs
    var = pd.DataFrame(index=pd.Index(genes, dtype=str))
    if contents.gene_ids is not None:
        var["gene_id"] = list(contents.gene_ids)
    return ad.AnnData(counts, obs=obs, var=var, uns={LEFT_OUT: left_out} if left_out else {})


def _read_contents(
    path: Path,
    file_format: FileFormat | None,
    layer: str | None,
    genes_in: Literal["rows", "columns"] | None,
    cell_columns: Sequence[str],
) -> Contents:
    """Read the file with the reader of its format, without checks of the counts."""
    if file_format == "10x_mtx" or (file_format is None and path.is_dir()):
        if not path.is_dir():
            raise InputError(f"{path}: no such folder; format 10x_mtx is one with matrix, features and barcodes")
        return tenx.read_folder(path)
    refuse_unreadable(path)
    if file_format == "table":
        return dense.read_table(path, genes_in, cell_columns)
    if file_format == "10x_h5":
        return tenx.read_h5(path)
    if file_format == "h5ad":
        return annotated.read_h5ad(path, layer)
    if file_format == "loom":
        return annotated.read_loom(path, layer)
    if h5py.is_hdf5(path):
        with open_hdf5(path):
            pass
    raise InputError(
        f"{path}: unknown suffix {path.suffix!r}; known are {', '.join(SUFFIXES)} (.csv, .tsv and .txt also with .gz) "
        "and folders with a matrix.mtx; or give format"
    )
