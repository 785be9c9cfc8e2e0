"""The liver deposit: exact round trips, and refusals that name the file and the line."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from tests.datasets import geo_tree
from zipo.datasets.formats import matrix_market
from zipo.datasets.geo import liver
from zipo.shared.errors import InputError

HEADER_LINES = 3  # of the matrix: banner, comment, sizes


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """The deposit as generated; read only."""
    return geo_tree.write_liver(tmp_path_factory.mktemp("geo"))


@pytest.fixture
def deposit(tmp_path):
    """A deposit of one's own, to spoil."""
    return geo_tree.write_liver(tmp_path)


def edit(path: Path, change) -> None:
    """Replace a gzipped file's lines by `change` of them."""
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in change(lines)).encode()))


def replaced(number: int, text: str):
    """Replace the line of this number, counted from one."""
    return lambda lines: [*lines[: number - 1], text, *lines[number:]]


def refused(deposit, message: str, block: int, monkeypatch) -> None:
    monkeypatch.setattr(matrix_market, "BLOCK", block)
    with pytest.raises(InputError, match=message) as caught:
        liver.read_liver(deposit.suppl)
    assert str(caught.value).startswith(f"{deposit.suppl / liver.MATRIX}: ")


def test_the_generated_matrix_is_what_scipy_reads(pristine):
    with gzip.open(pristine.suppl / liver.MATRIX) as file:
        stored = scipy.io.mmread(file).tocsr()
    np.testing.assert_array_equal(stored.toarray().T, pristine.counts.toarray())
    assert (pristine.counts.sum(axis=0) == 0).sum() >= 5


@pytest.mark.parametrize("block", [40, 1 << 25])
def test_counts_and_names_come_back_exactly(pristine, block, monkeypatch):
    monkeypatch.setattr(matrix_market, "BLOCK", block)
    adata = liver.read_liver(pristine.suppl)
    assert adata.X.format == "csr"
    assert adata.X.dtype == np.float32
    assert adata.X.indices.dtype == np.int32
    assert adata.X.has_canonical_format
    np.testing.assert_array_equal(adata.X.toarray(), pristine.counts.toarray())
    assert list(adata.obs_names) == pristine.barcodes
    assert list(adata.var["gene_id"]) == pristine.gene_ids
    assert adata.var_names.is_unique
    assert list(adata.var_names[2:6]) == ["MALAT1", "SLC35E2_ENSG00000243524", "SLC35E2_ENSG00000243537", "GENE5"]


def test_cells_are_described_by_their_barcodes_and_identities(pristine):
    obs = liver.read_liver(pristine.suppl).obs
    suffix = [barcode[-1] for barcode in pristine.barcodes]
    donor = {"1": "donor 1", "2": "donor 1", "3": "donor 1", "4": "donor 2", "5": "donor 2", "6": "donor 2"}
    tissue = {"1": "blood", "4": "blood", "7": "blood", "2": "spleen", "5": "spleen", "8": "spleen"}
    assert list(obs["donor"]) == [donor.get(k, "donor 3") for k in suffix]
    assert list(obs["batch"]) == list(obs["donor"])
    assert list(obs["tissue"]) == [tissue.get(k, "liver") for k in suffix]
    assert obs["cell_type"].isna().sum() == 9
    assert dict(obs["cell_type"].dropna()) == pristine.groups
    for subset, identities in pristine.subsets.items():
        assert dict(obs[f"cell_type_{subset}"].dropna()) == identities


def test_groups_that_are_blank_are_missing_and_subsets_may_be_absent(deposit):
    for name in liver.SUBSETS.values():
        (deposit.suppl / name).unlink()
    edit(deposit.suppl / liver.IDENTITIES, replaced(2, f"{deposit.barcodes[0]}\t"))
    edit(deposit.suppl / liver.IDENTITIES, replaced(3, f"{deposit.barcodes[1]}\tNaN"))
    obs = liver.read_liver(deposit.suppl).obs
    assert list(obs.columns) == ["batch", "donor", "tissue", "cell_type"]
    assert list(obs["cell_type"].isna()[:3]) == [True, True, False]


