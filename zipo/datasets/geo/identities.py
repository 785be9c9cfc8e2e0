"""The cell types of the liver deposit: groups of barcodes, read leniently since no count depends on them."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from zipo.datasets.formats.label_table import SEPARATORS, counted, fields_of, is_missing, key_of
from zipo.datasets.geo.soft import read_lines
from zipo.shared.errors import InputError

BARCODE = re.compile(r"([ACGTN]{4,})(?:[-._]([0-9]+))?")  # the sequence, and the library it is from
# parts of the name of a column of groups, the surest first
GROUPS = (
    "group",
    "cluster",
    "celltype",
    "annotation",
    "identity",
    "label",
    "population",
    "subset",
    "type",
    "class",
)
Resolve = Callable[[str], str | None]


def read_identities(path: Path, barcodes: Sequence[str], column: str) -> tuple[pd.Categorical, list[str]]:
    """The group of each barcode, missing where there is none, and remarks on whatever could not be read.

    `column` is what the groups are called in remarks. Fields may be separated by tabs, commas, semicolons or blanks,
    and quoted; names or numbers of rows, notes, further columns and no header at all may be there. Barcodes may lack
    their library where one library alone has them.
    """
    try:
        groups, remarks = _read(read_lines(path), list(barcodes), path.name, column)
    except InputError as error:  # absent, empty, damaged, no table of barcodes
        groups, remarks = {}, [f"{error}; no cell has a {column} from it, all counts are kept"]
    return pd.Categorical([groups.get(barcode) for barcode in barcodes]), remarks


def _read(lines: list[str], barcodes: list[str], place: str, column: str) -> tuple[dict[str, str | None], list[str]]:
    """Groups by barcode, and remarks."""
    resolve = _resolver(barcodes)
    separator, first = _layout(lines, resolve)
    if first is None:
        raise InputError(f"{place}: no line has a barcode of the counts, such as {barcodes[0]!r}, beside a group")
    rows = [line for line in lines[first:] if line.strip()]
    table = [fields_of(row, separator) for row in rows]
    width = Counter(map(len, table)).most_common(1)[0][0]
    columns = [[row[at] if at < len(row) else "" for row in table] for at in range(width)]
    known = [sum(resolve(name) is not None for name in values) for values in columns]
    above = [line for line in lines[:first] if line.strip()]
    header = _header(fields_of(above[-1], separator) if above else [], width, known)
    names = list(map(key_of, header))
    at = max(range(width), key=lambda j: (known[j], names[j].startswith("barcode")))
    candidates = [j for j in range(width) if not known[j] and _can_be_groups(columns[j], names[j])]
    if not candidates:
        raise InputError(f"{place}: no column of groups stands beside the barcodes")
    group = _group_column(candidates, names, at)
    remarks = []
    if len(candidates) > 1 and names[group] != "group":
        called = f"{header[group]!r}" if header[group] else f"number {group + 1}"
        remarks.append(f"{place}: {column} is its column {called}, one of {len(candidates)} that could be")
    # text beyond the last name belongs to it, as in: T cells, naive
    open_ended = separator != "\t" and any(names) and not any(names[group + 1 :])
    values = [
        _tail(row, separator, group) if open_ended and any(fields[group + 1 :]) else value
        for row, fields, value in zip(rows, table, columns[group], strict=True)
    ]
    return _by_barcode(columns[at], values, _resolver(barcodes, columns[at]), place, remarks)


def _resolver(barcodes: list[str], named: Sequence[str] = ()) -> Resolve:
    """The function from a barcode as written in the table to the counts' barcode, None if it is none or may be two.

    If `named`, the barcodes of the table, all end in -1 and some of them are no barcodes of the counts, that is the
    ending every library has by itself, and says nothing.
    """
    known = set(barcodes)
    barcode_by_sequence: dict[str, str | None] = {}
    for barcode in barcodes:
        sequence = barcode.rpartition("-")[0] or barcode
        barcode_by_sequence[sequence] = None if sequence in barcode_by_sequence else barcode
    own = bool(named) and all(name.endswith("-1") for name in named) and not known.issuperset(named)

    def resolve(name: str) -> str | None:
        if name in known and not own:
            return name
        parts = BARCODE.fullmatch(name)
        if parts is None or (parts[2] and not own):
            same = f"{parts[1]}-{parts[2]}" if parts else ""  # R writes points for dashes
            return same if same in known else None
        return barcode_by_sequence.get(parts[1])

    return resolve


def _layout(lines: list[str], resolve: Resolve) -> tuple[str, int | None]:
    """The separator with which most lines have a barcode beside another field, and the first line of barcodes."""
    most, chosen = 0, ("\t", None)  # type: tuple[int, tuple[str, int | None]]
    for separator in SEPARATORS:
        rows = [fields_of(line, separator) for line in lines]
        hits = sum(len(row) > 1 and any(resolve(field) for field in row) for row in rows)
        if hits > most:
            first = next(i for i, row in enumerate(rows) if any(resolve(f) or BARCODE.fullmatch(f) for f in row))
            most, chosen = hits, (separator, first)
    return chosen


def _header(header: list[str], width: int, known: list[int]) -> list[str]:
    """A name for each column, "" where the header has none; R's header lacks the one of the rows' names."""
    barcodes = known.index(max(known))
    if len(header) == width - 1 and not "".join(map(key_of, header[barcodes : barcodes + 1])).startswith("barcode"):
        header = ["", *header]
    return (header + [""] * width)[:width]


def _tail(line: str, separator: str, column: int) -> str:
    """The text of a line from a column on, which no quotes hold together."""
    fields = line.split() if separator == " " else line.split(separator)
    return separator.join(fields[column:]).strip(separator + " ")


def _can_be_groups(values: list[str], name: str) -> bool:
    """Whether a column may be groups: it is not blank, and does not number the rows under no name."""
    if not any(values):
        return False
    numbers = [str(i) for i in range(len(values) + 1)]
    return not (name in ("", "x", "index", "unnamed0") and values in (numbers[:-1], numbers[1:]))


def _group_column(candidates: list[int], names: list[str], barcodes: int) -> int:
    """The column of groups: by its name, or else the first behind the barcodes, or else the first."""
    for part in GROUPS:
        for at in candidates:
            if part in names[at]:
                return at
    return next((at for at in candidates if at > barcodes), candidates[0])


def _by_barcode(
    named: list[str], values: list[str], resolve: Resolve, place: str, remarks: list[str]
) -> tuple[dict[str, str | None], list[str]]:
    """Groups by the counts' barcodes, and remarks on rows that give none."""
    groups: dict[str, str | None] = {}
    unknown, contradicted = [], []
    for name, value in zip(named, values, strict=True):
        barcode = resolve(name)
        if barcode is None:
            unknown.append(name)
        elif is_missing(value):
            groups.setdefault(barcode, None)
        elif groups.get(barcode) in (None, value) and barcode not in contradicted:
            groups[barcode] = value
        elif barcode not in contradicted:
            contradicted.append(barcode)
            groups[barcode] = None
    for problem, names in (
        ("barcodes without counts, or with counts in several libraries and no library named", unknown),
        ("barcodes of several groups", contradicted),
    ):
        if names:
            remarks.append(f"{place}: {problem}, which are left out: {counted(names, len(named))}")
    return groups, remarks
