"""The myeloma deposit (Ledergor 2018, GSE117156, doi 10.1038/s41591-018-0269-2): 384-well plates in one tar.

A plate is a dense table of some 28,000 genes x 384 wells. One is read at a time, straight from the tar, and made
sparse before the next: all of them dense would be 11 GB.
"""

import csv
import gzip
import io
import re
import tarfile
from collections import Counter
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, vstack

from zipo.datasets.soft import DAMAGED, read_lines
from zipo.errors import InputError

ACCESSION = "GSE117156"
ARCHIVE, METADATA = f"{ACCESSION}_RAW.tar", f"{ACCESSION}_metadata.txt.gz"
COLUMNS = ("well", "Experiment_ID", "Amp_batch_ID", "Number_of_cells")
# prefix_subject_[postRx_]tissue[#n], as in study01_SMM02_postRx_circPC#2
EXPERIMENT = re.compile(r"[^_]+_(?P<subject>[^_]+)(?:_postRx[^_]*)?_(?P<tissue>[^_#]+)(?:#[0-9]+)?")
LARGEST_COUNT = 1 << 24  # up to here float32 holds every whole number


def read_plates(tar: Path, metadata: Path, expected: list[str] | None) -> ad.AnnData:
    """The counts (wells x genes) of all plates in the order of the tar, empty wells included.

    `expected` names the plates that must be in the tar, no more and no less; any are taken if it is None. obs has
    batch (the amplification batch), experiment, subject, condition, tissue and number_of_cells. Raises InputError
    naming the plate, and the line and the gene in it, or the metadata's line, where the deposit contradicts itself.
    """
    table = read_metadata(metadata)
    counts: list[csr_matrix] = []
    wells: dict[str, str] = {}  # the plate of each well
    genes: list[str] = []
    first = ""
    try:
        with tarfile.open(tar, "r:") as archive:
            members = [member for member in archive if member.isfile()]
            _check_members([member.name for member in members], expected, tar.name)
            for member in members:
                place = f"{tar.name}: {member.name}"
                plate_wells, plate_genes, plate = read_plate(archive.extractfile(member).read(), place)  # type: ignore[union-attr]
                if first:
                    _check_same_genes(plate_genes, genes, place, first)
                else:
                    genes, first = plate_genes, member.name
                for well in plate_wells:
                    if well in wells:
                        raise InputError(f"{place}, line 1: well {well!r} is also in {wells[well]}")
                    wells[well] = member.name
                counts.append(plate)
    except FileNotFoundError as error:
        raise InputError(f"{tar.name}: there is no such file in {tar.parent}; fetch it") from error
    except tarfile.TarError as error:
        raise InputError(f"{tar.name}: the tar is damaged ({error}); fetch it again") from error
    _check_wells(wells, table, tar.name, metadata.name)
    obs = table.loc[list(wells)].drop(columns="line")
    for column in obs.columns.drop("number_of_cells"):
        obs[column] = obs[column].astype("category")
    obs.index.name = None
    return ad.AnnData(vstack(counts, format="csr"), obs=obs, var=pd.DataFrame(index=genes))


def read_metadata(path: Path) -> pd.DataFrame:
    """What is known of each well, by its name: obs of the data set, and the line it is from."""
    lines = [line.split("\t") for line in read_lines(path)]
    header = lines[0]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise InputError(f"{path.name}, line 1: no column {missing[0]!r}; there are {', '.join(filter(None, header))}")
    at = [header.index(column) for column in COLUMNS]
    rows: dict[str, dict] = {}
    for number, fields in enumerate(lines[1:], start=2):
        place = f"{path.name}, line {number}"
        if len(fields) < max(at) + 1:
            raise InputError(f"{place}: {len(fields)} fields, but the header has {len(header)}")
        well, experiment, batch, cells = (fields[i] for i in at)
        if not well or well in rows:
            raise InputError(f"{place}: well {well!r} " + ("occurs more than once" if well else "has no name"))
        found = EXPERIMENT.fullmatch(experiment)
        if not found:
            raise InputError(f"{place}: Experiment_ID {experiment!r} does not read prefix_subject_[postRx_]tissue[#n]")
        if not cells.isdecimal():
            raise InputError(f"{place}: Number_of_cells must be a whole number, but is {cells!r}")
        rows[well] = {
            "batch": batch,
            "experiment": experiment,
            "subject": found["subject"],
            "condition": "control" if found["subject"].startswith("hip") else "patient",
            "tissue": found["tissue"],
            "number_of_cells": int(cells),
            "line": number,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def read_plate(packed: bytes, place: str) -> tuple[list[str], list[str], csr_matrix]:
    """Wells, genes and counts (wells x genes) of one gzipped table: genes in rows, with or without a corner cell."""
    try:
        text = gzip.decompress(packed)
    except DAMAGED as error:
        raise InputError(f"{place}: the gzip is damaged ({error}); fetch the tar again") from error
    header, _, body = text.partition(b"\n")
    if not body.strip():
        raise InputError(f"{place}: the file is empty; fetch the tar again")
    names = header.decode(errors="replace").rstrip("\r").split("\t")
    columns = body.partition(b"\n")[0].count(b"\t")
    wells = names[1:] if len(names) == columns + 1 else names
    if len(wells) != columns:
        raise InputError(f"{place}, line 2: {columns + 1} fields, but the {len(names)} wells need a gene and theirs")
    table = _parse(body, wells, place)
    genes, values = table.iloc[:, 0].tolist(), table.iloc[:, 1:].to_numpy()
    for names, kind in ((wells, "well"), (genes, "gene")):
        name, times = Counter(names).most_common(1)[0]
        if times > 1:
            line = 1 if kind == "well" else 2 + len(genes) - 1 - genes[::-1].index(name)
            raise InputError(f"{place}, line {line}: {kind} {name!r} occurs more than once")
    wrong = (values < 0) | (values > LARGEST_COUNT)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"{place}, line {row + 2}: gene {genes[row]!r} has {values[row, column]} counts in well {wells[column]!r}; "
            f"0 to {LARGEST_COUNT} are expected"
        )
    return wells, genes, csr_matrix(values.T.astype(np.float32))