@pytest.mark.parametrize("block", [40, 1 << 25])
def test_entries_may_come_in_any_order_and_be_zero(deposit, block, monkeypatch):
    monkeypatch.setattr(matrix_market, "BLOCK", block)
    counts = deposit.counts.toarray()
    cell, gene = np.argwhere(counts)[5]

    def change(lines):
        entries = np.random.default_rng(0).permutation(lines[HEADER_LINES:]).tolist()
        at = entries.index(f"{gene + 1} {cell + 1} {counts[cell, gene]}")
        entries[at] = f"{gene + 1} {cell + 1} 0"
        return [*lines[:HEADER_LINES], *entries]

    edit(deposit.suppl / liver.MATRIX, change)
    counts[cell, gene] = 0
    adata = liver.read_liver(deposit.suppl)
    np.testing.assert_array_equal(adata.X.toarray(), counts)
    assert adata.X.nnz == (counts > 0).sum()


SPOILED = {
    "1.5": r"has 1\.5 where a count is expected, a whole number from 0 to 16777216",
    "nan": "is '2 1 nan', but three numbers are expected: gene, cell, count",
    "inf": "is '2 1 inf', but three numbers are expected",
    "many": "is '2 1 many', but three numbers are expected",
    "": "is '2 1 ', but three numbers are expected",
    "1 1": "is '2 1 1 1', but three numbers are expected",
    "True": "is '2 1 True', but three numbers are expected",  # 1 to pandas
    "1\x002": r"is '2 1 1\\x002', but three numbers are expected",  # also 1 to pandas
    "1_0": "is '2 1 1_0', but three numbers are expected",
    "1e400": "is '2 1 1e400', but three numbers are expected",
    "-1": "has -1 where a count is expected",
    "99999999": "has 99999999 where a count is expected",
    "99999999999999999999": r"has 1e\+20 where a count is expected",
}


@pytest.mark.parametrize("block", [40, 1 << 25])
@pytest.mark.parametrize(("value", "problem"), SPOILED.items())
def test_a_value_that_is_no_count_is_named_by_line(deposit, value, problem, block, monkeypatch):
    edit(deposit.suppl / liver.MATRIX, replaced(57, f"2 1 {value}"))
    refused(deposit, rf"matrix\.mtx\.gz: line 57 {problem}", block, monkeypatch)


@pytest.mark.parametrize("block", [40, 1 << 25])
@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("0 1 1", "gene 0 of 40 and cell 1 of 90"),
        ("41 1 1", "gene 41 of 40 and cell 1 of 90"),
        ("1 0 1", "gene 1 of 40 and cell 0 of 90"),
        ("1 91 1", "gene 1 of 40 and cell 91 of 90"),
    ],
)
def test_an_index_out_of_range_is_named_by_line(deposit, entry, problem, block, monkeypatch):
    edit(deposit.suppl / liver.MATRIX, replaced(100, entry))
    refused(
        deposit, rf"matrix\.mtx\.gz: line 100 is about {problem}, which lies outside the matrix", block, monkeypatch
    )


@pytest.mark.parametrize("block", [40, 1 << 25])
def test_a_blank_line_and_a_duplicate_entry_are_named_by_line(deposit, block, monkeypatch):
    edit(deposit.suppl / liver.MATRIX, lambda lines: [*lines[:49], "", *lines[49:]])
    refused(deposit, r"matrix\.mtx\.gz: line 50 is '', but three numbers", block, monkeypatch)
    edit(deposit.suppl / liver.MATRIX, lambda lines: [*lines[:49], *lines[50:]])
    edit(deposit.suppl / liver.MATRIX, lambda lines: [*lines[:29], lines[9], *lines[30:]])
    gene, cell, _ = gzip.decompress((deposit.suppl / liver.MATRIX).read_bytes()).decode().splitlines()[9].split()
    message = rf"matrix\.mtx\.gz: lines 10 and 30 are about the same entry, gene {gene} of cell {cell};"
    refused(deposit, message, block, monkeypatch)


