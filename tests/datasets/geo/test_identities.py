"""Tables of cell types in every form: the same groups from all of them, and a remark in place of an error."""

import gzip
import re

import pytest

from zipo.datasets.geo.identities import read_identities

BARCODES = ["AAACCT-1", "AAACCT-3", "AAGTCC-2", "CCGTAA-9", "TTGGCA-9"]
GROUPS = {"AAACCT-1": "T cells, naive", "AAGTCC-2": "3", "CCGTAA-9": "T cells, naive", "TTGGCA-9": "B"}
PLAIN = [("Barcode", "Group"), *GROUPS.items()]


def read(tmp_path, content, barcodes=BARCODES):
    """Groups by barcode, and remarks, of a table's text or bytes."""
    path = tmp_path / "identities.tsv.gz"
    path.write_bytes(gzip.compress(content.encode() if isinstance(content, str) else content))
    labels, remarks = read_identities(path, barcodes, "cell_type")
    assert len(labels) == len(barcodes)
    return {b: label for b, label in zip(barcodes, labels, strict=True) if isinstance(label, str)}, remarks


def text(rows, separator="\t", quote=""):
    return "".join(separator.join(f"{quote}{field}{quote}" for field in row) + "\n" for row in rows)


def with_columns(*, before=(), after=(), header=PLAIN[0]):
    """The table with further columns; the first of each is its name in the header, None where it has none."""
    rows = [list(header), *map(list, GROUPS.items())]
    for column in before:
        rows = [[value, *row] if value is not None else row for value, row in zip(column, rows, strict=True)]
    for column in after:
        rows = [[*row, value] for value, row in zip(column, rows, strict=True)]
    return text(rows)


FORMS = {
    "as believed": text(PLAIN),
    "quoted": text(PLAIN, quote='"'),
    "single quotes": text(PLAIN, quote="'"),
    "commas": text(PLAIN, ",", '"'),
    "commas, unquoted": text(PLAIN, ","),
    "semicolons": text(PLAIN, ";"),
    "blanks": text(PLAIN, " ", '"'),
    "blanks, unquoted": text(PLAIN, "   "),
    "windows": text(PLAIN).replace("\n", "\r\n"),
    "old mac": text(PLAIN).replace("\n", "\r"),
    "mark": "\ufeff" + text(PLAIN),
    "utf-16": text(PLAIN).encode("utf-16"),
    "no line end": text(PLAIN).rstrip("\n"),
    "blank lines": text(PLAIN).replace("\n", "\n\n") + "\n\n",
    "trailing tabs": text(PLAIN).replace("\n", "\t\n"),
    "trailing commas": text(PLAIN, ",", '"').replace("\n", ",\n"),
    "trailing tabs below the header": text(PLAIN).replace("\n", "\t\n").replace("Group\t", "Group"),
    "no header": text(PLAIN[1:]),
    "notes on top": "# groups of Fig. 1\n#\n" + text(PLAIN),
    "another name": text([("barcodes", "seurat_clusters"), *GROUPS.items()]),
    "row numbers": with_columns(before=[["", "1", "2", "3", "4"]]),
    "named row numbers": with_columns(before=[["X", "0", "1", "2", "3"]]),
    "row numbers, as R's write.table": with_columns(before=[[None, "1", "2", "3", "4"]]),
    "barcodes as row names, as R's write.table": text([("Group",), *GROUPS.items()]),
    "barcodes twice": with_columns(before=[["", *GROUPS]]),
    "groups first": text([("Group", "Barcode"), *((group, barcode) for barcode, group in GROUPS.items())]),
    "further columns": with_columns(after=[["nUMI", "812", "77", "3000", "5"], ["Tissue", "b", "b", "l", "l"]]),
    "columns between": with_columns(before=[["orig.ident", "a", "a", "b", "b"], ["nUMI", "812", "77", "3000", "5"]]),
    "points for dashes": text(PLAIN).replace("-", "."),
}


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_every_form_has_the_same_groups(tmp_path, content):
    assert read(tmp_path, content) == (GROUPS, [])


def test_missing_groups_are_missing_and_no_remark(tmp_path):
    content = text([("Barcode", "Group"), *zip(BARCODES, ["", "NA", "NaN", "N/A", "1"], strict=True)])
    assert read(tmp_path, content) == ({"TTGGCA-9": "1"}, [])


def test_text_that_is_not_utf_8_is_read(tmp_path):
    content = "Barcode\tGroup\nAAACCT-1\tcafé\n".encode("utf-16")
    assert read(tmp_path, content)[0] == {"AAACCT-1": "café"}
    assert read(tmp_path, b"Barcode\tGroup\nAAACCT-1\tna\xefve\n")[0] == {"AAACCT-1": "naïve"}


