"""Counts with columns about their cells: .h5ad, through anndata, and .loom.

Loom is read with h5py because anndata's own reader needs loompy, whose last release is of January 2025 and which
brings numba along; the format is plain HDF5 (genes x cells in /matrix or /layers, names in /row_attrs, /col_attrs).
"""

import warnings
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import pandas as pd
from scipy.sparse import csr_matrix

from zipo.datasets.counts import plain_names
from zipo.datasets.formats.contents import Contents, check_size, unique_genes
from zipo.datasets.formats.count_layers import advice, layers_with_counts_in
from zipo.datasets.formats.features import COLUMN, types_in
from zipo.datasets.formats.hdf5 import open_hdf5, sparse_rows, text_of
from zipo.datasets.on_disk import rows_of
from zipo.datasets.raw_counts import (
    CountsInData,
    in_memory,
    matrix_of,
    of_two_index_types,
    with_all,
    with_counts,
    with_x,
)
from zipo.shared.errors import InputError
from zipo.shared.wording import words

# as loompy, anndata and loomR write them
CELL_NAMES = ("CellID", "obs_names", "cell_names")
GENE_NAMES = ("Gene", "var_names", "gene_names")


def read_h5ad(path: Path, layer: str | None) -> Contents:
    """X, raw.X (layer "raw") or a layer of an .h5ad, of any version that anndata reads."""
    adata = _backed(path, layer)
    holder, matrix = _counts(adata, path, layer)
    obs, var = adata.obs.copy(), holder.var
    adata.file.close()
    gene_ids = var["gene_ids"].astype(str).tolist() if "gene_ids" in var else None  # as scanpy's 10x readers name it
    cells, genes = obs.index.astype(str).tolist(), var.index.astype(str).tolist()
    return Contents(matrix, cells, genes, gene_ids, obs, types_in(var))


def open_h5ad(path: Path, layer: str | None) -> CountsInData:
    """All of an .h5ad, and the counts that `read_h5ad` reads.

    Counts in X stay on disk if they are CSR there, and become CSR in memory if not. Genes of one name carry their
    accession, where the file has them.
    """
    adata = _backed(path, layer)
    adata.obs_names = plain_names(adata.obs_names).rename(adata.obs_names.name)
    adata.var_names = _unique(adata).rename(adata.var_names.name)
    for group in ("layers", "obsm", "obsp", "varm", "varp"):  # of which anndata cannot cut those of two index types
        mapping = getattr(adata, group)
        for name, value in mapping.items():
            if of_two_index_types(value):
                mapping[name] = type(value)((value.data, value.indices, value.indptr), shape=value.shape)
    if layer is None and rows_of(adata, str(path)) is not None:
        return CountsInData(adata, adata)
    holder, matrix = _counts(adata, path, layer)
    if layer is None:
        adata = with_x(adata, matrix)
        return CountsInData(adata, adata)
    return with_all(adata, with_counts(adata.obs, adata.var_names if holder is adata else _unique(holder), matrix))


def _backed(path: Path, layer: str | None) -> ad.AnnData:
    """The AnnData of an .h5ad with X on disk; InputError if the file is no .h5ad or lacks X or the layer."""
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
            return ad.read_h5ad(path, backed="r")  # so that of X and raw.X only what is asked for is loaded
        except Exception as error:  # anndata raises many kinds
            raise unread(error, path) from None


def _counts(adata: ad.AnnData, path: Path, layer: str | None) -> tuple[Any, csr_matrix]:
    """The object that holds the counts, `adata` or its raw, and the counts in memory."""
    try:
        holder, matrix = matrix_of(adata, str(path), layer)
        return holder, in_memory(matrix, str(path))
    except InputError:
        raise
    except Exception as error:  # anndata and h5py raise many kinds
        raise unread(error, path) from None


def unread(error: Exception, path: Path) -> InputError:
    """The error for an .h5ad that anndata cannot read, with the element to blame if a slash in its name is."""
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


def _unique(holder: Any) -> pd.Index:
    """Names of genes as plain text; those that occur more than once carry their accession, where there is one."""
    names = plain_names(holder.var_names)
    if names.is_unique or "gene_ids" not in holder.var:  # as scanpy's 10x readers name them
        return names
    return pd.Index(unique_genes(list(names), list(holder.var["gene_ids"].astype(str))), dtype=object)


