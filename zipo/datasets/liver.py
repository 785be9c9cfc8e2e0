"""The liver deposit (Zhao 2020, GSE125188, doi 10.1038/s41421-020-0157-z): one 10x matrix and tables of names.

The matrix has some 120 million entries, so it is parsed in blocks of text into arrays of the final types, and
becomes CSR without a copy if it is sorted by cell: its peak is then three arrays of four bytes an entry.
"""

import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix, csr_matrix

from zipo.datasets.soft import DAMAGED, read_lines
from zipo.errors import InputError

ACCESSION = "GSE125188"
MATRIX, GENES, BARCODES, IDENTITIES = (
    f"{ACCESSION}_CD45+_{name}.gz" for name in ("matrix.mtx", "genes.tsv", "barcodes.tsv", "cell_identities.tsv")
)
SUBSETS = {subset: f"{ACCESSION}_{subset}_cell_identities.tsv.gz" for subset in ("ASC", "B", "Mo", "NKT")}
TISSUES = ("blood", "spleen", "liver")
DONORS = 3
BLOCK = 1 << 25  # bytes of text parsed at once: some two million entries
WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
LARGEST_COUNT = 1 << 24  # up to here float32 holds every whole number


def read_liver(folder: Path) -> ad.AnnData:
    """The counts (cells x genes), with gene_id in var, and cell_type, batch (the donor), donor and tissue in obs.

    Where a subset's identities are in the folder, obs["cell_type_<subset>"] has them. A cell without an identity
    has a missing one. Raises InputError naming file and line where the deposit contradicts itself.
    """
    var = _genes(folder / GENES)
    obs = _cells(folder / BARCODES)
    obs["cell_type"] = _identities(folder / IDENTITIES, obs.index)
    for subset, name in SUBSETS.items():
        if (folder / name).exists():
            obs[f"cell_type_{subset}"] = _identities(folder / name, obs.index)
    counts = read_matrix(folder / MATRIX, len(var), len(obs), f"{GENES} and {BARCODES}")
    return ad.AnnData(counts, obs=obs, var=var)


def _genes(path: Path) -> pd.DataFrame:
    """Ensembl ids by unique names: the symbol, with the id appended for every gene whose symbol repeats."""
    ids: dict[str, str] = {}
    for number, line in enumerate(read_lines(path), start=1):
        fields = line.split("\t")
        if len(fields) < 2 or not fields[0] or not fields[1]:
            raise InputError(f"{path.name}, line {number}: an Ensembl id, a tab and a symbol are expected: {line!r}")
        if fields[0] in ids:
            raise InputError(f"{path.name}, line {number}: gene {fields[0]!r} occurs more than once")
        ids[fields[0]] = fields[1]
    often = Counter(ids.values())
    names = [symbol if often[symbol] == 1 else f"{symbol}_{gene}" for gene, symbol in ids.items()]
    return pd.DataFrame({"gene_id": list(ids)}, index=names)


def _cells(path: Path) -> pd.DataFrame:
    """Donor and tissue by barcode: its suffix -k counts the libraries, k = 1 to 9, by donor and then by tissue.

    This order is that of the samples in the series, which calls the ninth "donor 4"; there are three donors.
    """
    libraries: dict[str, int] = {}
    for number, barcode in enumerate(read_lines(path), start=1):
        suffix = barcode.rpartition("-")[2]
        if not suffix.isdecimal() or not 1 <= int(suffix) <= DONORS * len(TISSUES):
            raise InputError(f"{path.name}, line {number}: barcode {barcode!r} must end in -1 to -9, its library")
        if barcode in libraries:
            raise InputError(f"{path.name}, line {number}: barcode {barcode!r} occurs more than once")
        libraries[barcode] = int(suffix) - 1
    donor, tissue = np.divmod(np.fromiter(libraries.values(), dtype=np.int64), len(TISSUES))
    donors = pd.Categorical.from_codes(donor, [f"donor {number}" for number in range(1, DONORS + 1)])
    tissues = pd.Categorical.from_codes(tissue, list(TISSUES))
    return pd.DataFrame({"batch": donors, "donor": donors, "tissue": tissues}, index=list(libraries))


