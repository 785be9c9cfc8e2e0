"""Files of prepared data sets: written with a checksum beside them, which is verified when they are read."""

import hashlib
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
from anndata.io import read_elem

from zipo.datasets.formats import h5ad
from zipo.datasets.transfer.integrity import sha256_of
from zipo.shared.atomic_files import atomic_write, set_aside

CHUNK = 10_000_000
"""Entries of an array that are hashed at once."""


def checksum_file(file: Path) -> Path:
    """The file with the checksum of a data set file, in the form of sha256sum."""
    return file.with_suffix(".sha256")


def write(adata: ad.AnnData, target: Path) -> None:
    """Write a data set file so that it is either complete or absent, and its checksum."""
    with atomic_write(target) as part:
        h5ad.write(adata, part, "lzf")
    with atomic_write(checksum_file(target)) as part:
        part.write_text(f"{sha256_of(target)}  {target.name}\n")


def read(file: Path) -> ad.AnnData:
    """Read a data set file; InputError if it is not as it was written, which HDF5 itself does not notice."""
    _check(file)
    return ad.read_h5ad(file)


def contents_digest(file: Path) -> str:
    """SHA-256 of the counts in a data set file and of all that it holds of cells and genes; InputError as in read.

    What uns says of the data set, such as its title and source, is no part of it: no training depends on that.
    """
    _check(file)
    result = hashlib.sha256()

    def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Group) or name.startswith("uns/"):
            return
        result.update(f"{name} {item.dtype} {item.shape}\n".encode())
        rows = max(1, CHUNK * len(item) // max(1, item.size)) if item.shape else 1
        for start in range(0, len(item) if item.shape else 1, rows):
            values = item[start : start + rows] if item.shape else np.asarray(item[()])
            if values.dtype.hasobject:  # texts, whose bytes are addresses
                result.update("".join(f"{value!r}\n" for value in values.flat).encode())
            else:
                result.update(values.tobytes())

    with h5py.File(file) as h5:
        h5.visititems(add)
    return result.hexdigest()


def _check(file: Path) -> None:
    """Set a data set file aside and raise InputError if it is not as it was written."""
    actual, expected = sha256_of(file), checksum_file(file).read_text().split()[0]
    if actual != expected:
        set_aside(file, f"sha256 {actual} where {expected} was written")


def read_pedigree(file: Path) -> dict[str, Any]:
    """uns["dataset"] of a data set file, without reading its counts."""
    with h5py.File(file) as h5:
        return read_elem(h5["uns/dataset"])
