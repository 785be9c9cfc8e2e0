"""Matrix Market files of counts, plain or gzipped, checked entry by entry.

A matrix can have 120 million entries, so it is parsed in blocks of text into arrays of the final types, and becomes
CSR without a copy if it is sorted by cell: its peak is then three arrays of four bytes an entry. scipy's reader is not
used: in a file of integers it takes 1.5 for 1, it overlooks whatever follows the third field of a line, and it adds
duplicate entries up.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix, csr_matrix

from zipo.datasets.counts import LARGEST, hint_of_fractions
from zipo.datasets.formats.contents import check_size
from zipo.datasets.formats.text import Binary, opened_bytes
from zipo.shared.errors import InputError

BLOCK = 1 << 25  # bytes of text parsed at once: some two million entries
LARGEST_OF_DEPOSITS = 1 << 24  # up to here float32 holds every whole number; more molecules of a gene no cell has
FIELDS = ("integer", "real", "unsigned-integer")  # scipy writes the last of unsigned integers
TYPES = {"gene": np.int64, "cell": np.int64, "count": np.float64}
CHARACTERS_OF_NUMBERS = b"0123456789+-.eE \t\r\n"
ENTRY = re.compile(rb"[ \t]*([+-]?[0-9]{1,18}[ \t]+){2}[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,2})?[ \t\r]*")
Entries = tuple[np.ndarray, np.ndarray, np.ndarray]  # gene and cell, counted from one, and count of each line


def read_matrix_market(
    path: Path, genes: int, cells: int, names: str, largest: float = LARGEST_OF_DEPOSITS
) -> csr_matrix:
    """A file of whole counts (genes x cells) as canonical CSR of float32 (cells x genes), without stored zeros.

    `names` says in errors which files the number of genes and cells is from, and `largest` is the largest count; those
    above 2^24 are rounded to the nearest float32, as in all formats. Entries may come in any order; those
    that are sorted by cell, as 10x writes them, take a quarter less memory. Raises InputError, with the line, for a
    header of another kind or size, lines that are not three numbers, entries outside of the matrix, counts that are
    negative, not whole or too large, entries that are there twice, and more or fewer of them than announced.
    """
    with opened_bytes(path) as file:
        size, first = _header(file, path, genes, cells, names)
        counts = _sparse(file, first, genes, cells, size, largest, path)
    counts.sort_indices()
    if not counts.has_canonical_format:
        raise _duplicate(counts, first, path)
    counts.eliminate_zeros()
    return counts


def _header(file: Binary, path: Path, genes: int, cells: int, names: str) -> tuple[int, int]:
    """The number of entries, and the number of the line on which they begin."""
    banner = file.readline(200).decode("utf-8-sig", errors="replace")
    if not banner:
        raise InputError(f"{path}: the file is empty; fetch or write it again")
    if banner.lower().split() not in (["%%matrixmarket", "matrix", "coordinate", field, "general"] for field in FIELDS):
        raise InputError(
            f"{path}: line 1 is not '%%MatrixMarket matrix coordinate integer general' (or {' or '.join(FIELDS[1:])}) "
            f"but {banner.strip()!r}; write the counts as such, in Python by scipy.io.mmwrite({path.name!r}, "
            "scipy.sparse.coo_matrix(counts), symmetry='general')"
        )
    number, line = 2, file.readline()
    while line.startswith(b"%") or line.isspace():
        number, line = number + 1, file.readline()
    fields = line.split()
    if len(fields) != 3 or not all(field.isdigit() for field in fields):
        raise InputError(
            f"{path}: line {number} is {_shown(line)}, but the numbers of genes, cells and entries are expected"
        )
    *shape, size = map(int, fields)
    if size > shape[0] * shape[1]:
        raise InputError(f"{path}: line {number} announces {size} entries in a matrix of {shape[0]} x {shape[1]}")
    check_size(shape, genes, cells, f"{path}: line {number}, beside {names}")
    return size, number + 1


def _blocks(file: Binary, line: int) -> Iterator[tuple[int, bytes]]:
    """The lines that follow in blocks, without the last one's end, and the number of each block's first line.

    Blank lines at the end of the file are dropped.
    """
    rest = b""
    while text := file.read(BLOCK):
        lines, newline, rest = (rest + text).rpartition(b"\n")
        block = lines.rstrip()
        if not block:
            rest = lines + newline + rest
            continue
        yield line, block
        line += block.count(b"\n") + 1
        # blank lines wait with the rest until something follows them
        rest = (lines[len(block) :] + newline + rest).partition(b"\n")[2]
    if last := rest.rstrip():
        yield line, last


def _parse(block: bytes, line: int, path: Path) -> Entries:
    """The entries of a block; InputError names the first line that is none."""
    last = line + block.count(b"\n")
    reason = "there is more on a line than three numbers"
    # pandas takes True for 1 and ends a number at a zero byte
    if not block.translate(None, CHARACTERS_OF_NUMBERS):
        try:
            table = pd.read_csv(
                io.BytesIO(block),
                sep=r"\s+",
                header=None,
                names=list(TYPES),
                dtype=TYPES,
                na_filter=False,
                low_memory=False,
                quoting=csv.QUOTE_NONE,
            )
            # a fourth field on every line would become the index, and blank lines would shift the numbers of lines
            if isinstance(table.index, pd.RangeIndex) and line + len(table) == last + 1:
                return table["gene"].to_numpy(), table["cell"].to_numpy(), table["count"].to_numpy()
        except (ValueError, OverflowError) as error:
            reason = str(error).strip()
    for number, text in enumerate(block.split(b"\n"), line):
        if not ENTRY.fullmatch(text):
            raise InputError(
                f"{path}: line {number} is {_shown(text)}, but three numbers are expected: gene, cell, count"
            )
    raise InputError(f"{path}: lines {line} to {last} cannot be parsed ({reason})")


def _sparse(file: Binary, first: int, genes: int, cells: int, size: int, largest: float, path: Path) -> csr_matrix:
    """CSR (cells x genes) of the entries; genes are not sorted, duplicates not yet refused."""
    counts = np.empty(size, dtype=np.float32)
    gene_of, cell_of = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
    entries_of = np.zeros(cells, dtype=np.int64)
    filled, in_order = 0, True
    for line, block in _blocks(file, first):
        gene, cell, count = _parse(block, line, path)
        _refuse_wrong(gene, cell, count, line, genes, cells, largest, path)
        if filled + len(gene) > size:
            raise InputError(f"{path}: line {line + size - filled} is one entry more than the {size} of the header")
        span = slice(filled, filled + len(gene))
        gene_of[span], cell_of[span], counts[span] = gene - 1, cell - 1, count
        cells_in_file = cell_of[max(filled - 1, 0) : span.stop]  # with the last one of the block before
        in_order = in_order and bool((cells_in_file[1:] >= cells_in_file[:-1]).all())
        entries_of += np.bincount(cell - 1, minlength=cells)
        filled = span.stop
    if filled != size:
        raise InputError(
            f"{path}: the file ends with line {first + filled - 1} and {filled} entries, but the header says {size}; "
            "it is truncated: fetch it again"
        )
    if in_order:
        starts = np.zeros(cells + 1, dtype=np.int32 if size < 2**31 else np.int64)
        np.cumsum(entries_of, out=starts[1:])
        return csr_matrix((counts, gene_of, starts), shape=(cells, genes))
    unsorted = coo_matrix((counts, (cell_of, gene_of)), shape=(cells, genes))
    unsorted.has_canonical_format = True  # else tocsr adds duplicates up, which are to be refused
    return unsorted.tocsr()


def _refuse_wrong(
    gene: np.ndarray,
    cell: np.ndarray,
    count: np.ndarray,
    line: int,
    genes: int,
    cells: int,
    largest: float,
    path: Path,
) -> None:
    """Raise InputError for the first entry of a block that lies outside of the matrix or is no count."""
    outside = (gene < 1) | (gene > genes) | (cell < 1) | (cell > cells)
    fraction = count != np.rint(count)
    wrong = outside | fraction | (count < 0) | (count > largest)
    if not wrong.any():
        return
    at = int(wrong.argmax())
    if outside[at]:
        raise InputError(
            f"{path}: line {line + at} is about gene {gene[at]} of {genes} and cell {cell[at]} of {cells}, "
            "which lies outside the matrix"
        )
    bounds = "" if largest == LARGEST else f" from 0 to {largest}"
    hint = hint_of_fractions(count) if fraction.any() else ""
    raise InputError(
        f"{path}: line {line + at} has {count[at]:.15g} where a count is expected, a whole number{bounds}{hint}; "
        "raw counts are needed"
    )


def _duplicate(counts: csr_matrix, first: int, path: Path) -> InputError:
    """The error for the first entry that occurs twice, with its lines, for which the file is read again."""
    for row in range(counts.shape[0]):
        columns = counts.indices[counts.indptr[row] : counts.indptr[row + 1]]
        again = np.flatnonzero(columns[1:] == columns[:-1])
        if len(again):
            break
    one, other = int(columns[again[0]]) + 1, row + 1
    lines: list[int] = []
    with opened_bytes(path) as file:
        for _ in range(1, first):
            file.readline()
        for line, block in _blocks(file, first):
            gene, cell, _ = _parse(block, line, path)
            lines += (line + np.flatnonzero((gene == one) & (cell == other))).tolist()
    where = " and ".join(map(str, lines))
    return InputError(f"{path}: lines {where} are about the same entry, gene {one} of cell {other}; only one can be")


def _shown(line: bytes) -> str:
    """A line, which may be anything, as an error quotes it."""
    return repr(line[:60].decode(errors="replace").strip("\r\n"))
