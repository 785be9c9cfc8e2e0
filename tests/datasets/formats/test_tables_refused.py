"""Tables of counts that cannot be used are refused in one sentence that names file, line and column."""

import gzip
import re
import subprocess

import numpy as np
import pandas as pd
import pytest

from tests.datasets.writers import ABOUT, CELLS, COUNTS, IDS, OBS, PAGE, UNIQUE, read, refused


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda content: content[:-20], "the gzip ends too early, so the file is truncated"),
        (lambda content: content[:-8] + bytes(8), r"the gzip is damaged \(CRC check failed"),
        (lambda content: content[:40] + bytes(10) + content[50:], "the gzip is damaged"),
        (lambda content: b"gene,c1\nA,1\n", "not gzip, though its name says so"),
        (lambda content: gzip.compress(PAGE), "this is a web page, not data"),
        (lambda content: gzip.compress(b""), "line 1 is blank, but names of columns were expected"),
    ],
)
def test_damaged_gzip(tmp_path, damage, problem):
    path = tmp_path / "own.csv.gz"
    pd.DataFrame(COUNTS.T, UNIQUE, CELLS).to_csv(path)
    path.write_bytes(damage(path.read_bytes()))
    refused(path, problem, genes_in="rows")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("g,c1,c2\nA,1,2\nB,3\n", "line 3 has 2 fields, but 3 were expected"),
        ("g,c1,c2\nA,1,2\nB,3,4,5\n", "line 3 has 4 fields, but 3 were expected"),
        ('g,c1,c2\n"A,a",1,2\n"B,b","3"\n', "line 3 has 2 fields, but 3 were expected"),
        ("g,c1,c2\nA,1,2\n\nB,3,4\n", "line 3 has 1 field, but 3 were expected"),
        ("g,c1,c2,c3,c4\nA,1,2\n", "line 2 has 3 fields, but 5 were expected"),
        ("g,c1,c2\nA,1,2\nB,NA,2\n", "line 3 has 'NA' where a count was expected"),
        ("g,c1,c2\nA,1,2\nB,1,\n", "line 3 has '' where a count was expected"),
        ('g,c1,c2\nA,"1,5",2\n', "line 2 has '1,5' where a count was expected"),
        ("g,c1,c2\nA,1_0,2\n", "among lines 2 to 2, could not convert string '1_0'"),
        ('g,c1,c2\n"A,1,2\n', "line 2 begins with a quoted name whose quotes do not close"),
        ("g,c1,c2\n", "nothing follows line 1"),
        ("counts", "line 1 has no tab, comma or space"),
        ("g,c1,c2\nA,1,1.5\n", r"the count of gene 'A' in cell 'c2' \(1\.5\) is not a whole number"),
        ("g,c1,c2\nA,1,-5\n", r"the count of gene 'A' in cell 'c2' \(-5\) is negative"),
        ("g,c1,c2\nA,1,nan\n", r"the count of gene 'A' in cell 'c2' \(nan\) is not a number"),
        ("g,c1,c2\nA,1,1\nA,2,2\n", "gene 'A' occurs more than once"),
        ("g,c1,c1\nA,1,1\n", "cell 'c1' occurs more than once"),
    ],
)
def test_tables_that_are_wrong(tmp_path, text, problem):
    (tmp_path / "own.csv").write_text(text)
    refused(tmp_path / "own.csv", problem, genes_in="rows")


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("NA", "in column 'c2'; write 0 where nothing was counted"),
        ("", "in column 'c2'; write 0 where nothing was counted"),
        ('"1,5"', "in column 'c2'; that is a decimal comma: counts are whole, as 2 or 2.0"),
        ('"12,345"', "in column 'c2'; write thousands without a separator"),
        ("1'000", "in column 'c2'; write thousands without a separator"),
        (
            "beta",
            "in column 'c2'; correct it, or, should the column hold no counts, take it out, as by cut -d, -f1-2,4-",
        ),
    ],
)
@pytest.mark.parametrize("genes_in", ["rows", "columns"])
def test_fields_that_are_no_numbers_are_named_with_their_column(tmp_path, value, remedy, genes_in):
    (tmp_path / "own.csv").write_text(f"g,c1,c2,c3\nA,1,2,3\nB,3,{value},3\n")
    refused(tmp_path / "own.csv", re.escape(remedy), genes_in=genes_in)


def test_columns_are_cut_out_by_the_command_that_the_refusal_names(tmp_path):
    table = pd.DataFrame(COUNTS.T, UNIQUE, CELLS)
    table.insert(0, "accession", IDS)
    table.to_csv(tmp_path / "own.csv")
    problem = "line 2 has 'ENSG00000000000' .* in column 'accession'; .* cut -d, -f1,3-"
    refused(tmp_path / "own.csv", problem, genes_in="rows")
    done = subprocess.run(["cut", "-d,", "-f1,3-", tmp_path / "own.csv"], capture_output=True, check=True)
    (tmp_path / "own.csv").write_bytes(done.stdout)
    np.testing.assert_array_equal(read(tmp_path / "own.csv", genes_in="rows").X.toarray(), COUNTS)


def test_lengths_of_genes_are_cut_out_by_the_command_that_the_refusal_names(tmp_path):
    table = pd.DataFrame(COUNTS.T, UNIQUE, CELLS)
    table.insert(2, "Length", range(200, 208))
    table.to_csv(tmp_path / "own.csv")
    refused(tmp_path / "own.csv", "cell 'Length' has the name .* cut -d, -f1-3,5-", genes_in="rows")
    done = subprocess.run(["cut", "-d,", "-f1-3,5-", tmp_path / "own.csv"], capture_output=True, check=True)
    (tmp_path / "own.csv").write_bytes(done.stdout)
    np.testing.assert_array_equal(read(tmp_path / "own.csv", genes_in="rows").X.toarray(), COUNTS)