def _identities(path: Path, barcodes: pd.Index) -> pd.Categorical:
    """The group of each barcode in a table of Barcode and Group; missing for a barcode without one."""
    lines = read_lines(path)
    if lines[0].split("\t") != ["Barcode", "Group"]:
        raise InputError(f"{path.name}, line 1: the header must read Barcode, tab, Group, but reads {lines[0]!r}")
    known = set(barcodes)
    groups: dict[str, str] = {}
    for number, line in enumerate(lines[1:], start=2):
        barcode, tab, group = line.partition("\t")
        if not tab or "\t" in group:
            raise InputError(f"{path.name}, line {number}: a barcode, a tab and a group are expected: {line!r}")
        if barcode not in known:
            raise InputError(f"{path.name}, line {number}: barcode {barcode!r} is not in {BARCODES}")
        if barcode in groups:
            raise InputError(f"{path.name}, line {number}: barcode {barcode!r} occurs more than once")
        groups[barcode] = group
    labels = [None if groups.get(barcode, "") in ("", "NA", "NaN") else groups[barcode] for barcode in barcodes]
    return pd.Categorical(labels)


def read_matrix(path: Path, genes: int, cells: int, names: str) -> csr_matrix:
    """A gzipped MatrixMarket file (genes x cells) of whole counts as CSR of float32 (cells x genes).

    `names` says in errors which files the number of genes and cells is from. Entries may come in any order; those
    that are sorted by cell, as 10x writes them, take a quarter less memory.
    """
    try:
        with gzip.open(path, "rb") as file:
            size_line, sizes = _header(file, path.name)
            if sizes[:2] != (genes, cells):
                raise InputError(
                    f"{path.name}, line {size_line}: the matrix has {sizes[0]} genes x {sizes[1]} cells, "
                    f"but {names} have {genes} and {cells}"
                )
            counts = _sparse(file, size_line, sizes, path.name)
    except FileNotFoundError as error:
        raise InputError(f"{path.name}: there is no such file in {path.parent}; fetch it") from error
    except DAMAGED as error:
        raise InputError(f"{path.name}: the gzip is damaged ({error}); fetch it again") from error
    counts.sort_indices()
    if not counts.has_canonical_format:
        raise _duplicate(counts, path)
    counts.eliminate_zeros()
    return counts


def _header(file: gzip.GzipFile, place: str) -> tuple[int, tuple[int, int, int]]:
    """The number of the line of sizes, and the sizes: genes, cells, entries."""
    banner = file.readline().decode(errors="replace")
    if not banner:
        raise InputError(f"{place}: the file is empty; fetch it again")
    if banner.lower().split() not in (
        ["%%matrixmarket", "matrix", "coordinate", field, "general"] for field in ("integer", "real")
    ):
        raise InputError(
            f"{place}, line 1: '%%MatrixMarket matrix coordinate integer general' is expected, not {banner.strip()!r}"
        )
    number, line = 2, file.readline()
    while line.startswith(b"%") or line.isspace():
        number, line = number + 1, file.readline()
    fields = line.split()
    if len(fields) != 3 or not all(field.isdigit() for field in fields):
        raise InputError(f"{place}, line {number}: three sizes are expected: genes, cells and entries")
    genes, cells, entries = map(int, fields)
    if entries > genes * cells:
        raise InputError(f"{place}, line {number}: {entries} entries do not fit into {genes} genes x {cells} cells")
    return number, (genes, cells, entries)


def _blocks(file: gzip.GzipFile, place: str, line: int) -> Iterator[tuple[int, np.ndarray]]:
    """The entries in blocks: the number of the first line, and an array (lines x 3) of gene, cell, count."""
    rest = b""
    while True:
        text = file.read(BLOCK)
        whole, newline, rest = (rest + text).rpartition(b"\n") if text else (rest, b"", b"")
        block = whole + newline
        if block:
            yield line, _parse(block, line, place)
        if not text:
            return
        line += block.count(b"\n")


