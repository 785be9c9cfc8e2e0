"""Files of HDF5, as .h5ad, .loom and 10x .h5 are: opened, marked as zipo's own, written, and their matrices read."""

import errno
import io
import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.sparse import csc_matrix, csr_matrix, vstack

from zipo import __version__
from zipo.datasets.counts import as_csr
from zipo.datasets.formats.foreign import refuse_foreign_hdf5, refuse_unreadable
from zipo.shared.errors import InputError
from zipo.shared.wording import words

MARK = "zipo"  # attribute of a file that zipo wrote, which is lost where anndata writes the file anew
BLOCK = 64_000_000  # bytes of a dense matrix that are in memory at once


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file to read; InputError if it is missing, empty, of another kind, held by a program, or damaged."""
    refuse_unreadable(path)
    if not h5py.is_hdf5(path):
        hint = words(python="", command_line=", or give it its right name", study=", or correct format")
        raise InputError(f"{path}: not an HDF5 file, as .h5ad, .h5 and .loom are; fetch it again{hint}")
    try:
        with h5py.File(path, "r") as file:
            refuse_foreign_hdf5(file, path)
            yield file
    except OSError as error:
        raise not_opened(error, path) from None


def not_opened(error: OSError, path: Path) -> InputError:
    """The error for an HDF5 file that h5py cannot open or read."""
    reason = str(error)
    if "h5clear" in reason:
        return InputError(
            f"{path}: a program has it open for writing, or was killed while it had; close it there, or, if none has, "
            f"clear its mark by h5clear -s {shlex.quote(str(path))}"
        )
    if error.errno in (errno.EAGAIN, errno.EACCES) or "already open" in reason:
        return InputError(
            f"{path}: a program, such as a notebook, has the file open; close it there (adata.file.close(), or end the "
            "notebook's kernel), or, if nothing writes to it, set HDF5_USE_FILE_LOCKING=FALSE"
        )
    if "unable to lock file" in reason:
        return InputError(
            f"{path}: its file system does not lock files ({os.strerror(error.errno or errno.ENOLCK)}); set "
            "HDF5_USE_FILE_LOCKING=FALSE"
        )
    return InputError(f"{path}: the HDF5 file is damaged or incomplete ({error}); fetch it again")


def mark(file: h5py.File) -> None:
    """Mark a file as written by zipo."""
    file.attrs[MARK] = __version__


def is_marked(path: Path) -> bool:
    """Whether zipo has written this file, and no one since; InputError for one that cannot be opened."""
    if not h5py.is_hdf5(path):
        return False
    with open_hdf5(path) as file:
        return MARK in file.attrs


@contextmanager
def create_hdf5(path: Path) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """A new HDF5 file to write, and a function to be called now and then, which raises OSError once the disk is full.

    HDF5 ends the process where it cannot write a file to the end. Each of its writes therefore seems to succeed, and
    the failure is raised by the function or, at the latest, when the file is closed.
    """
    with _Target(path, "w+b") as target:
        try:
            with h5py.File(target, "w") as file:
                yield file, target.check
        finally:
            target.check()


class _Target(io.FileIO):
    """File on disk for HDF5 that never fails to write: it keeps the first failure, and in memory what came after it."""

    def __init__(self, path: Path, mode: str) -> None:
        super().__init__(path, mode)
        self.failure: BaseException | None = None
        self._lost: list[tuple[int, bytes]] = []  # HDF5 reads its own tables again

    def write(self, data: Any) -> int:
        """Write bytes, or keep them in memory after a failure; their number, in either case."""
        start, rest = self.tell(), memoryview(data).cast("B")
        end = start + len(rest)
        try:
            while rest:
                rest = rest[super().write(rest) :]
        except BaseException as error:  # of a signal, too, in place of which HDF5 would raise its own
            self.failure = self.failure or error
        if self.failure is not None:
            self._lost.append((start, bytes(data)))
            self.seek(end)
        return len(data)

    def readinto(self, buffer: Any) -> int:
        """Read bytes into a buffer, also those that are in memory alone; their number."""
        start, view = self.tell(), memoryview(buffer).cast("B")
        view[:] = bytes(len(view))
        super().readinto(view)
        for place, data in self._lost:
            first, last = max(start, place), min(start + len(view), place + len(data))
            if first < last:
                view[first - start : last - start] = data[first - place : last - place]
        self.seek(start + len(view))
        return len(view)

    def check(self) -> None:
        """Raise what kept bytes from being written."""
        if self.failure is not None:
            raise self.failure


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
    place = f"{dataset.file.filename}: {dataset.name}"
    blocks = [as_csr(dataset[start : start + step], place) for start in range(0, rows, step)]
    return vstack(blocks, format="csr") if blocks else csr_matrix((rows, columns), dtype=np.float32)