@pytest.mark.parametrize("block", [40, 1 << 25])
def test_the_header_must_agree_with_the_data_and_the_names(deposit, block, monkeypatch):
    path, entries = deposit.suppl / liver.MATRIX, deposit.counts.nnz
    last = HEADER_LINES + entries
    edit(path, replaced(3, f"40 90 {entries + 1}"))
    message = (
        rf"matrix\.mtx\.gz: the file ends with line {last} and {entries} entries, .* says {entries + 1}; it is trunc"
    )
    refused(deposit, message, block, monkeypatch)
    edit(path, replaced(3, f"40 90 {entries - 1}"))
    refused(deposit, rf"matrix\.mtx\.gz: line {last} is one entry more than the {entries - 1} of", block, monkeypatch)
    edit(path, replaced(3, f"90 40 {entries}"))
    names = r"GSE125188_CD45\+_genes\.tsv\.gz and GSE125188_CD45\+_barcodes\.tsv\.gz"
    message = f"line 3, beside {names}: the matrix is 90 genes x 40 cells, but 40 genes and 90 cells are named"
    refused(deposit, message, block, monkeypatch)
    edit(path, replaced(3, "40 90 9999"))
    refused(deposit, "line 3 announces 9999 entries in a matrix of 40 x 90", block, monkeypatch)
    edit(path, replaced(3, "40 90"))
    refused(deposit, "line 3 is '40 90', but the numbers of genes, cells and entries are expected", block, monkeypatch)
    edit(path, replaced(1, "%%MatrixMarket matrix array integer general"))
    message = "line 1 is not '%%MatrixMarket matrix coordinate integer general' .* but '%%MatrixMarket matrix array"
    refused(deposit, message, block, monkeypatch)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (liver.BARCODES, replaced(7, ""), "line 7: a barcode is expected, but there is none; fetch it again"),
        (liver.BARCODES, lambda lines: [*lines[:-1], lines[4]], "line 90: barcode '[ACGT]+-1' occurs more than once"),
        (liver.BARCODES, lambda lines: lines[:-1], "line 3, .*, but 40 genes and 89 cells are named"),
        (liver.GENES, lambda lines: [*lines, "ENSG1\tNEW"], "line 3, .*, but 41 genes and 90 cells are named"),
        (liver.GENES, lambda lines: [*lines[:-1], lines[2]], "line 40: gene 'ENSG[0-9]+' occurs more than once"),
        (liver.GENES, replaced(9, "ENSG1"), "line 9: an Ensembl id, a tab and a symbol are expected: 'ENSG1'"),
    ],
)
def test_tables_that_contradict_are_named_by_line(deposit, name, change, message):
    edit(deposit.suppl / name, change)
    with pytest.raises(InputError, match=message) as caught:
        liver.read_liver(deposit.suppl)
    assert str(caught.value).startswith((name, str(deposit.suppl / liver.MATRIX)))


DAMAGED = ("the gzip is damaged", "the gzip is damaged .*Not a gzipped file")
DAMAGED_MATRIX = ("the gzip ends too early, so the file is truncated", "this is a web page, not data")