def test_a_library_may_be_left_out_where_it_is_clear(tmp_path):
    content = text([("Barcode", "Group"), ("AAACCT", "1"), ("AAGTCC", "2"), ("CCGTAA", "3")])
    groups, (remark,) = read(tmp_path, content)
    assert groups == {"AAGTCC-2": "2", "CCGTAA-9": "3"}  # AAACCT is in two libraries
    assert remark.endswith("several libraries and no library named, which are left out: 1 of 3, the first is 'AAACCT'")


def test_an_ending_that_all_libraries_have_by_themselves_names_none(tmp_path):
    content = text([("Barcode", "Group"), ("AAACCT-1", "1"), ("AAGTCC-1", "2"), ("CCGTAA-1", "3")])
    groups, (remark,) = read(tmp_path, content)
    assert groups == {"AAGTCC-2": "2", "CCGTAA-9": "3"}
    assert "1 of 3, the first is 'AAACCT-1'" in remark
    one_library = text([("Barcode", "Group"), ("AAACCT-1", "1")])
    assert read(tmp_path, one_library) == ({"AAACCT-1": "1"}, [])


@pytest.mark.parametrize(
    ("row", "remark"),
    [
        ("GGGGGG-4\t7", "barcodes without counts, or .* 1 of 5, the first is 'GGGGGG-4'"),
        ("AAACCT\t7", "barcodes without counts, or .* 1 of 5, the first is 'AAACCT'"),
        ("AAACCT-2\t7", "barcodes without counts, or .* 1 of 5, the first is 'AAACCT-2'"),
        ("\t7", "barcodes without counts, or .* 1 of 5, the first is ''"),
        ("gibberish", "barcodes without counts, or .* 1 of 5, the first is 'gibberish'"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_rows_without_a_cell_cost_no_other_row(tmp_path, row, remark, first):
    lines = text(PLAIN).splitlines()
    lines.insert(1 if first else len(lines), row)
    groups, remarks = read(tmp_path, "\n".join(lines) + "\n")
    assert groups == GROUPS
    if not (first and row in ("\t7", "gibberish")):  # which may be the header then
        assert len(remarks) == 1
        assert re.search(remark, remarks[0])


def test_a_barcode_of_two_groups_has_none(tmp_path):
    content = text([*PLAIN, ("AAGTCC-2", "4"), ("AAGTCC-2", "3"), ("CCGTAA-9", "T cells, naive"), ("TTGGCA-9", "NA")])
    groups, (remark,) = read(tmp_path, content)
    assert groups == {barcode: group for barcode, group in GROUPS.items() if barcode != "AAGTCC-2"}
    assert remark.endswith("barcodes of several groups, which are left out: 1 of 8, the first is 'AAGTCC-2'")


def test_a_choice_among_columns_is_named(tmp_path):
    rows = [("Barcode", "colour", "Cluster"), ("AAACCT-1", "red", "1"), ("AAGTCC-2", "blue", "2")]
    groups, (remark,) = read(tmp_path, text(rows))
    assert groups == {"AAACCT-1": "1", "AAGTCC-2": "2"}
    assert remark == "identities.tsv.gz: cell_type is its column 'Cluster', one of 2 that could be"
    groups, (remark,) = read(tmp_path, text(rows).replace("Cluster", "size"))
    assert groups == {"AAACCT-1": "red", "AAGTCC-2": "blue"}
    assert "column 'colour'" in remark


@pytest.mark.parametrize(
    ("content", "remark"),
    [
        ("", "the file is empty"),
        ("Barcode\tGroup\n", "no line has a barcode of the counts, such as 'AAACCT-1', beside a group"),
        ("Barcode\tGroup\nGGGG-1\t3\n", "no line has a barcode of the counts, such as 'AAACCT-1', beside a group"),
        ("Barcode\nAAACCT-1\n", "no line has a barcode of the counts, such as 'AAACCT-1', beside a group"),
        ("Barcode\tGroup\nAAACCT-1\t\n", "no column of groups stands beside the barcodes"),
        ("<!DOCTYPE html><html>", "no line has a barcode of the counts"),
        (b"\x00\xff\xfe\x00" * 50, "no line has a barcode of the counts"),
    ],
)
def test_what_cannot_be_read_costs_the_types_alone(tmp_path, content, remark):
    groups, remarks = read(tmp_path, content)
    assert groups == {}
    assert len(remarks) == 1
    assert remarks[0].startswith(f"identities.tsv.gz: {remark}")
    assert remarks[0].endswith("no cell has a cell_type from it, all counts are kept")


@pytest.mark.parametrize("content", [None, b"", b"<!DOCTYPE html>", gzip.compress(b"Barcode\tGroup\n", mtime=0)[:-9]])
def test_a_file_that_is_absent_or_damaged_costs_the_types_alone(tmp_path, content):
    path = tmp_path / "identities.tsv.gz"
    if content is not None:
        path.write_bytes(content)
    labels, (remark,) = read_identities(path, BARCODES, "cell_type_Mo")
    assert labels.isna().all()
    assert remark.startswith("identities.tsv.gz: ")
    assert remark.endswith("no cell has a cell_type_Mo from it, all counts are kept")