def _parse(body: bytes, wells: list[str], place: str) -> pd.DataFrame:
    """A plate's rows: gene, then a whole number for each well; InputError names the first that is none."""
    try:
        table = pd.read_csv(
            io.BytesIO(body),
            sep="\t",
            header=None,
            names=range(len(wells) + 1),
            dtype={0: str} | dict.fromkeys(range(1, len(wells) + 1), np.int64),
            na_filter=False,
            low_memory=False,
            quoting=csv.QUOTE_NONE,
        )
        if len(table) == body.rstrip().count(b"\n") + 1:  # else there are blank lines
            return table
        reason = "blank lines"
    except (ValueError, OverflowError) as error:
        reason = str(error).strip()
    for number, line in enumerate(body.decode(errors="replace").rstrip().split("\n"), start=2):
        gene, *values = line.rstrip("\r").split("\t")
        if len(values) != len(wells):
            raise InputError(f"{place}, line {number}: gene {gene!r} has {len(values)} counts for {len(wells)} wells")
        for well, value in zip(wells, values, strict=True):
            if not re.fullmatch(r"-?[0-9]{1,18}", value):
                raise InputError(
                    f"{place}, line {number}: gene {gene!r} has {value!r} in well {well!r}, no whole number"
                )
    raise InputError(f"{place}: the table cannot be parsed ({reason})")


def _check_members(found: list[str], expected: list[str] | None, place: str) -> None:
    """Raise InputError unless the tar holds plates, and exactly those that are expected."""
    if not found:
        raise InputError(f"{place}: the tar holds no plates; fetch it again")
    if expected is None:
        return
    for problem, names in (
        ("lacks", sorted(set(expected) - set(found))),
        ("holds unexpectedly", sorted(set(found) - set(expected))),
    ):
        if names:
            raise InputError(
                f"{place}: the tar {problem} {', '.join(names[:3])}{' ...' if len(names) > 3 else ''} "
                f"({len(names)} of {len(expected)} plates of the series); fetch it again"
            )


def _check_same_genes(genes: list[str], others: list[str], place: str, first: str) -> None:
    """Raise InputError for the first row in which a plate differs from the first plate."""
    if genes == others:
        return
    at = next((i for i, pair in enumerate(zip(genes, others, strict=False)) if pair[0] != pair[1]), -1)
    if at >= 0:
        raise InputError(f"{place}, line {at + 2}: gene {genes[at]!r}, but {others[at]!r} in {first}; rows must agree")
    at = min(len(genes), len(others))
    longer, name = (genes, place) if len(genes) > len(others) else (others, first)
    raise InputError(
        f"{place}: {len(genes)} genes, but {len(others)} in {first}: gene {longer[at]!r} is only in {name}"
    )


def _check_wells(wells: dict[str, str], table: pd.DataFrame, tar: str, metadata: str) -> None:
    """Raise InputError for a well that is only in the plates or only in the metadata."""
    for well, plate in wells.items():
        if well not in table.index:
            raise InputError(f"{tar}: {plate}, line 1: well {well!r} is not in {metadata}")
    for well, line in zip(table.index, table["line"], strict=True):
        if well not in wells:
            raise InputError(f"{metadata}, line {line}: well {well!r} is in no plate of {tar}")
