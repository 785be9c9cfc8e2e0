"""The liver deposit (Zhao 2020, GSE125188, doi 10.1038/s41421-020-0157-z): one 10x matrix and tables of names."""

import re
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from zipo.datasets.formats.contents import unique_genes
from zipo.datasets.formats.label_table import counted, fields_of, key_of, separator_of
from zipo.datasets.formats.matrix_market import read_matrix_market
from zipo.datasets.geo.identities import read_identities
from zipo.datasets.geo.soft import read_lines
from zipo.datasets.remarks import with_remarks
from zipo.shared.errors import InputError

ACCESSION = "GSE125188"
MATRIX, GENES, BARCODES, IDENTITIES = (
    f"{ACCESSION}_CD45+_{name}.gz" for name in ("matrix.mtx", "genes.tsv", "barcodes.tsv", "cell_identities.tsv")
)
SUBSETS = {subset: f"{ACCESSION}_{subset}_cell_identities.tsv.gz" for subset in ("ASC", "B", "Mo", "NKT")}
TISSUES = ("blood", "spleen", "liver")
DONORS = 3
ENSEMBL = re.compile(r"ENS[A-Z]*G[0-9]")
BARCODE = re.compile(r"[ACGTN]{4,}(-[0-9]+)?")
# last names of headers, in letters alone, as people and R write them
HEADERS = {"barcode", "barcodes", "cell", "cells", "x", "v1", "v2", "gene", "genes", "symbol", "genesymbol", "genename"}


def read_liver(folder: Path) -> ad.AnnData:
    """The counts (cells x genes), with gene_id in var, and cell_type, batch (the donor), donor and tissue in obs.

    Where a subset's identities are in the folder, obs["cell_type_<subset>"] has them. A cell without an identity
    has a missing one, and uns["remarks"] says what of the tables of identities could not be read. Raises InputError
    naming file and line where matrix and names contradict each other.
    """
    var = _genes(folder / GENES)
    obs, remarks = _cells(folder / BARCODES)
    subsets = {f"cell_type_{subset}": name for subset, name in SUBSETS.items() if (folder / name).exists()}
    for column, name in {"cell_type": IDENTITIES, **subsets}.items():
        obs[column], more = read_identities(folder / name, obs.index, column)
        remarks += more
    counts = read_matrix_market(folder / MATRIX, len(var), len(obs), f"{GENES} and {BARCODES}")
    return with_remarks(ad.AnnData(counts, obs=obs, var=var), remarks)


def _genes(path: Path) -> pd.DataFrame:
    """Ensembl ids by unique names; where all lines have one field, it is both."""
    rows = _rows(path, ENSEMBL)
    id_column = next((at for at, field in enumerate(rows[0][1]) if ENSEMBL.match(field)), 0)
    symbol_column = id_column + 1 if id_column + 1 < len(rows[0][1]) else max(id_column - 1, 0)
    ids: dict[str, str] = {}
    for number, fields in rows:
        if len(fields) <= max(id_column, symbol_column) or not fields[id_column]:
            line = "\t".join(fields)
            raise InputError(
                f"{path.name}, line {number}: an Ensembl id, a tab and a symbol are expected: {line!r}; fetch it again"
            )
        gene_id = fields[id_column]
        if gene_id in ids:
            raise InputError(f"{path.name}, line {number}: gene {gene_id!r} occurs more than once; fetch it again")
        ids[gene_id] = fields[symbol_column]
    return pd.DataFrame({"gene_id": list(ids)}, index=unique_genes(list(ids.values()), list(ids)))


def _cells(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Donor and tissue by barcode: its suffix -k counts the libraries, k = 1 to 9, by donor and then by tissue.

    This order is that of the samples in the series, which calls the ninth "donor 4"; there are three donors. Both are
    missing, with a remark, where a barcode ends otherwise.
    """
    rows = _rows(path, BARCODE)
    at = next((at for at, field in enumerate(rows[0][1]) if BARCODE.fullmatch(field)), 0)
    libraries: dict[str, int] = {}
    others = []
    for number, fields in rows:
        barcode = fields[at] if at < len(fields) else ""
        if not barcode:
            raise InputError(f"{path.name}, line {number}: a barcode is expected, but there is none; fetch it again")
        if barcode in libraries:
            raise InputError(f"{path.name}, line {number}: barcode {barcode!r} occurs more than once; fetch it again")
        suffix = barcode.rpartition("-")[2]
        ends_well = suffix.isdecimal() and 1 <= int(suffix) <= DONORS * len(TISSUES)
        libraries[barcode] = int(suffix) - 1 if ends_well else -1
        others += [] if ends_well else [barcode]
    remarks = []
    if others:
        remarks.append(
            f"{path.name}: donor, batch and tissue missing where a barcode does not end in -1 to -9, its library: "
            f"{counted(others, len(libraries))}"
        )
    library = np.fromiter(libraries.values(), dtype=np.int64)
    donor, tissue = np.divmod(library, len(TISSUES))
    donors = pd.Categorical.from_codes(donor, [f"donor {number}" for number in range(1, DONORS + 1)])
    tissues = pd.Categorical.from_codes(np.where(library < 0, -1, tissue), list(TISSUES))
    return pd.DataFrame({"batch": donors, "donor": donors, "tissue": tissues}, index=list(libraries)), remarks


def _rows(path: Path, name: re.Pattern) -> list[tuple[int, list[str]]]:
    """Each line's number and fields; without a header, which names a column and has no name as the second line has."""
    lines = read_lines(path)
    separator = separator_of(lines[:2][-1])
    rows = [(number, fields_of(line, separator)) for number, line in enumerate(lines, start=1)]
    named = [any(map(name.match, fields)) for _, fields in rows[:2]]
    is_header = named == [False, True] and key_of(rows[0][1][-1]) in HEADERS
    return rows[1:] if is_header else rows