@pytest.mark.parametrize(
    ("name", "truncated", "page"),
    [
        (liver.MATRIX, *DAMAGED_MATRIX),
        *((name, *DAMAGED) for name in (liver.GENES, liver.BARCODES)),
    ],
)
def test_empty_and_damaged_files_are_named(deposit, name, truncated, page):
    path = deposit.suppl / name
    complete = path.read_bytes()
    wrong_checksum = complete[:-8] + bytes(4) + complete[-4:]
    for content, problem in (
        (b"", "the file is empty"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (complete[: len(complete) // 2], truncated),
        (wrong_checksum, "the gzip is damaged .*CRC"),
        (b"<!DOCTYPE html>", page),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=problem) as caught:
            liver.read_liver(deposit.suppl)
        assert str(caught.value).startswith((f"{name}: ", f"{path}: "))
    path.unlink()
    with pytest.raises(InputError, match=rf"{re.escape(name)}: (there is )?no such file"):
        liver.read_liver(deposit.suppl)


@pytest.mark.parametrize("content", [None, b"", b"<!DOCTYPE html>", gzip.compress(b"no table\n", mtime=0)])
def test_without_identities_the_counts_are_the_same(deposit, content, capsys):
    for name in (liver.IDENTITIES, liver.SUBSETS["Mo"]):
        (deposit.suppl / name).unlink() if content is None else (deposit.suppl / name).write_bytes(content)
    adata = liver.read_liver(deposit.suppl)
    np.testing.assert_array_equal(adata.X.toarray(), deposit.counts.toarray())
    assert adata.obs["cell_type"].isna().all()
    assert ("cell_type_Mo" in adata.obs) == (content is not None)
    assert dict(adata.obs["cell_type_B"].dropna()) == deposit.subsets["B"]
    remarks = adata.uns["remarks"]
    assert len(remarks) == (1 if content is None else 2)
    assert remarks[0].startswith(f"{liver.IDENTITIES}: ")
    assert capsys.readouterr().err == "".join(f"warning: {remark}\n" for remark in remarks)


def reordered(order, separator="\t", quote='"'):
    """Write the fields of each line in another order and form."""
    return lambda lines: [separator.join(f"{quote}{line.split(chr(9))[i]}{quote}" for i in order) for line in lines]


@pytest.mark.parametrize(
    "change",
    [
        reordered([0, 1]),
        reordered([0, 1], ","),
        reordered([0, 1], " "),
        reordered([1, 0]),
        lambda lines: [f"{line}\r" for line in lines],
        lambda lines: ["gene_id\tsymbol", *lines],
        lambda lines: [f"{number}\t{line}" for number, line in enumerate(lines, start=1)],
        lambda lines: [f"{line}\tGene Expression" for line in lines],
    ],
)
def test_genes_in_every_form_are_the_same(deposit, pristine, change):
    edit(deposit.suppl / liver.GENES, change)
    adata = liver.read_liver(deposit.suppl)
    assert list(adata.var["gene_id"]) == pristine.gene_ids
    assert list(adata.var_names[2:6]) == ["MALAT1", "SLC35E2_ENSG00000243524", "SLC35E2_ENSG00000243537", "GENE5"]


def test_a_gene_without_a_symbol_goes_by_its_id(deposit):
    edit(deposit.suppl / liver.GENES, replaced(3, f"{deposit.gene_ids[2]}\t"))
    assert liver.read_liver(deposit.suppl).var_names[2] == deposit.gene_ids[2]


@pytest.mark.parametrize(
    "change",
    [
        reordered([0]),
        lambda lines: ['"x"', *(f'"{number}" "{line}"' for number, line in enumerate(lines, start=1))],
        lambda lines: ["barcode", *lines],
    ],
)
def test_barcodes_in_every_form_are_the_same(deposit, change):
    edit(deposit.suppl / liver.BARCODES, change)
    adata = liver.read_liver(deposit.suppl)
    assert list(adata.obs_names) == deposit.barcodes
    assert dict(adata.obs["cell_type"].dropna()) == deposit.groups


@pytest.mark.parametrize("barcode", ["AAAA", "AAAA-10", "AAAA-0", "AAAA_1"])
def test_a_barcode_without_a_library_has_no_donor_and_no_tissue(deposit, barcode):
    edit(deposit.suppl / liver.BARCODES, replaced(7, barcode))
    adata = liver.read_liver(deposit.suppl)
    np.testing.assert_array_equal(adata.X.toarray(), deposit.counts.toarray())
    assert adata.obs_names[6] == barcode
    assert list(np.flatnonzero(adata.obs["donor"].isna())) == [6]
    assert list(np.flatnonzero(adata.obs["batch"].isna() | adata.obs["tissue"].isna())) == [6]
    assert f"does not end in -1 to -9, its library: 1 of 90, the first is '{barcode}'" in adata.uns["remarks"][0]


def test_the_generator_depends_on_its_arguments_alone(deposit, tmp_path):
    again = geo_tree.write_liver(tmp_path / "again")
    other = geo_tree.write_liver(tmp_path / "other", seed=2)
    files = sorted(path.name for path in deposit.suppl.iterdir())
    assert files == sorted([liver.MATRIX, liver.GENES, liver.BARCODES, liver.IDENTITIES, *liver.SUBSETS.values()])
    assert all((deposit.suppl / name).read_bytes() == (again.suppl / name).read_bytes() for name in files)
    assert (deposit.suppl / liver.MATRIX).read_bytes() != (other.suppl / liver.MATRIX).read_bytes()
