"""One plate of the myeloma deposit: a dense table of genes x wells, made sparse."""

import csv
import gzip
import io
from collections import Counter

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from zipo.datasets.formats.label_table import fields_of, separator_of
from zipo.datasets.geo.soft import DAMAGED, decoded
from zipo.shared.errors import InputError

LARGEST_COUNT = 1 << 24  # up to here float32 holds every whole number


def unpacked(content: bytes, name: str, place: str) -> bytes:
    """The text of a member of the tar, gzipped or not, in UTF-8, with tabs between fields and none behind the last.

    `place` names it in errors. Raises InputError where it is damaged or holds no rows.
    """
    text = content
    if name.lower().endswith(".gz"):
        try:
            text = gzip.decompress(content)
        except DAMAGED as error:
            raise InputError(f"{place}: the gzip is damaged ({error}); fetch the tar again") from error
    if text[:3] == b"\xef\xbb\xbf" or text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = decoded(text).encode()
    # a plate is 20 MB of text, so what is seldom there is looked for first
    for old, new in ((b"\r\n", b"\n"), (b"\r", b"\n"), (b'"', b"")):
        text = text.replace(old, new) if old in text else text
    text = text.strip(b"\n")
    if not text.partition(b"\n")[2].strip():
        raise InputError(f"{place}: the file is empty; fetch the tar again")
    separator = separator_of(text.split(b"\n", 2)[1].decode(errors="replace"))
    if separator == " ":
        text = b"\n".join(b"\t".join(line.split()) for line in text.split(b"\n"))
    elif separator != "\t":
        text = text.replace(separator.encode(), b"\t")
    while b"\t\n" in text:
        text = text.replace(b"\t\n", b"\n")
    return text.rstrip(b"\t")


def header_of(text: bytes) -> list[str]:
    """The fields of a plate's first line."""
    return fields_of(text.partition(b"\n")[0].decode(errors="replace"), "\t")


def read_plate(text: bytes, place: str) -> tuple[list[str], list[str], csr_matrix]:
    """Wells, genes and counts (wells x genes) of an unpacked table: genes in rows, with or without a corner cell."""
    names, body = header_of(text), text.partition(b"\n")[2]
    columns = body.partition(b"\n")[0].count(b"\t")
    wells = names[1:] if len(names) == columns + 1 else names
    if len(wells) != columns:
        raise InputError(
            f"{place}, line 2: {columns + 1} fields, but the {len(names)} wells need a gene and theirs; fetch the tar "
            "again"
        )
    table = _parse(body, wells, place)
    genes, values = [gene.strip() for gene in table.iloc[:, 0]], table.iloc[:, 1:].to_numpy()
    for names, kind in ((wells, "well"), (genes, "gene")):
        name, times = Counter(names).most_common(1)[0]
        if times > 1:
            line = 1 if kind == "well" else 2 + len(genes) - 1 - genes[::-1].index(name)
            raise InputError(
                f"{place}, line {line}: {kind} {name!r} occurs more than once, but each must be there once; fetch the "
                "tar again"
            )
    wrong = (values < 0) | (values > LARGEST_COUNT)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"{place}, line {row + 2}: gene {genes[row]!r} has {values[row, column]:.15g} counts in well "
            f"{wells[column]!r}; 0 to {LARGEST_COUNT} are expected; fetch the tar again"
        )
    return wells, genes, csr_matrix(values.T.astype(np.float32))


def _parse(body: bytes, wells: list[str], place: str) -> pd.DataFrame:
    """A plate's rows: gene, then a whole number for each well; InputError names the first that is none."""
    reason = ""
    for kind in (np.int64, np.float64):  # R writes 100000 as 1e+05
        try:
            with np.errstate(invalid="ignore"):  # "inf" as a whole number
                table = pd.read_csv(
                    io.BytesIO(body),
                    sep="\t",
                    header=None,
                    names=range(len(wells) + 1),
                    dtype={0: str} | dict.fromkeys(range(1, len(wells) + 1), kind),
                    na_filter=False,
                    low_memory=False,
                    quoting=csv.QUOTE_NONE,
                    encoding_errors="replace",
                )
        except (ValueError, OverflowError) as error:
            reason = str(error).strip()
            continue
        values = table.iloc[:, 1:].to_numpy()
        if len(table) != body.rstrip().count(b"\n") + 1:
            reason = "blank lines"
        elif kind is np.int64 or (values == np.rint(values)).all():
            return table
    for number, line in enumerate(body.decode(errors="replace").rstrip().split("\n"), start=2):
        gene, *values = line.split("\t")
        if len(values) != len(wells):
            raise InputError(
                f"{place}, line {number}: gene {gene!r} has {len(values)} counts for {len(wells)} wells; fetch the tar "
                "again"
            )
        for well, value in zip(wells, values, strict=True):
            if not _is_whole(value):
                raise InputError(
                    f"{place}, line {number}: gene {gene!r} has {value!r} in well {well!r}, no whole number; fetch the "
                    "tar again"
                )
    raise InputError(f"{place}: the table cannot be parsed ({reason}); fetch the tar again")


def _is_whole(value: str) -> bool:
    try:
        return float(value).is_integer()
    except ValueError:
        return False
