"""Counts with columns about their cells: .h5ad, through anndata, and .loom.

Loom is read with h5py because anndata's own reader needs loompy, whose last release is of January 2025 and which
brings numba along; the format is plain HDF5 (genes x cells in /matrix or /layers, names in /row_attrs, /col_attrs).
"""

import warnings
from pathlib import Path

import anndata as ad
import h5py
import pandas as pd
from scipy.sparse import csc_matrix, csr_matrix, issparse

from zipo.datasets.elsewhere import advice, whole_layers_of
from zipo.datasets.hdf5 import checked_csr, open_hdf5, sparse_rows, text_of
from zipo.datasets.stored import Stored, check_size
from zipo.errors import InputError
from zipo.wording import words

# as loompy, anndata and loomR write them
CELL_NAMES = ("CellID", "obs_names", "cell_names")
GENE_NAMES = ("Gene", "var_names", "gene_names")


def read_h5ad(path: Path, layer: str | None) -> Stored:
    """X, raw.X (layer "raw") or a layer of an .h5ad, of any version that anndata reads."""
    with open_hdf5(path) as file:
        if "obs" not in file or "var" not in file:
            raise InputError(f"{path}: no obs and var, so this is no .h5ad; there are {', '.join(file) or 'no groups'}")
        if layer is None and "X" not in file:
            raise InputError(f"{path}: there is no X; {_instead_of_x(file, path)}")
        if layer is not None and layer not in _layers(file):
            raise InputError(f"{path}: there is no layer {layer!r}; there are {', '.join(_layers(file)) or 'none'}")
    with warnings.catch_warnings():  # of old formats and duplicate names, which are dealt with here
        warnings.simplefilter("ignore")
        try:
            adata = ad.read_h5ad(path, backed="r")  # so that of X and raw.X only what is asked for is loaded
            holder = adata.raw if layer == "raw" else adata
            matrix = _in_memory(adata.layers[layer] if layer not in (None, "raw") else holder.X)
            var, obs = holder.var, adata.obs.copy()
            adata.file.close()
        except Exception as error:  # anndata raises many kinds
            raise unread(error, path) from None
    gene_ids = var["gene_ids"].astype(str).tolist() if "gene_ids" in var else None  # as scanpy's 10x readers name it
    matrix = checked_csr(matrix, str(path))
    return Stored(matrix, obs.index.astype(str).tolist(), var.index.astype(str).tolist(), gene_ids, obs)


def unread(error: Exception, path: Path) -> InputError:
    """The error for an .h5ad that anndata cannot read."""
    with h5py.File(path, "r") as file:
        for group in ("layers", "obsm", "varm", "obsp", "varp"):
            members = file[group].items() if isinstance(file.get(group), h5py.Group) else ()
            for name, element in members:
                if isinstance(element, h5py.Group) and "encoding-type" not in element.attrs and "data" not in element:
                    return InputError(
                        f"{path}: anndata cannot read {group}[{name + '/' + next(iter(element), '')!r}], since a name "
                        "may not have a '/'; write the file again without it, or under another name"
                    )
    return InputError(f"{path}: anndata cannot read this: {error}; write it again, or mend it")


def read_loom(path: Path, layer: str | None) -> Stored:
    """The main matrix or a layer of a .loom, with its one-dimensional column attributes."""
    with open_hdf5(path) as file:
        for name in ("matrix", "row_attrs", "col_attrs"):
            if name not in file:
                raise InputError(f"{path}: no {name}, so this is no .loom; there are {', '.join(file) or 'no groups'}")
        if layer is not None and layer not in file.get("layers", {}):
            raise InputError(
                f"{path}: there is no layer {layer!r}; there are {', '.join(file.get('layers', [])) or 'none'}"
            )
        cells = text_of(_names(file["col_attrs"], CELL_NAMES, path))
        genes = text_of(_names(file["row_attrs"], GENE_NAMES, path))
        gene_ids = text_of(file["row_attrs"]["Accession"]) if "Accession" in file["row_attrs"] else None
        dataset = file["matrix"] if layer is None else file["layers"][layer]
        check_size(dataset.shape, len(genes), len(cells), f"{path}: {dataset.name}")
        columns = {
            name: text_of(column) if h5py.check_string_dtype(column.dtype) else column[:]
            for name, column in file["col_attrs"].items()
            if column.shape == (len(cells),)
        }
        matrix = sparse_rows(dataset).T.tocsr()
    return Stored(matrix, cells, genes, gene_ids, pd.DataFrame(columns, index=cells))


def _names(attributes: h5py.Group, known: tuple[str, ...], path: Path) -> h5py.Dataset:
    for name in known:
        if name in attributes:
            return attributes[name]
    raise InputError(
        f"{path}: {attributes.name} has none of {', '.join(known)}; there are {', '.join(attributes) or 'none'}"
    )


def _layers(file: h5py.File) -> list[str]:
    """What `layer` can name in an .h5ad."""
    raw = ["raw"] if "raw" in file or "raw.X" in file else []  # the latter before anndata 0.7
    return [*raw, *file.get("layers", [])]


def _instead_of_x(file: h5py.File, path: Path) -> str:
    """What to do with an .h5ad that has no X."""
    layers = f"name one of the layers: {', '.join(_layers(file)) or 'none'}"
    if names := whole_layers_of(path):
        return f"{layers}; {advice(names)}"
    return layers + words(python="", command_line="; by --layer NAME", study="; by layer: NAME")


def _in_memory(matrix) -> csr_matrix | csc_matrix:
    """A matrix of an .h5ad, which anndata has loaded or left on disk."""
    if isinstance(matrix, h5py.Dataset):
        return sparse_rows(matrix)
    if hasattr(matrix, "to_memory"):
        matrix = matrix.to_memory()
    return matrix if issparse(matrix) else csr_matrix(matrix)
