"""Counts as 10x Genomics' Cell Ranger writes them: a folder with a Matrix Market file, or one .h5.

scanpy has readers of both. They are not used because they look at the newest names alone, tell neither which part
is missing nor how many features they drop, number duplicate symbols instead of naming them by accession, and do not
check that indices lie inside the matrix.
"""

import sys
from pathlib import Path

import h5py
from scipy.sparse import csr_matrix, hstack

from zipo.datasets.counts import LARGEST
from zipo.datasets.formats.contents import Contents, check_size
from zipo.datasets.formats.foreign import refuse_absent, refuse_folder
from zipo.datasets.formats.hdf5 import checked_csr, open_hdf5, text_of
from zipo.datasets.formats.matrix_market import read_matrix_market
from zipo.datasets.formats.text import opened, ragged
from zipo.shared.errors import InputError


def parts(folder: Path) -> tuple[Path, Path, Path]:
    """Matrix, features and barcodes of a folder, plain or gzipped, with any prefix to their names."""
    return (
        _only(folder, "matrix.mtx"),
        _only(folder, "features.tsv", "genes.tsv"),
        _only(folder, "barcodes.tsv"),
    )


def read_folder(folder: Path) -> Contents:
    """Cell Ranger 2 (genes.tsv: accession, symbol) or 3 and later (features.tsv: accession, symbol, type)."""
    matrix_file, features_file, barcodes_file = parts(folder)
    features = _fields(features_file)
    barcodes = [fields[0] for fields in _fields(barcodes_file)]
    names = f"{features_file.name} and {barcodes_file.name}"
    matrix = read_matrix_market(matrix_file, len(features), len(barcodes), names, largest=LARGEST)
    columns = list(zip(*features, strict=True))
    types = columns[2] if len(columns) > 2 else None
    if len(features) == len(barcodes):
        problem = "as many genes as cells; its rows are taken for the genes, as 10x writes them"
        print(f"{matrix_file}: {problem}", file=sys.stderr)
    if len(columns) == 1:
        return Contents(matrix, barcodes, columns[0])
    return Contents(matrix, barcodes, columns[1], columns[0], types=types)


def read_h5(path: Path) -> Contents:
    """Cell Ranger 3 and later (the group `matrix`), or 2 (one group a genome, of the same cells)."""
    with open_hdf5(path) as file:
        if "matrix" in file:
            group = file["matrix"]
            _need(group, ("barcodes", "data", "indices", "indptr", "shape", "features"), path)
            features = group["features"]
            _need(features, ("id", "name"), path)
            contents = _group(group, text_of(features["name"]), text_of(features["id"]), path)
            # which CellBender leaves out where the input had genes alone
            types = text_of(features["feature_type"]) if "feature_type" in features else None
            return contents._replace(types=types)
        genomes = [name for name, group in file.items() if "gene_names" in group]
        if not genomes:
            raise InputError(
                f"{path}: neither a group 'matrix' nor one of a genome, so this is no 10x matrix; "
                f"there are {', '.join(file) or 'no groups'}"
            )
        parts_by_genome = []
        for genome in genomes:
            group = file[genome]
            _need(group, ("barcodes", "data", "indices", "indptr", "shape", "genes", "gene_names"), path)
            parts_by_genome.append(_group(group, text_of(group["gene_names"]), text_of(group["genes"]), path))
    first = parts_by_genome[0]
    if any(part.cells != first.cells for part in parts_by_genome):
        raise InputError(f"{path}: the genomes {', '.join(genomes)} have different cells; give each a file of its own")
    genes = [gene for part in parts_by_genome for gene in part.genes]
    gene_ids = [gene_id for part in parts_by_genome for gene_id in part.gene_ids or []]
    return Contents(hstack([part.matrix for part in parts_by_genome], format="csr"), first.cells, genes, gene_ids)


def _group(group: h5py.Group, genes: list[str], gene_ids: list[str], path: Path) -> Contents:
    """The matrix of an HDF5 group, which holds it by columns, one a cell."""
    place = f"{path}: {group.name}"
    cells = text_of(group["barcodes"])
    check_size([int(n) for n in group["shape"][:]], len(genes), len(cells), place)
    if len(gene_ids) != len(genes):
        raise InputError(f"{place}: {len(gene_ids)} accessions for {len(genes)} genes; the file is damaged")
    data, indices, indptr = (group[name][:] for name in ("data", "indices", "indptr"))
    if len(indptr) == 0 or indptr[-1] != len(data):
        raise InputError(f"{place}: {len(data)} counts, but indptr ends otherwise; the file is damaged")
    try:
        matrix = csr_matrix((data, indices, indptr), shape=(len(cells), len(genes)))
    except ValueError as error:
        raise InputError(f"{place}: the matrix is damaged: {error}; fetch the file again") from None
    return Contents(checked_csr(matrix, place), cells, genes, gene_ids)


def _only(folder: Path, *names: str) -> Path:
    """The one file of a folder that ends in one of the names, plain or with .gz; hidden files are passed over."""
    refuse_absent(folder)
    endings = tuple(name + gz for name in names for gz in ("", ".gz"))
    files = sorted(path for path in folder.iterdir() if path.name.endswith(endings) and not path.name.startswith("."))
    if len(files) == 1:
        return files[0]
    problem = f"exactly one of {', '.join(endings)} is needed, there is {', '.join(x.name for x in files) or 'none'}"
    if not files and names[0] == "matrix.mtx":
        refuse_folder(folder, problem)
    elif not files:
        remedy = "put it there, or name it so"
    elif len({path.name.removesuffix(".gz") for path in files}) == 1:
        remedy = "keep one of the two"
    else:
        remedy = "give each sample a folder of its own"
    raise InputError(f"{folder}: {problem}; {remedy}")


def _fields(path: Path) -> list[list[str]]:
    """The tab-separated fields of each line; the lines must have equally many."""
    with opened(path) as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    while lines and not "".join(lines[-1]).strip():  # blank lines at the end
        lines.pop()
    if not lines:
        raise InputError(f"{path}: the file is empty; fetch or write it again")
    for number, fields in enumerate(lines, 1):
        if len(fields) != len(lines[0]):
            if not any(fields):
                raise InputError(f"{path}: line {number} is blank, but others follow; take it away")
            raise ragged(path, number, len(fields), len(lines[0]))
        if not fields[0]:
            raise InputError(f"{path}: line {number} begins with a blank name")
    return lines


def _need(group: h5py.Group, names: tuple[str, ...], path: Path) -> None:
    """Raise InputError for members that a group lacks."""
    missing = [name for name in names if name not in group]
    if missing:
        raise InputError(f"{path}: {group.name} lacks {', '.join(missing)}; there are {', '.join(group)}")
