"""Matrix Market files of counts, checked line by line.

scipy's reader is not used: in a file of integers it takes 1.5 for 1, and it overlooks whatever follows the third
field of a line.
"""

from pathlib import Path
from typing import IO

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from zipo.datasets.text import blocks, numbers, opened
from zipo.errors import InputError


def read_matrix_market(path: Path) -> csr_matrix:
    """The transpose of a stored matrix: genes x cells in the file, cells x genes here; entries are not yet checked.

    Raises InputError, with the line, for a header of another kind, entries that are not three numbers or lie outside
    the matrix, and more or fewer entries than the header says.
    """
    with opened(path) as file:
        genes, cells, size, first = _header(file, path)
        row, column = np.empty(size, np.int32), np.empty(size, np.int32)
        values = np.empty(size, np.float32)
        read = 0
        for start, lines in blocks(file, first):
            entries = numbers(lines, start, path, None)
            if entries.shape[1] != 3:
                raise InputError(
                    f"{path}: line {start} has {entries.shape[1]} fields, but gene, cell, count are needed"
                )
            if read + len(entries) > size:
                raise InputError(f"{path}: line {start + size - read} is one entry more than the {size} of the header")
            _refuse_outside(entries, genes, cells, start, path)
            here = slice(read, read + len(entries))
            row[here], column[here], values[here] = entries[:, 0] - 1, entries[:, 1] - 1, entries[:, 2]
            read += len(entries)
    if read < size:
        raise InputError(f"{path}: {read} entries, but the header says {size}; the file is truncated: fetch it again")
    return coo_matrix((values, (column, row)), shape=(cells, genes)).tocsr()


def _header(file: IO[str], path: Path) -> tuple[int, int, int, int]:
    """Rows, columns and entries by the size line, and the number of the line after it."""
    banner = file.readline().lower().split()
    if banner[:3] != ["%%matrixmarket", "matrix", "coordinate"] or banner[3:] not in (
        ["integer", "general"],
        ["real", "general"],
    ):
        raise InputError(
            f"{path}: line 1 is not '%%MatrixMarket matrix coordinate integer general' (or real), so this is no "
            "matrix of counts"
        )
    line, number = file.readline(), 2
    while line.startswith("%") or (line and not line.strip()):
        line, number = file.readline(), number + 1
    fields = line.split()
    if len(fields) != 3 or not all(field.isdecimal() for field in fields):
        raise InputError(f"{path}: line {number} is {line.strip()!r}, but the numbers of genes, cells, entries are due")
    genes, cells, size = map(int, fields)
    if size > genes * cells:
        raise InputError(f"{path}: line {number} announces {size} entries in a matrix of {genes} x {cells}")
    return genes, cells, size, number + 1


def _refuse_outside(entries: np.ndarray, genes: int, cells: int, start: int, path: Path) -> None:
    place = entries[:, :2]
    inside = (place >= 1) & (place <= [genes, cells]) & (place == np.rint(place))
    if not inside.all():
        at = int(np.flatnonzero(~inside.all(axis=1))[0])
        gene, cell = place[at]
        raise InputError(
            f"{path}: line {start + at} is about gene {gene:g} of {genes} and cell {cell:g} of {cells}, "
            "which lies outside the matrix"
        )
