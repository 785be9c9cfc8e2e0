"""Dense tables of counts as text: genes in rows or in columns, names first, made sparse block by block."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, vstack

from zipo.datasets.formats.contents import Contents
from zipo.datasets.formats.text import blocks, numbers, opened, ragged, separator_of, with_corner, without
from zipo.datasets.names import CELL, GENE, LENGTH, matching, refuse_lengths
from zipo.shared.errors import InputError
from zipo.shared.wording import setting, words

QUOTED = re.compile(r'"((?:[^"]|"")*)"')


def read_table(path: Path, genes_in: Literal["rows", "columns"] | None, cell_columns: Sequence[str] = ()) -> Contents:
    """The counts of a table whose separator is the first of tab, comma and space that its header has.

    With genes in columns, `cell_columns` are about the cells (cell type, batch, covariates) and become obs; all other
    columns are genes. Raises InputError for ragged lines, fields that are no numbers, and names that show that genes
    are not where `genes_in` says.
    """
    with opened(path) as file:
        line = file.readline()
        separator = separator_of(line, path)
        header = next(csv.reader([line], delimiter=separator))
        names: list[str] = []
        counts: list[csr_matrix] = []
        about: list[list[str]] = []
        for first, lines in blocks(file, 2):
            cut = [_cut(line, separator, number, path) for number, line in enumerate(lines, first)]
            if not names:
                header = with_corner(header, _width(cut[0][1], separator))
                aside = [i for i, name in enumerate(header[1:]) if genes_in != "rows" and name in cell_columns]
                if len(aside) == len(header) - 1:
                    raise InputError(f"{path}: line 1 names no column of counts beside those about the cells")
                gene_columns = None if not aside else [i for i in range(len(header) - 1) if i not in set(aside)]
            names.extend(name for name, _ in cut)
            rest = [text for _, text in cut]
            _refuse_ragged(rest, first, len(header), separator, path)
            about.extend(_picked(text, aside, separator) for text in rest if aside)
            block = numbers(rest, first, path, separator, header, gene_columns)
            counts.append(csr_matrix(block).astype(np.float32))
    if not counts:
        raise InputError(f"{path}: nothing follows line 1, but rows of counts were expected")
    columns = header[1:] if gene_columns is None else [header[1 + i] for i in gene_columns]
    matrix = vstack(counts, format="csr")
    del counts
    cells, genes = (names, columns) if genes_in == "columns" else (columns, names)
    _refuse_swapped(cells, genes, genes_in, path)
    if genes_in == "rows":
        if LENGTH in cells:
            refuse_lengths(cells, str(path), f"as by {without(cells.index(LENGTH), separator)}")
        return Contents(matrix.T.tocsr(), cells, genes)
    obs = pd.DataFrame(about, columns=[header[1 + i] for i in aside], index=cells) if aside else None
    return Contents(matrix, cells, genes, obs=obs)


def _cut(line: str, separator: str, number: int, path: Path) -> tuple[str, str]:
    """The first field, without its quotes, and the text of the others; InputError for quotes that do not close."""
    if quoted := QUOTED.match(line):
        return quoted[1].replace('""', '"'), line[quoted.end() + 1 :]
    if line.startswith('"'):
        raise InputError(f"{path}: line {number} begins with a quoted name whose quotes do not close on it")
    name, _, rest = line.partition(separator)
    return name, rest


def _picked(text: str, at: list[int], separator: str) -> list[str]:
    fields = next(csv.reader([text], delimiter=separator)) if '"' in text else text.split(separator, max(at) + 1)
    return [fields[i] for i in at]


def _refuse_ragged(rest: list[str], first: int, width: int, separator: str, path: Path) -> None:
    """Raise InputError for the first line that has not as many fields as the header, the name included."""
    for number, text in enumerate(rest, first):
        if (fields := _width(text, separator)) != width:
            raise ragged(path, number, fields, width, separator)


def _width(text: str, separator: str) -> int:
    """The number of fields of a line whose first has been cut off."""
    if not text:
        return 1
    # a separator in quotes is none
    return 1 + (len(next(csv.reader([text], delimiter=separator))) if '"' in text else text.count(separator) + 1)


def _refuse_swapped(cells: Sequence[str], genes: Sequence[str], genes_in: str | None, path: Path) -> None:
    """Raise InputError where the names say plainly that cells are genes, or genes cells."""
    other = "columns" if genes_in == "rows" else "rows"
    for kind, pattern, right, wrong in (("gene", GENE, genes, cells), ("cell", CELL, cells, genes)):
        if len(odd := matching(wrong, pattern)) > len(matching(right, pattern)):
            key = words(python="genes_in", command_line="--genes-in", study="genes_in")
            raise InputError(
                f"{path}: {key} is {genes_in}, but {odd[0]!r} looks like the name of a {kind} and stands on the "
                f"other side; should it be {setting('genes_in', other)}?"
            )