def _parse(block: bytes, line: int, place: str) -> np.ndarray:
    """An array (lines x 3) of a block's whole numbers; InputError names the first line that is none."""
    lines = block.removesuffix(b"\n").count(b"\n") + 1
    try:
        table = pd.read_csv(
            io.BytesIO(block),
            sep=r"\s+",
            header=None,
            names=["gene", "cell", "count"],
            dtype=np.int64,
            na_filter=False,
            low_memory=False,
            quoting=csv.QUOTE_NONE,
        )
        # a fourth field on every line would become the index, and blank lines would shift the numbers of lines
        if isinstance(table.index, pd.RangeIndex) and len(table) == lines:
            return table.to_numpy()
        reason = "not three fields a line"
    except (ValueError, OverflowError) as error:
        reason = str(error).strip()
    for number, text in enumerate(block.decode(errors="replace").removesuffix("\n").split("\n"), start=line):
        fields = text.split()
        if len(fields) != 3 or not all(WHOLE.fullmatch(field) for field in fields):
            raise InputError(f"{place}, line {number}: three whole numbers are expected: gene, cell, count: {text!r}")
    raise InputError(f"{place}, after line {line}: the entries cannot be parsed ({reason})")


def _sparse(file: gzip.GzipFile, size_line: int, sizes: tuple[int, int, int], place: str) -> csr_matrix:
    """CSR (cells x genes) of the entries after the line of sizes; genes are not sorted, duplicates not yet refused."""
    genes, cells, entries = sizes
    counts = np.empty(entries, dtype=np.float32)
    gene_of, cell_of = np.empty(entries, dtype=np.int32), np.empty(entries, dtype=np.int32)
    entries_of = np.zeros(cells, dtype=np.int64)
    filled, last, in_order = 0, size_line, True
    for line, block in _blocks(file, place, size_line + 1):
        _check_range(block, line, genes, cells, place)
        if filled + len(block) > entries:
            raise InputError(
                f"{place}, line {line + entries - filled}: an entry more than the {entries} that the header announces"
            )
        target = slice(filled, filled + len(block))
        gene_of[target], cell_of[target], counts[target] = block[:, 0] - 1, block[:, 1] - 1, block[:, 2]
        joint = cell_of[max(filled - 1, 0) : target.stop]
        in_order = in_order and bool((joint[1:] >= joint[:-1]).all())
        entries_of += np.bincount(block[:, 1] - 1, minlength=cells)
        filled, last = target.stop, line + len(block) - 1
    if filled != entries:
        raise InputError(f"{place}, line {last}: the last of {filled} entries, but the header announces {entries}")
    if in_order:
        starts = np.zeros(cells + 1, dtype=np.int32 if entries < 2**31 else np.int64)
        np.cumsum(entries_of, out=starts[1:])
        return csr_matrix((counts, gene_of, starts), shape=(cells, genes))
    unsorted = coo_matrix((counts, (cell_of, gene_of)), shape=(cells, genes))
    unsorted.has_canonical_format = True  # else tocsr adds duplicates up, which are to be refused
    return unsorted.tocsr()


def _check_range(block: np.ndarray, line: int, genes: int, cells: int, place: str) -> None:
    """Raise InputError for the first entry of a block that lies outside of the matrix or is no count."""
    bounds = {"gene": (1, genes), "cell": (1, cells), "count": (0, LARGEST_COUNT)}
    for column, (name, (low, high)) in enumerate(bounds.items()):
        wrong = (block[:, column] < low) | (block[:, column] > high)
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"{place}, line {line + at}: {name} {block[at, column]} is out of range; {low} to {high} is expected"
            )


def _duplicate(counts: csr_matrix, path: Path) -> InputError:
    """The error for the first entry that occurs twice, with its lines, for which the file is read again."""
    for cell in range(counts.shape[0]):
        genes = counts.indices[counts.indptr[cell] : counts.indptr[cell + 1]]
        again = np.flatnonzero(genes[1:] == genes[:-1])
        if len(again):
            break
    entry = np.array([genes[again[0]] + 1, cell + 1])
    with gzip.open(path, "rb") as file:
        first = _header(file, path.name)[0] + 1
        lines = [
            line + int(at)
            for line, block in _blocks(file, path.name, first)
            for at in np.flatnonzero((block[:, :2] == entry).all(axis=1))
        ]
    where = " and ".join(map(str, lines))
    return InputError(f"{path.name}, lines {where}: gene {entry[0]} of cell {entry[1]} has more than one entry")