def read_loom(path: Path, layer: str | None) -> Contents:
    """The main matrix or a layer of a .loom, with its one-dimensional column attributes."""
    with open_hdf5(path) as file:
        _check_loom(file, path, layer)
        cells = text_of(_names(file["col_attrs"], CELL_NAMES, path))
        genes = text_of(_names(file["row_attrs"], GENE_NAMES, path))
        gene_ids = text_of(file["row_attrs"]["Accession"]) if "Accession" in file["row_attrs"] else None
        types = text_of(file["row_attrs"][COLUMN]) if COLUMN in file["row_attrs"] else None
        matrix = _turned(file["matrix"] if layer is None else file["layers"][layer], len(genes), len(cells), path)
        columns = _attributes(file["col_attrs"], len(cells), 1)
    return Contents(matrix, cells, genes, gene_ids, pd.DataFrame(columns, index=cells), types)


def open_loom(path: Path, layer: str | None) -> CountsInData:
    """All of a .loom in memory, its layers, attributes and graphs, and the counts that `read_loom` reads."""
    contents = read_loom(path, layer)
    genes = unique_genes(contents.genes, contents.gene_ids)
    size = len(genes), len(contents.cells)
    with open_hdf5(path) as file:
        # the counts are not read a second time
        matrix = contents.matrix if layer is None else _turned(file["matrix"], *size, path)
        layers = {
            name: contents.matrix if name == layer else _turned(dataset, *size, path)
            for name, dataset in file.get("layers", {}).items()
        }
        rows, columns = file["row_attrs"], file["col_attrs"]
        data = ad.AnnData(
            matrix,
            obs=contents.obs,
            var=pd.DataFrame(_attributes(rows, size[0], 1), index=genes),
            layers=layers,
            obsm=_attributes(columns, size[1], 2),
            varm=_attributes(rows, size[0], 2),
            obsp=_graphs(file.get("col_graphs", {}), size[1]),
            varp=_graphs(file.get("row_graphs", {}), size[0]),
        )
    if contents.gene_ids is not None:
        data.var["gene_id"] = list(contents.gene_ids)
    return CountsInData(data, data if layer is None else with_counts(data.obs, data.var_names, contents.matrix))


def _check_loom(file: h5py.File, path: Path, layer: str | None) -> None:
    """Raise InputError for a file that is no .loom, or lacks the layer."""
    for name in ("matrix", "row_attrs", "col_attrs"):
        if name not in file:
            raise InputError(f"{path}: no {name}, so this is no .loom; there are {', '.join(file) or 'no groups'}")
    if layer is not None and layer not in file.get("layers", {}):
        raise InputError(
            f"{path}: there is no layer {layer!r}; there are {', '.join(file.get('layers', [])) or 'none'}"
        )


def _turned(dataset: h5py.Dataset, genes: int, cells: int, path: Path) -> csr_matrix:
    """A matrix of a .loom (genes x cells) as CSR of cells x genes."""
    check_size(dataset.shape, genes, cells, f"{path}: {dataset.name}")
    return sparse_rows(dataset).T.tocsr()


def _attributes(group: h5py.Group, length: int, dimensions: int) -> dict[str, Any]:
    """The attributes of cells or genes that have so many dimensions, by name."""
    return {
        name: text_of(column) if h5py.check_string_dtype(column.dtype) else column[:]
        for name, column in group.items()
        if isinstance(column, h5py.Dataset) and column.ndim == dimensions and column.shape[0] == length
    }


def _graphs(group: h5py.Group | dict, length: int) -> dict[str, csr_matrix]:
    """The graphs between cells or between genes: edges from a to b of weight w."""
    return {
        name: csr_matrix((graph["w"][:], (graph["a"][:], graph["b"][:])), shape=(length, length))
        for name, graph in group.items()
    }


def _names(attributes: h5py.Group, known: tuple[str, ...], path: Path) -> h5py.Dataset:
    """The attribute with the names of cells or genes, the first of the known ones; InputError if there is none."""
    for name in known:
        if name in attributes:
            return attributes[name]
    raise InputError(
        f"{path}: {attributes.name} has none of {', '.join(known)}; there are {', '.join(attributes) or 'none'}"
    )


def _layers(file: h5py.File) -> list[str]:
    """Names that `layer` can have in an .h5ad."""
    raw = ["raw"] if "raw" in file or "raw.X" in file else []  # the latter before anndata 0.7
    return [*raw, *file.get("layers", [])]


def _instead_of_x(file: h5py.File, path: Path) -> str:
    """Advice, for an error, about an .h5ad without X."""
    layers = f"name one of the layers: {', '.join(_layers(file)) or 'none'}"
    if names := layers_with_counts_in(path):
        return f"{layers}; {advice(names)}"
    return layers + words(python="", command_line="; by --layer NAME", study="; by layer: NAME")
