"""Writing an AnnData to an .h5ad part by part, and checking beforehand that it can be written."""

import io
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from anndata.abc import CSCDataset, CSRDataset
from scipy.sparse import issparse

from zipo.datasets.counts import plain_names
from zipo.datasets.formats.hdf5 import BLOCK, create_hdf5, mark
from zipo.datasets.on_disk import places, rows_of, stored_x
from zipo.datasets.raw_counts import of_two_index_types, raw_of, x_of
from zipo.shared.atomic_files import behind_link
from zipo.shared.errors import InputError

GROUPS = ("layers", "obsm", "varm", "obsp", "varp")
COMPRESSED = {"compression": "lzf"}
SAMPLE = 1 << 18  # entries or bytes of X that tell how far it can be compressed


def write(adata: ad.AnnData, path: Path, compression: Literal["gzip", "lzf"]) -> None:
    """Write an AnnData in memory as its own write_h5ad does; a full disk is an OSError and does not end Python."""
    adata.strings_to_categoricals()
    with create_hdf5(path) as (file, _):
        ad.io.write_elem(file, "/", adata, dataset_kwargs={"compression": compression})
        if adata.raw is None:
            del file["raw"]  # of a part that says that there is none, anndata makes a raw without genes
        mark(file)


def write_matrices(file: h5py.File, data: ad.AnnData, leave_out: Collection[str] = ()) -> None:
    """Write X, the matrices beside it, and raw, but for those to be left out, each named as group/name.

    X on disk is copied in parts. Raises InputError for what an .h5ad cannot keep.
    """
    _write_x(file, data)
    for group in GROUPS:
        target = _new_group(file, group)
        for name, value in getattr(data, group).items():
            if f"{group}/{name}" not in leave_out:
                _put(target, name, value)
    if (raw := raw_of(data)) is not None:
        target = _new_group(file, "raw", "raw")
        _put(target, "X", raw.X)
        _put(target, "var", raw.var)
        varm = _new_group(target, "varm")
        for name, value in raw.varm.items():
            _put(varm, name, value)


def write_tables(file: h5py.File, obs: pd.DataFrame, var: pd.DataFrame, uns: Mapping[str, Any]) -> None:
    """Write obs, var and uns, and the marks of an .h5ad. Raises InputError for what an .h5ad cannot keep."""
    file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
    mark(file)
    _put(file, "obs", obs)
    _put(file, "var", var)
    target = _new_group(file, "uns")
    for name, value in uns.items():
        _put(target, str(name), value)


def check_writable(
    data: ad.AnnData, target: Path, slots: int, leave_out: Collection[str] = (), advice: str = "make room"
) -> None:
    """Raise InputError where an .h5ad cannot keep what an AnnData holds, or its disk has no room for it.

    - `slots`: bytes of what will be written beside it.
    - `leave_out`: what will not be written, as group/name.
    - `advice`: what to do where there is no room.

    Tables are written as a try in memory, and of each matrix the first row.
    """
    matrices = {
        f"{group}/{name}": value
        for group in GROUPS
        for name, value in getattr(data, group).items()
        if f"{group}/{name}" not in leave_out
    }
    raw = raw_of(data)
    raw_parts: dict[str, Any] = {} if raw is None else {"raw/X": raw.X, "raw/var": raw.var, **raw.varm}
    with h5py.File(io.BytesIO(), "w") as file:
        write_tables(file, data.obs, data.var, data.uns)
        for name, value in matrices.items():
            group, _, key = name.partition("/")
            if "/" in key:
                raise InputError(f"{group}[{key!r}]: in an .h5ad a name has no '/'; rename it")
            some = value if isinstance(value, pd.DataFrame) else _prepared(value)[:1]
            _put(file.require_group(group), key, some)
        if raw is not None:
            _put(file.create_group("raw"), "var", raw.var)
        file.flush()
        needed = slots + file.id.get_filesize() + _size_of_x(data, file)
    needed += sum(map(_size, (*matrices.values(), *raw_parts.values())))
    folder = next(folder for folder in behind_link(target).absolute().parents if folder.exists())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(f"{target}: about {_bytes(needed)} are needed, but its disk has {_bytes(free)} left; {advice}")


def _put(group: h5py.Group, name: str, value: Any, **options: Any) -> None:
    """Write an element under its name in a group; InputError naming it if an .h5ad cannot keep it."""
    try:
        with ad.settings.override(allow_write_nullable_strings=True):  # the input may have them
            ad.io.write_elem(group, name, _prepared(value), dataset_kwargs=options)
    except OSError:
        raise
    except Exception as error:  # anndata and h5py raise many kinds
        raise InputError(_refusal(group.name, name, value, error)) from None


def _prepared(value: Any) -> Any:
    """An element in a form that anndata writes and others can read: text with gaps as categories, as anndata itself
    makes of it, names as plain text, and both index arrays of a sparse matrix of one type."""
    if isinstance(value, pd.DataFrame):
        texts = {name: pd.Categorical(column) for name, column in value.items() if _text_with_gaps(column)}
        table = pd.DataFrame(value).assign(**texts)
        table.index = plain_names(value.index).rename(value.index.name)
        return table
    if isinstance(value, CSRDataset | CSCDataset):
        value = value.to_memory()
    if of_two_index_types(value):
        return type(value)((value.data, value.indices, value.indptr), shape=value.shape)
    return np.asarray(value) if isinstance(value, np.matrix) else value


def _text_with_gaps(column: pd.Series) -> bool:
    return (
        column.dtype == object
        and column.isna().any()
        and pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty")
    )


