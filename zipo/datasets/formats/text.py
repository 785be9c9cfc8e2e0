"""Text files, plain or gzipped: opened, read in blocks of lines, and turned into numbers, strictly."""

import csv
import gzip
import re
import shlex
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from itertools import count
from pathlib import Path
from typing import IO

import numpy as np

from zipo.datasets.formats.foreign import refuse_page, refuse_unreadable
from zipo.shared.errors import InputError
from zipo.shared.wording import words

BLOCK = 8_000_000  # characters of text parsed at once; as numbers they take at most four times as much
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
BLANKS = ("", "na", "n/a", "nan", "null", "none", "-", ".")  # what people write where nothing was counted
THOUSANDS = re.compile(r"[+-]?\d{1,3}([ ,.'_]\d{3})+")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d*")
Binary = gzip.GzipFile | BufferedReader


@contextmanager
def opened_bytes(path: Path) -> Iterator[Binary]:
    """The bytes of a text file, read through gzip if the first of them say so.

    Raises InputError, also while it is read, for damaged gzip and what refuse_unreadable does.
    """
    refuse_unreadable(path)
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        if path.suffix == ".gz" and not zipped:
            raise InputError(f"{path}: not gzip, though its name says so; fetch it again, or rename it")
        raw.seek(0)
        binary = gzip.GzipFile(fileobj=raw) if zipped else raw
        try:
            refuse_page(binary.peek(64), path)
            yield binary
        except EOFError:
            raise InputError(f"{path}: the gzip ends too early, so the file is truncated; fetch it again") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"{path}: the gzip is damaged ({error}); fetch it again") from None


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """The text of a file, plain or gzipped; InputError, also while it is read, as opened_bytes and if not UTF-8."""
    with opened_bytes(path) as binary:
        try:
            with TextIOWrapper(binary, encoding="utf-8-sig", newline=None) as text:
                yield text
        except UnicodeDecodeError as error:
            with path.open("rb") as file:
                encoding = "UTF-16" if file.read(2) in UTF_16 else "LATIN1"
            hint = words(python="", command_line="", study=", or correct format")
            raise InputError(
                f"{path}: not UTF-8 text ({error.reason}); convert it, as by iconv -f {encoding} -t UTF-8{hint}"
            ) from None


def blocks(file: IO[str], first: int) -> Iterator[tuple[int, list[str]]]:
    """The lines that follow, without their ends, in blocks with the number of each block's first line.

    Blank lines at the end of the file are dropped.
    """
    blank: list[str] = []
    while lines := file.readlines(BLOCK):
        lines = blank + [line.rstrip("\n") for line in lines]
        end = len(lines)
        while end and not lines[end - 1].strip():
            end -= 1
        blank = lines[end:]
        if end:
            yield first, lines[:end]
            first += end


def numbers(
    lines: list[str], first: int, path: Path, separator: str, header: Sequence[str], columns: Sequence[int] | None
) -> np.ndarray:
    """The numbers of a block of lines (lines x columns): int64 if all are whole, otherwise float64.

    - `lines`: without the name at the beginning of each; `first`: the number of the first in the file.
    - `header`: names of all columns, that of the names first.
    - `columns`: which fields of `lines` to take; all if None.

    Raises InputError naming line and column.
    """

    def parse(kind: type) -> np.ndarray:
        return np.loadtxt(lines, kind, comments=None, delimiter=separator, usecols=columns, ndmin=2, quotechar='"')

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # older numpy cuts fractions off with a warning only
        try:
            block = parse(np.int64)  # eight times faster than floats
        except (ValueError, Warning):
            try:
                block = parse(np.float64)
            except (ValueError, Warning) as error:
                raise _no_numbers(lines, first, path, separator, header, columns, str(error)) from None
    if len(block) != len(lines):
        blank = next(i for i, line in enumerate(lines) if not line.strip())
        raise InputError(f"{path}: line {first + blank} is blank, but a row of numbers was expected")
    return block


