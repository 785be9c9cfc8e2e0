"""Finds the raw counts of an AnnData, in X, a layer or raw, and pairs them with the AnnData they belong to."""

import warnings
from typing import Any, NamedTuple

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from anndata import Raw
from anndata.abc import CSCDataset, CSRDataset
from scipy.sparse import csr_matrix, issparse

from zipo.datasets.counts import as_csr, plain_names, refuse_masked
from zipo.datasets.formats.hdf5 import sparse_rows
from zipo.datasets.on_disk import places, some_genes, stored_x
from zipo.shared.errors import InputError

RAW = "raw"  # what names adata.raw among the layers, unless a layer has that name


class CountsInData(NamedTuple):
    """An AnnData and its raw counts, of the same cells and genes."""

    data: ad.AnnData
    """The AnnData as it was passed or read."""
    counts: ad.AnnData
    """The raw counts as X, in memory or on disk."""
    left_out: str = ""
    """Parts of the AnnData that could not be kept, in one line."""

    def of_genes(self, places: np.ndarray) -> "CountsInData":
        """Both with some of the genes alone, by their positions."""
        if self.data is self.counts:
            part = some_genes(self.data, places)
            return CountsInData(part, part, self.left_out)
        return CountsInData(some_genes(self.data, places), some_genes(self.counts, places), self.left_out)


def with_all(data: ad.AnnData, counts: ad.AnnData) -> CountsInData:
    """Pair an AnnData with its counts; where counts of adata.raw have other genes, raw takes the place of X.

    The same genes in another order are put into that of X.
    """
    counts = _in_order(counts, data.var_names)
    if same_names(data.var_names, counts.var_names):
        return CountsInData(data, counts)
    raw = data.raw
    joined = ad.AnnData(
        counts.X,
        obs=counts.obs,
        var=raw.var,
        obsm=dict(data.obsm),
        obsp=dict(data.obsp),
        varm=dict(raw.varm),
        uns=dict(data.uns),
        raw=raw_in_memory(data),
    )
    parts = ["X", *(f"layers[{name!r}]" for name in data.layers), *(["var"] if len(data.var.columns) else [])]
    parts += [f"{group}[{name!r}]" for group in ("varm", "varp") for name in getattr(data, group)]
    change = f"raw has {counts.n_vars:,} genes and X {data.n_vars:,}, so X of the output is raw"
    return CountsInData(joined, counts, f"{change}; left out: {', '.join(parts)}")


def with_x(data: ad.AnnData, matrix: csr_matrix) -> ad.AnnData:
    """A copy of an AnnData with another X, in memory."""
    groups = {name: dict(getattr(data, name)) for name in ("layers", "obsm", "varm", "obsp", "varp", "uns")}
    return ad.AnnData(matrix, obs=data.obs, var=data.var, raw=raw_in_memory(data), **groups)


def same_names(some: pd.Index, others: pd.Index) -> bool:
    """Whether two axes have the same names in the same order, however pandas keeps them."""
    return plain_names(some).equals(plain_names(others))


def raw_of(data: ad.AnnData) -> Raw | None:
    """adata.raw, or None if there is none; anndata makes one without genes for files that have none."""
    return None if data.raw is None or not data.raw.n_vars else data.raw


def raw_in_memory(data: ad.AnnData) -> dict[str, Any] | None:
    """adata.raw in memory, as anndata.AnnData takes it as `raw`; None if there is none."""
    if (raw := raw_of(data)) is None:
        return None
    matrix = raw.X
    if isinstance(matrix, CSRDataset | CSCDataset):
        matrix = matrix.to_memory()
    return {"X": matrix[:] if isinstance(matrix, h5py.Dataset) else matrix, "var": raw.var, "varm": raw.varm}


def check_anndata(adata: Any, place: str) -> None:
    """Raise InputError for anything but an AnnData, for one whose tables were not read yet, and for one whose obs has
    columns of one name, of which anndata makes no views."""
    if not isinstance(adata, ad.AnnData):
        kind = f"{type(adata).__module__.partition('.')[0]}.{type(adata).__name__}".removeprefix("builtins.")
        raise InputError(f"{place}: an AnnData is expected, not {kind}; {_remedy(adata)}")
    if not isinstance(adata.obs, pd.DataFrame) or not isinstance(adata.var, pd.DataFrame):
        raise InputError(
            f"{place}: this AnnData is lazy; take it into memory, adata.to_memory(), or leave its counts on disk by "
            "anndata.read_h5ad(path, backed='r')"
        )
    columns = adata.obs.columns
    if not columns.is_unique:
        name = columns[columns.duplicated()][0]
        raise InputError(f"{place}: obs has several columns named {name!r}; rename or drop all but one")


