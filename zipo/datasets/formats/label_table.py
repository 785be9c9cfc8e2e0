"""Tables about cells or genes as people write them: whichever separator, quotes, notes on top, names of rows."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from zipo.shared.errors import InputError

SEPARATORS = ("\t", ",", ";", " ")  # a blank stands for any white space
MISSING_VALUES = {"", "na", "nan", "n/a", "#n/a", "<na>", "none", "null"}  # as R, pandas, Excel and people write them
TOP = 200  # lines among which the header is looked for


class LabelTable(NamedTuple):
    """The rows of a table about cells, in its order."""

    names: list[str]
    """Name of each row's cell, "" where it has none."""
    values: list[dict[str, str]]
    """Text by column; nothing of rows with more or fewer fields than others, whose columns cannot be told."""
    columns: list[str]
    """The wanted columns that the table has."""
    ragged: list[str]
    """Names of the rows with more or fewer fields than others."""


def read_label_table(lines: Sequence[str], columns: Mapping[str, str], place: str) -> LabelTable:
    """Read a table whose header names columns about cells.

    `columns` maps the names of the result's columns to those in the table. The first of them names the cells; in the
    table it may also have _ID behind its name, or be the first column and have no name. `place` names the table in
    errors. Raises InputError where no header names the cells.
    """
    keys = {key_of(name): column for column, name in columns.items()}
    cell = next(iter(columns))
    keys |= {f"{key_of(columns[cell])}id": cell}
    number, separator = _header(lines, keys, cell)
    header = fields_of(lines[number], separator)
    rows = [fields_of(line, separator) for line in lines[number + 1 :] if line.strip()]
    usual = Counter(map(len, rows)).most_common(1)[0][0] if rows else len(header)
    named = cell in map(keys.get, map(key_of, header)) or not header[0]
    # R writes no name above the rows' names; a blank last field is but a separator at the end of the line
    if usual == len(header) + 1 and not (named and sum(not row[-1] for row in rows) > len(rows) / 2):
        header = ["", *header]
    known = [keys.get(key_of(name)) for name in header]
    if cell not in known and header[0] == "":
        known[0] = cell
    if cell not in known:
        raise InputError(
            f"{place}, line {number + 1}: no column {columns[cell]!r}, which must name the cells; there are "
            f"{', '.join(filter(None, header))[:200]}; fetch the file again"
        )
    at = {column: known.index(column) for column in columns if column in known}
    del at[cell]
    name_column = known.index(cell)
    table = LabelTable([], [], list(at), [])
    for row in rows:
        name = row[name_column] if name_column < len(row) else ""
        complete = len(row) >= usual and not any(row[max(usual, len(header)) :]) and not any(header[len(row) :])
        table.names.append(name)
        table.values.append({column: row[i] for column, i in at.items()} if complete else {})
        if not complete:
            table.ragged.append(name)
    return table


def fields_of(line: str, separator: str) -> list[str]:
    """The fields of a line, without quotes and blanks around them."""
    if separator == " ":
        line = " ".join(line.split())
    fields = next(csv.reader([line], delimiter=separator)) if '"' in line else line.split(separator)
    return [_bare(field) for field in fields]


def separator_of(line: str) -> str:
    """The first of the separators that stands in the line; a tab if there is none."""
    return next((separator for separator in SEPARATORS if separator in line.strip()), "\t")


def is_missing(value: str) -> bool:
    """Whether a field is blank or says that its value is missing."""
    return value.lower() in MISSING_VALUES


def key_of(name: str) -> str:
    """A column's name in small letters and digits alone: cell.type, Cell Type and cell_type are one."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def counted(names: Sequence[str], total: int | None = None) -> str:
    """The number of names, of `total` if given, and the first of them, in the words of a remark."""
    return f"{len(names):,}{f' of {total:,}' if total else ''}, the first is {names[0]!r}"


def _header(lines: Sequence[str], keys: Mapping[str, str], cell: str) -> tuple[int, str]:
    """The index of the line that names most of the columns, and its separator; the first line if none names any."""
    most, best = 0, (0, separator_of(lines[0]))
    for number, line in enumerate(lines[:TOP]):
        for separator in SEPARATORS:
            names = {keys.get(key_of(field)) for field in fields_of(line, separator)} - {None}
            # the cells may be named below no name
            if len(names) > most and (cell in names or len(names) > 1):
                most, best = len(names), (number, separator)
    return best


def _bare(field: str) -> str:
    field = field.strip()
    if len(field) > 1 and field[0] == field[-1] and field[0] in "\"'":
        field = field[1:-1].strip()
    return field