def rows(path: Path) -> list[list[str]]:
    """All fields of a small table with a header, separated by tabs or commas.

    Raises InputError for a line whose number of fields differs from the header's.
    """
    with opened(path) as file:
        line = file.readline()
        separator = separator_of(line, path)
        header = next(csv.reader([line], delimiter=separator))
        table: list[list[str]] = []
        reader = csv.reader(file, delimiter=separator)
        for fields in filter(None, reader):
            if not table:
                header = with_corner(header, len(fields))
            if len(fields) != len(header):
                raise ragged(path, reader.line_num + 1, len(fields), len(header))
            table.append(fields)
    return [header, *table]


def with_corner(header: list[str], width: int) -> list[str]:
    """The header of rows this wide, with an empty corner where, as R writes it, it names only the columns after it."""
    return ["", *header] if len(header) == width - 1 else header


def separator_of(header: str, path: Path) -> str:
    """Tab, comma or space, the first of these that the header has; InputError for semicolons and comments."""
    if not header.strip():
        raise InputError(f"{path}: line 1 is blank, but names of columns were expected")
    if header.startswith("# Program:featureCounts"):
        start = "gzip -dc" if path.suffix == ".gz" else "cat"
        raise InputError(
            f"{path}: line 1 is the comment that featureCounts writes, and columns 2 to 6 of its table are about "
            f"genes; take these away, as by {start} {shlex.quote(str(path))} | tail -n +2 | cut -f1,7- > counts.tsv"
        )
    if 0 < header.count(";") >= max(header.count(","), header.count("\t")):
        change = r"tr ';' '\t' <" if "," in header else "sed 's/;/,/g'"
        raise InputError(
            f"{path}: line 1 has semicolons between fields, but tabs, commas or spaces are read; change them, as by "
            f"{change} {shlex.quote(str(path))} > changed.csv"
        )
    for separator in "\t, ":
        if separator in header.strip():
            return separator
    raise InputError(f"{path}: line 1 has no tab, comma or space between fields, so this is no table of counts")


def ragged(path: Path, line: int, number: int, expected: int, separator: str = "") -> InputError:
    """The error for a line with another number of fields."""
    fields = f"{number} field{'s' * (number != 1)}, but {expected} were expected"
    hint = "; should names have spaces, put them in quotes, or separate the fields by tabs" * (separator == " ")
    return InputError(f"{path}: line {line} has {fields}{hint}")


def _no_numbers(
    lines: list[str],
    first: int,
    path: Path,
    separator: str,
    header: Sequence[str],
    columns: Sequence[int] | None,
    reason: str,
) -> InputError:
    """The error for the first field of a block that is no number."""
    expected = None
    for number, line in zip(count(first), lines, strict=False):
        fields = next(csv.reader([line], delimiter=separator))
        expected = expected or len(fields)
        if len(fields) != expected:
            return ragged(path, number, len(fields), expected, separator)
        for column in range(len(fields)) if columns is None else columns:
            try:
                float(fields[column])
            except ValueError:
                problem = f"line {number} has {fields[column]!r} where a count was expected"
                remedy = _remedy(fields[column], header[column + 1], column, separator)
                return InputError(f"{path}: {problem}, in column {header[column + 1]!r}; {remedy}")
    return InputError(f"{path}: among lines {first} to {first + len(lines) - 1}, {reason}")


def _remedy(field: str, name: str, column: int, separator: str) -> str:
    """Advice, for an error, about a field that is no number, and perhaps about all of its column."""
    if not field.strip() and not name.strip():
        return "should the lines end with a separator, take it away"
    if field.strip().lower() in BLANKS:
        return "write 0 where nothing was counted"
    if THOUSANDS.fullmatch(field.strip()):
        return "write thousands without a separator"
    if DECIMAL_COMMA.fullmatch(field.strip()):
        return "that is a decimal comma: counts are whole, as 2 or 2.0"
    return f"correct it, or, should the column hold no counts, take it out, as by {without(column, separator)}"


def without(column: int, separator: str) -> str:
    """The command that takes a column out of a table; the first after the names is 0."""
    number = column + 2
    others = f"-f1{f'-{number - 1}' * (number > 2)},{number + 1}-"
    delimiter = {",": "-d, ", " ": "-d' ' "}.get(separator, "")
    return f"cut {delimiter}{others}"