@pytest.mark.parametrize("cells", [CELLS, [f"T cell, {i}" for i in range(6)]])
def test_semicolons_are_changed_by_the_command_that_the_refusal_names(tmp_path, cells):
    pd.DataFrame(COUNTS.T, UNIQUE, cells).to_csv(tmp_path / "own.csv", sep=";")
    change = "sed 's/;/,/g'" if cells is CELLS else r"tr ';' '\t' <"
    command = f"{change} {tmp_path}/own.csv"
    problem = f"line 1 has semicolons between fields, .* {re.escape(command)} > changed.csv"
    refused(tmp_path / "own.csv", problem, genes_in="rows")
    done = subprocess.run(command, shell=True, capture_output=True, check=True)
    (tmp_path / "own.csv").write_bytes(done.stdout)
    np.testing.assert_array_equal(read(tmp_path / "own.csv", genes_in="rows").X.toarray(), COUNTS)


@pytest.mark.parametrize("name", ["own.txt", "own.txt.gz"])
def test_a_file_of_featurecounts_is_cut_by_the_command_that_the_refusal_names(tmp_path, name):
    about = {"Chr": "1;1", "Start": "11;51", "End": "20;60", "Strand": "+;+", "Length": 20}
    table = pd.concat([pd.DataFrame(about, UNIQUE), pd.DataFrame(COUNTS.T, UNIQUE, CELLS)], axis=1)
    text = table.to_csv(sep="\t", index_label="Geneid")
    text = '# Program:featureCounts v2.0.1; Command:"featureCounts" "-a" "genes.gtf"\n' + text
    (tmp_path / name).write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    command = f"{'gzip -dc' if name.endswith('.gz') else 'cat'} {tmp_path / name} | tail -n +2 | cut -f1,7-"
    problem = f"line 1 is the comment that featureCounts writes, .* {re.escape(command)} > counts.tsv"
    refused(tmp_path / name, problem, genes_in="rows")
    done = subprocess.run(command, shell=True, capture_output=True, check=True)
    (tmp_path / "counts.tsv").write_bytes(done.stdout)
    np.testing.assert_array_equal(read(tmp_path / "counts.tsv", genes_in="rows").X.toarray(), COUNTS)


def test_spaces_in_names_between_spaces(tmp_path):
    (tmp_path / "own.txt").write_text("g c1 c2\nA 1 2\nHLA A 1 2\n")
    refused(tmp_path / "own.txt", "line 3 has 4 fields, but 3 were expected; should names have spaces", genes_in="rows")


def test_lines_that_end_with_a_separator(tmp_path):
    (tmp_path / "own.csv").write_text("g,c1,c2,\nA,1,2,\nB,3,4,\n")
    refused(tmp_path / "own.csv", "should the lines end with a separator, take it away", genes_in="rows")


def test_the_line_is_right_in_a_later_block(tmp_path, monkeypatch):
    monkeypatch.setattr("zipo.datasets.formats.text.BLOCK", 30)
    rows = [f"g{i},{i},0\n" for i in range(50)]
    for bad, problem in (("g37,1\n", "has 2 fields"), ("g37,1,x\n", "has 'x'")):
        rows[37] = bad
        (tmp_path / "own.csv").write_text("g,c1,c2\n" + "".join(rows))
        refused(tmp_path / "own.csv", f"line 39 {problem}", genes_in="rows")


def test_text_that_is_not_utf_8(tmp_path):
    (tmp_path / "own.csv").write_bytes("g,c1\nGène,1\n".encode("latin-1"))
    refused(tmp_path / "own.csv", "not UTF-8 text .* iconv -f LATIN1 -t UTF-8", genes_in="rows")
    (tmp_path / "own.csv").write_text("g,c1\nG,1\n", encoding="utf-16")
    refused(tmp_path / "own.csv", "not UTF-8 text .* iconv -f UTF-16 -t UTF-8", genes_in="rows")


@pytest.mark.parametrize("names", [(UNIQUE, [f"c{i}" for i in range(6)]), ([f"g{j}" for j in range(8)], CELLS)])
def test_genes_that_are_not_where_the_source_says(tmp_path, names):
    table = pd.DataFrame(COUNTS.T, *names)
    table.to_csv(tmp_path / "rows.csv")
    table.T.to_csv(tmp_path / "columns.csv")
    refused(tmp_path / "rows.csv", "genes_in is columns, but .* should it be genes_in: rows", genes_in="columns")
    refused(tmp_path / "columns.csv", "genes_in is rows, but .* should it be genes_in: columns", genes_in="rows")


def test_a_table_with_columns_about_cells_alone(tmp_path):
    OBS[["type"]].to_csv(tmp_path / "own.csv")
    refused(tmp_path / "own.csv", "names no column of counts", genes_in="columns", cell_type="type")


def test_a_column_that_is_there_twice(tmp_path):
    table = pd.DataFrame(COUNTS, CELLS, UNIQUE)
    table.insert(0, "type", OBS["type"])
    table.insert(3, "type", OBS["donor"], allow_duplicates=True)
    table.to_csv(tmp_path / "own.csv")
    refused(tmp_path / "own.csv", "more than one column 'type' about the cells", genes_in="columns", **ABOUT)