def check_cut(adata: ad.AnnData, place: str) -> None:
    """Raise InputError for a view in memory that anndata cannot copy, which it does when results are written to it."""
    if not adata.is_view or adata.isbacked:
        return
    base = adata._adata_ref
    for name, matrix in {"X": base.X, **{f"layers[{name!r}]": value for name, value in base.layers.items()}}.items():
        if of_two_index_types(matrix):
            raise InputError(
                f"{place}: {name} has index arrays of two types, so that scipy cannot cut this view out of it; make it "
                "anew in the whole AnnData, scipy.sparse.csr_matrix((x.data, x.indices, x.indptr), x.shape)"
            )


def counts_of(adata: ad.AnnData, place: str, layer: str | None = None) -> ad.AnnData:
    """A new AnnData with the raw counts of `adata` as X, its obs, and the names of its genes.

    - `place`: what errors call it.
    - `layer`: where the counts are: None for X, a layer, or raw for adata.raw, whose genes may be others; the same in
      another order are put into that of X.

    Counts in memory become CSR, which shares what it can with `adata`; those of X on disk stay there. Names of
    cells and genes in memory are plain text. The values are not looked at. Raises InputError for what is no AnnData
    or has no such counts.
    """
    check_anndata(adata, place)
    if layer is None:
        refuse_masked(adata, place)
    if layer is None and adata.isbacked and stored_x(adata) is not None:
        return adata
    holder, matrix = matrix_of(adata, place, layer)
    return _in_order(with_counts(adata.obs, holder.var_names, in_memory(matrix, place)), adata.var_names)


def _in_order(counts: ad.AnnData, genes: pd.Index) -> ad.AnnData:
    """Counts in memory with their genes in the order of `genes`; as they are where the two have not the same genes."""
    own, genes = plain_names(counts.var_names), plain_names(genes)
    if own.equals(genes) or not own.is_unique or not own.sort_values().equals(genes.sort_values()):
        return counts
    return with_counts(counts.obs, genes, counts.X[:, own.get_indexer(genes)])


def with_counts(obs: pd.DataFrame, genes: pd.Index, matrix: csr_matrix) -> ad.AnnData:
    """An AnnData of counts (cells x genes) in memory, with plain text as names."""
    table = pd.DataFrame(obs)  # another table of the same columns
    table.index = plain_names(obs.index).rename(obs.index.name)
    with warnings.catch_warnings():  # of names that are not unique, which are refused where counts are checked
        warnings.simplefilter("ignore")
        return ad.AnnData(matrix, obs=table, var=pd.DataFrame(index=plain_names(genes)))


def in_memory(matrix: Any, place: str) -> csr_matrix:
    """A matrix, which may be on disk, as CSR; of a dense one on disk only some rows are ever dense."""
    if isinstance(matrix, h5py.Dataset):
        return sparse_rows(matrix)
    return as_csr(matrix.to_memory() if isinstance(matrix, CSRDataset | CSCDataset) else matrix, place)


def matrix_of(adata: ad.AnnData, place: str, layer: str | None) -> tuple[Any, Any]:
    """The object that holds the counts, `adata` or its raw, and their matrix; InputError if there is none."""
    if layer is None:
        if (matrix := x_of(adata)) is None:
            raise InputError(
                f"{place}: X is empty; put the counts there, adata.X = adata.layers[...], or name a layer, of which "
                f"there are {', '.join(adata.layers) or 'none'}"
            )
        return adata, matrix
    if layer in list(adata.layers):
        return adata, adata.layers[layer]
    if layer == RAW and (raw := raw_of(adata)) is not None:
        return raw, raw.X
    raise InputError(f"there is no layer {layer!r}; there are {', '.join(adata.layers) or 'none'}")


def x_of(adata: ad.AnnData) -> Any:
    """X of an AnnData or a view, None if it is empty; anndata itself cannot cut some sparse matrices for a view."""
    stored = stored_x(adata)
    if stored is None or not adata.is_view or not issparse(stored):
        return None if stored is None else adata.X
    cells, genes = places(adata)
    part = (as_csr(stored, "X") if of_two_index_types(stored) else stored)[cells]
    return part if np.array_equal(genes, np.arange(stored.shape[1])) else part[:, genes]


def of_two_index_types(matrix: Any) -> bool:
    """Whether a sparse matrix has index arrays of int64 and int32, so that scipy can neither slice nor add it up."""
    return issparse(matrix) and matrix.format in ("csr", "csc") and matrix.indptr.dtype != matrix.indices.dtype


def _remedy(value: Any) -> str:
    """How to make an AnnData of something else, in words."""
    name = type(value).__name__
    if name == "DataFrame":
        return "make one of it, anndata.AnnData(frame), with cells in rows"
    if name == "MuData":
        return "give the part with the counts, as mdata['rna']"
    if isinstance(value, str) or hasattr(value, "__fspath__"):
        return "read the file first, as by anndata.read_h5ad"
    return "make one of it, anndata.AnnData(counts, obs=..., var=...), with cells in rows"
