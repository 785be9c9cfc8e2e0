"""What the formats that rest on HDF5 have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from scipy.sparse import csc_matrix, csr_matrix, vstack

from zipo.datasets.text import refuse_unreadable
from zipo.errors import InputError

BLOCK = 64_000_000  # bytes of a dense matrix that are in memory at once


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file to read; InputError if it is missing, empty, of another kind, or damaged."""
    refuse_unreadable(path)
    if not h5py.is_hdf5(path):
        raise InputError(f"{path}: not an HDF5 file, as .h5ad, .h5 and .loom are; fetch it again, or correct format")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except OSError as error:
        raise InputError(f"{path}: the HDF5 file is damaged or incomplete ({error}); fetch it again") from None


def text_of(dataset: h5py.Dataset) -> list[str]:
    """The strings of a dataset, whatever their type; numbers become their digits."""
    if h5py.check_string_dtype(dataset.dtype) is None:
        return [str(value) for value in dataset[:]]
    return list(dataset.asstr()[:])


def checked_csr(matrix: csr_matrix | csc_matrix, place: str) -> csr_matrix:
    """A stored sparse matrix as CSR; InputError if its arrays do not fit together, which would read foreign memory."""
    try:
        matrix.check_format(full_check=True)
    except ValueError as error:
        raise InputError(f"{place}: the matrix is damaged: {error}; fetch or write the file again") from None
    return csr_matrix(matrix)


def sparse_rows(dataset: h5py.Dataset) -> csr_matrix:
    """A dense dataset (rows x columns) as CSR, of which only a block of rows is ever dense."""
    rows, columns = dataset.shape
    step = max(1, BLOCK // max(1, columns * dataset.dtype.itemsize))
    if dataset.chunks:  # whole chunks, so that none is decompressed twice
        step = max(1, step // dataset.chunks[0]) * dataset.chunks[0]
    blocks = [csr_matrix(dataset[start : start + step]) for start in range(0, rows, step)]
    return vstack(blocks, format="csr") if blocks else csr_matrix((rows, columns), dtype=np.float32)
