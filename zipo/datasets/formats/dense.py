"""Dense tables of counts as text: genes in rows or in columns, names first, made sparse block by block."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, vstack

from zipo.datasets.catalogue import FileSource
from zipo.datasets.formats.stored import Stored
from zipo.datasets.formats.text import blocks, numbers, opened, ragged, separator_of, with_corner
from zipo.datasets.names import CELL, GENE, matching
from zipo.shared.errors import InputError
from zipo.shared.wording import setting, words

QUOTED = re.compile(r'"((?:[^"]|"")*)"')


def read_table(path: Path, source: FileSource) -> Stored:
    """The counts of a table whose separator is the first of tab, comma and space that its header has.

    With genes in columns, the columns that the source names (cell type, batch, covariates) are taken out of the genes
    unless there is a table of labels. Raises InputError for ragged lines, fields that are no numbers, and names that
    show that genes are not where the source says.
    """
    with opened(path) as file:
        line = file.readline()
        separator = separator_of(line, path)
        header = next(csv.reader([line], delimiter=separator))
        names: list[str] = []
        found: list[csr_matrix] = []
        about: list[list[str]] = []
        for first, lines in blocks(file, 2):
            cut = [_cut(line, separator, number, path) for number, line in enumerate(lines, first)]
            if not names:
                header = with_corner(header, _width(cut[0][1], separator))
                aside = _aside(header, source)
                if len(aside) == len(header) - 1:
                    raise InputError(f"{path}: line 1 names no column of counts beside those about the cells")
                counts = None if not aside else [i for i in range(len(header) - 1) if i not in set(aside)]
            names.extend(name for name, _ in cut)
            rest = [text for _, text in cut]
            _refuse_ragged(rest, first, len(header), separator, path)
            about.extend(_picked(text, aside, separator) for text in rest if aside)
            found.append(csr_matrix(numbers(rest, first, path, separator, header, counts)).astype(np.float32))
    if not found:
        raise InputError(f"{path}: nothing follows line 1, but rows of counts were expected")
    columns = header[1:] if counts is None else [header[1 + i] for i in counts]
    matrix = vstack(found, format="csr")
    del found
    cells, genes = (names, columns) if source.genes_in == "columns" else (columns, names)
    _refuse_swapped(cells, genes, source.genes_in, path)
    if source.genes_in == "rows":
        return Stored(matrix.T.tocsr(), cells, genes)
    obs = pd.DataFrame(about, columns=[header[1 + i] for i in aside], index=cells) if aside else None
    return Stored(matrix, cells, genes, obs=obs)


def _aside(header: list[str], source: FileSource) -> list[int]:
    """Positions after the first of the columns that are about cells, not counts."""
    if source.genes_in == "rows" or source.labels is not None:
        return []
    return [i for i, name in enumerate(header[1:]) if name in source.columns]


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