def _write_x(file: h5py.File, data: ad.AnnData) -> None:
    if (rows := rows_of(data, "X")) is not None:
        wide = rows.lengths.sum() > np.iinfo(np.int32).max  # more entries than 32 bits can number
        for part in rows.parts(np.arange(data.n_obs)):
            chunk = rows.read(part, rows.dtype)
            if "X" in file:
                ad.io.sparse_dataset(file["X"]).append(chunk)
                continue
            if wide:
                chunk.indptr, chunk.indices = chunk.indptr.astype(np.int64), chunk.indices.astype(np.int64)
            ad.io.write_elem(file, "X", chunk, dataset_kwargs=COMPRESSED)
        return
    stored = stored_x(data)
    if isinstance(stored, h5py.Dataset):
        _copy_dense(file, data, stored)
    elif stored is not None:
        _put(file, "X", x_of(data), **COMPRESSED)


def _copy_dense(file: h5py.File, data: ad.AnnData, stored: h5py.Dataset) -> None:
    cells, genes = places(data)
    target = file.create_dataset("X", data.shape, stored.dtype, **COMPRESSED if data.n_obs and data.n_vars else {})
    target.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    step = max(1, BLOCK // max(1, stored.shape[1] * stored.dtype.itemsize))
    for begin in range(0, len(cells), step):
        some, order = np.unique(cells[begin : begin + step], return_inverse=True)
        together = len(some) == some[-1] - some[0] + 1
        block = stored[some[0] : some[-1] + 1] if together else stored[some]
        target[begin : begin + step] = block[order][:, genes]


def _new_group(parent: h5py.Group, name: str, kind: str = "dict") -> h5py.Group:
    group = parent.create_group(name)
    group.attrs.update({"encoding-type": kind, "encoding-version": "0.1.0"})
    return group


def _refusal(group: str, name: str, value: Any, error: Exception) -> str:
    """Why an element cannot be written, by the column or key that is to blame."""
    place = group.strip("/").replace("/", ".")
    text = f"{place}[{name!r}]" if place in (*GROUPS, "uns", "raw.varm") else ".".join(filter(None, (place, name)))
    blamed = _blamed(value)
    text += "".join(f"[{key!r}]" for key, _ in blamed)
    value = blamed[-1][1] if blamed else value
    if isinstance(value, pd.Series) and value.dtype == object:
        kinds = " and ".join(sorted({type(each).__name__ for each in value[value.notna()]}))
        gaps = " with gaps" if value.isna().any() else ""
        return f"{text}: an .h5ad cannot keep a column of {kinds}{gaps}; make it text or numbers, or take it out"
    if re.search("No method registered|implicitly convert", str(error)):
        kind = str(getattr(value, "dtype", type(value).__name__))
        return (
            f"{text}: an .h5ad cannot keep this ({kind}); make it text, a number or an array of these, or take it out"
        )
    return f"{text}: cannot be written to an .h5ad ({str(error).splitlines()[0]}); mend it, or take it out"


def _blamed(value: Any) -> list[tuple[Any, Any]]:
    """The path to the first column or key that cannot be written, each step with what is there."""
    if isinstance(value, pd.DataFrame):
        parts = [(name, value[[name]]) for name in value.columns] if value.columns.is_unique else []
        return next(([(name, part[name])] for name, part in parts if not _writes(part)), [])
    if isinstance(value, Mapping):
        for key, part in value.items():
            if not _writes({str(key): part}):
                return [(key, part), *_blamed(part)]
    return []


def _writes(value: Any) -> bool:
    with h5py.File(io.BytesIO(), "w") as file:
        try:
            with ad.settings.override(allow_write_nullable_strings=True):
                ad.io.write_elem(file, "it", _prepared(value))
        except Exception:
            return False
    return True


def _size_of_x(data: ad.AnnData, file: h5py.File) -> float:
    """Bytes of X as it will be written: as many as it has on disk, or compressed like its first rows."""
    if (rows := rows_of(data, "X")) is not None:
        entries = rows.lengths.sum()
        cells = np.arange(1 + np.searchsorted(np.cumsum(rows.lengths), SAMPLE))[: data.n_obs]
        some: Any = rows.read(cells, rows.dtype)
        size = entries * (rows.dtype.itemsize + 4) + 4 * data.n_obs
    else:
        stored = stored_x(data)
        if isinstance(stored, h5py.Dataset):
            return _size(stored) * data.n_obs * data.n_vars / max(1, stored.size)
        x = None if stored is None else _prepared(x_of(data))
        if x is None or not data.n_obs:
            return 0
        some, size = x[: max(1, SAMPLE * data.n_obs // max(1, _size(x)))], _size(x)
    _put(file, "X", some, **COMPRESSED)
    return _stored(file["X"]) * size / max(1, _size(some))


def _size(value: Any) -> int:
    """Bytes of a matrix as it is written without compression; 0 for tables, which were written for a try."""
    if isinstance(value, h5py.Dataset):
        return value.id.get_storage_size()
    if isinstance(value, CSRDataset | CSCDataset):
        return _stored(value.group)
    if issparse(value) and value.format in ("csr", "csc"):
        return value.data.nbytes + value.indices.nbytes + value.indptr.nbytes
    return 0 if isinstance(value, pd.DataFrame) else int(getattr(value, "nbytes", 0))


def _stored(item: Any) -> int:
    """Bytes on disk of a dataset, or of all in a group; of a zarr group, of which h5py knows nothing, none."""
    if isinstance(item, h5py.Dataset):
        return item.id.get_storage_size()
    return sum(map(_stored, item.values())) if isinstance(item, h5py.Group) else 0


def _bytes(number: float) -> str:
    return f"{number / 1e9:.1f} GB" if number > 1e8 else f"{number / 1e6:.1f} MB"
