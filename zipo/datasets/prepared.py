"""Files of prepared data sets: written with a checksum beside them, which is verified when they are read."""

from pathlib import Path
from typing import Any

import anndata as ad
import h5py
from anndata.io import read_elem

from zipo.datasets.formats import h5ad
from zipo.datasets.transfer.integrity import sha256_of
from zipo.shared.atomic_files import atomic_write, set_aside


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
    actual, expected = sha256_of(file), checksum_file(file).read_text().split()[0]
    if actual != expected:
        set_aside(file, f"sha256 {actual} where {expected} was written")
    return ad.read_h5ad(file)


def read_pedigree(file: Path) -> dict[str, Any]:
    """uns["dataset"] of a data set file, without reading its counts."""
    with h5py.File(file) as h5:
        return read_elem(h5["uns/dataset"])
