"""Text files, plain or gzipped: opened, read in blocks of lines, and turned into numbers, strictly."""

import csv
import gzip
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from itertools import count
from pathlib import Path
from typing import IO

import numpy as np

from zipo.errors import InputError

BLOCK = 8_000_000  # characters of text parsed at once; as numbers they take at most four times as much
PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head")
Binary = gzip.GzipFile | BufferedReader


def refuse_unreadable(path: Path) -> None:
    """Raise InputError if a file is missing, empty, or a web page under the name of a data file."""
    if not path.exists():
        raise InputError(f"{path}: no such file; fetch it, or correct the path in config/datasets.yaml")
    if not path.is_file():
        raise InputError(f"{path}: this is a folder, but a file was expected; only format 10x_mtx is a folder")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes); fetch or write it again")
    with path.open("rb") as file:
        _refuse_page(file.read(64), path)


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
            _refuse_page(binary.peek(64), path)
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
            raise InputError(f"{path}: not UTF-8 text ({error.reason}); convert it, or correct format") from None


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
    lines: list[str], first: int, path: Path, separator: str, columns: Sequence[int] | None = None
) -> np.ndarray:
    """The numbers of a block of lines (lines x columns): int64 if all are whole, otherwise float64.

    `first` is the number of the first line and `columns` which fields to take, all if absent. Raises InputError
    naming the line.
    """

    def parse(kind: type) -> np.ndarray:
        return np.loadtxt(lines, kind, comments=None, delimiter=separator, usecols=columns, ndmin=2, quotechar='"')

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # older numpy cuts fractions off with a warning only
        try:
            found = parse(np.int64)  # eight times faster than floats
        except (ValueError, Warning):
            try:
                found = parse(np.float64)
            except (ValueError, Warning) as error:
                raise _no_numbers(lines, first, path, separator, columns, str(error)) from None
    if len(found) != len(lines):
        blank = next(i for i, line in enumerate(lines) if not line.strip())
        raise InputError(f"{path}: line {first + blank} is blank, but a row of numbers was expected")
    return found


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
    """Tab, comma or space, the first of these that the header has."""
    if not header.strip():
        raise InputError(f"{path}: line 1 is blank, but names of columns were expected")
    for separator in "\t, ":
        if separator in header.strip():
            return separator
    raise InputError(f"{path}: line 1 has no tab, comma or space between fields, so this is no table of counts")


def ragged(path: Path, line: int, found: int, expected: int) -> InputError:
    """The error for a line with another number of fields."""
    return InputError(f"{path}: line {line} has {found} field{'s' * (found != 1)}, but {expected} were expected")


def _refuse_page(start: bytes, path: Path) -> None:
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES):
        raise InputError(f"{path}: this is a web page, not data; look at it in a browser, and fetch the file again")


def _no_numbers(lines, first: int, path: Path, separator: str, columns, reason: str) -> InputError:
    """The error for the first field of a block that is no number."""
    expected = None
    for number, line in zip(count(first), lines, strict=False):
        fields = next(csv.reader([line], delimiter=separator))
        expected = expected or len(fields)
        if len(fields) != expected:
            return ragged(path, number, len(fields), expected)
        for field in fields if columns is None else [fields[column] for column in columns]:
            try:
                float(field)
            except ValueError:
                return InputError(f"{path}: line {number} has {field!r} where a count was expected")
    return InputError(f"{path}: among lines {first} to {first + len(lines) - 1}, {reason}")
