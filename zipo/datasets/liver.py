"""The liver deposit (Zhao 2020, GSE125188, doi 10.1038/s41421-020-0157-z): one 10x matrix and tables of names."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from zipo.datasets.matrix_market import read_matrix_market
from zipo.datasets.soft import read_lines
from zipo.datasets.stored import unique_genes
from zipo.errors import InputError

ACCESSION = "GSE125188"
MATRIX, GENES, BARCODES, IDENTITIES = (
    f"{ACCESSION}_CD45+_{name}.gz" for name in ("matrix.mtx", "genes.tsv", "barcodes.tsv", "cell_identities.tsv")
)
SUBSETS = {subset: f"{ACCESSION}_{subset}_cell_identities.tsv.gz" for subset in ("ASC", "B", "Mo", "NKT")}
TISSUES = ("blood", "spleen", "liver")
DONORS = 3


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
    counts = read_matrix_market(folder / MATRIX, len(var), len(obs), f"{GENES} and {BARCODES}")
    return ad.AnnData(counts, obs=obs, var=var)


def _genes(path: Path) -> pd.DataFrame:
    """Ensembl ids by unique names."""
    ids: dict[str, str] = {}
    for number, line in enumerate(read_lines(path), start=1):
        fields = line.split("\t")
        if len(fields) < 2 or not fields[0] or not fields[1]:
            raise InputError(f"{path.name}, line {number}: an Ensembl id, a tab and a symbol are expected: {line!r}")
        if fields[0] in ids:
            raise InputError(f"{path.name}, line {number}: gene {fields[0]!r} occurs more than once")
        ids[fields[0]] = fields[1]
    return pd.DataFrame({"gene_id": list(ids)}, index=unique_genes(list(ids.values()), list(ids)))


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
