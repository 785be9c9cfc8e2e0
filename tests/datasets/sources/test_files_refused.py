"""Files and entries of the catalogue that cannot be used end in one sentence that names the place."""

import errno
import gzip
import re
import shutil
import subprocess
import sys
import warnings

import h5py
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy import io
from scipy.sparse import coo_matrix, csc_matrix, csr_matrix

from tests.datasets.writers import (
    ABOUT,
    CELLS,
    COUNTS,
    GENES,
    IDS,
    OBS,
    UNIQUE,
    annotated,
    read,
    write_folder,
    write_loom,
    write_v2,
    write_v3,
)
from zipo.datasets.formats.hdf5 import not_opened
from zipo.datasets.sources.files import FileSource
from zipo.shared.errors import InputError

PAGE = b"\n<!DOCTYPE html>\n<html><body>Not found</body></html>"


def refused(path, problem: str, **fields) -> None:
    with pytest.raises(InputError, match=problem) as error:
        read(path, **fields)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["own.h5ad", "own.h5", "own.loom", "own.csv", "own.tsv.gz"])
def test_files_that_are_none(tmp_path, name):
    table = {"genes_in": "rows"} if "sv" in name else {}
    path = tmp_path / name
    refused(path, "no such file", **table)
    path.touch()
    refused(path, r"the file is empty \(0 bytes\)", **table)
    path.write_bytes(PAGE)
    refused(path, "this is a web page, not data", **table)
    path.unlink()
    path.mkdir()
    refused(path, "this is a folder, but a file was expected", **table)


def test_suffixes_and_folders_that_are_not_known(tmp_path):
    (tmp_path / "own.xlsx").write_bytes(b"PK")
    refused(
        tmp_path / "own.xlsx", r"unknown suffix '\.xlsx'; known are \.h5ad, \.h5, \.csv, \.tsv, \.txt, \.loom .*folders"
    )
    refused(tmp_path / "absent", "no such folder", format="10x_mtx")
    refused(tmp_path, r"exactly one of matrix\.mtx, matrix\.mtx\.gz is needed, there is none")
    refused(tmp_path, "sha256 is the checksum of one file, but this is a folder", sha256="0" * 64)


def test_a_file_with_another_checksum(tmp_path):
    (tmp_path / "own.h5").write_bytes(b"other")
    refused(tmp_path / "own.h5", "has sha256 [0-9a-f]{64}, but the catalogue expects 0{64}", sha256="0" * 64)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda whole: whole[:-20], "the gzip ends too early, so the file is truncated"),
        (lambda whole: whole[:-8] + bytes(8), r"the gzip is damaged \(CRC check failed"),
        (lambda whole: whole[:40] + bytes(10) + whole[50:], "the gzip is damaged"),
        (lambda whole: b"gene,c1\nA,1\n", "not gzip, though its name says so"),
        (lambda whole: gzip.compress(PAGE), "this is a web page, not data"),
        (lambda whole: gzip.compress(b""), "line 1 is blank, but names of columns were expected"),
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


@pytest.mark.parametrize("lock", ["r+", "a"])
def test_a_file_that_another_program_has_open_is_not_damaged(tmp_path, lock):
    path = tmp_path / "own.h5ad"
    annotated(csr_matrix(COUNTS)).write_h5ad(path)
    program = f"import h5py; file = h5py.File({str(path)!r}, {lock!r}); print(flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        holder.stdout.readline()
        refused(path, r"a program, such as a notebook, has the file open; close it there .*HDF5_USE_FILE_LOCKING=FALSE")
    finally:
        holder.communicate("\n")
    np.testing.assert_array_equal(read(path).X.toarray(), COUNTS)


def test_a_file_that_was_not_closed_is_cleared_of_its_mark(tmp_path):
    path = tmp_path / "own.h5ad"
    program = f"import h5py, os; f = h5py.File({str(path)!r}, 'w', libver='latest'); f['x'] = 1; f.flush(); os._exit(0)"
    subprocess.run([sys.executable, "-c", program], check=True)
    refused(path, rf"or was killed while it had; .* h5clear -s {path}")


def test_locks_that_a_file_system_does_not_have(tmp_path):
    reason = "[Errno 37] Unable to synchronously open file (unable to lock file, errno = 37)"
    error = not_opened(OSError(errno.ENOLCK, reason), tmp_path)
    assert "its file system does not lock files (No locks available); set HDF5_USE_FILE_LOCKING=FALSE" in str(error)


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


def test_hdf5_of_another_kind_or_cut_short(tmp_path):
    write_v3(tmp_path / "own.h5")
    refused(tmp_path / "own.h5", r"no obs and var, so this is no \.h5ad; there are matrix", format="h5ad")
    refused(tmp_path / "own.h5", r"no row_attrs, so this is no \.loom; there are matrix", format="loom")
    annotated(csr_matrix(COUNTS)).write_h5ad(tmp_path / "own.h5ad")
    refused(tmp_path / "own.h5ad", "neither a group 'matrix' nor one of a genome.* there are X, ", format="10x_h5")
    whole = (tmp_path / "own.h5").read_bytes()
    (tmp_path / "own.h5").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "own.h5", r"damaged or incomplete .*truncated")
    (tmp_path / "own.h5").write_bytes(b"no HDF5")
    refused(tmp_path / "own.h5", "not an HDF5 file")


def test_layers_that_are_not_there(tmp_path):
    adata = annotated(csr_matrix(COUNTS))
    adata.layers["spliced"] = adata.layers["counts"] = csr_matrix(COUNTS)
    adata.write_h5ad(tmp_path / "own.h5ad")
    refused(tmp_path / "own.h5ad", "no layer 'raw'; there are counts, spliced", layer="raw")
    adata.raw, adata.X = adata, None
    adata.write_h5ad(tmp_path / "own.h5ad")
    refused(tmp_path / "own.h5ad", "no layer 'umi'; there are raw, counts, spliced", layer="umi")
    refused(tmp_path / "own.h5ad", "there is no X; name one of the layers: raw, counts, spliced")
    write_loom(tmp_path / "own.loom", h5py.string_dtype())
    refused(tmp_path / "own.loom", "no layer 'umi'; there are none", layer="umi")


def test_h5ad_whose_parts_do_not_fit(tmp_path):
    path = tmp_path / "own.h5ad"
    for change, problem in (
        (lambda x: x.attrs.__setitem__("shape", [6, 7]), "the matrix is 6 x 7, but there are 6 cells and 8 genes"),
        (lambda x: x["indices"].__setitem__(0, 99), "the matrix is damaged: indices must be < 8"),
    ):
        annotated(csr_matrix(COUNTS)).write_h5ad(path)
        with h5py.File(path, "a") as file:
            change(file["X"])
        refused(path, problem)


def test_loom_whose_parts_do_not_fit(tmp_path):
    path = tmp_path / "own.loom"
    for name, problem in (("Gene", "8 genes x 6 cells, but 7 genes and 6 cells"), ("gene", "has none of Gene, ")):
        write_loom(path, h5py.string_dtype())
        with h5py.File(path, "a") as file:
            del file["row_attrs/Gene"]
            file[f"row_attrs/{name}"] = GENES[:7]
        refused(path, problem)


NNZ = np.count_nonzero(COUNTS)


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"barcodes": CELLS[:5]}, "/matrix: the matrix is 8 genes x 6 cells, but 8 genes and 5 cells are named"),
        ({"indices": np.full(NNZ, 8)}, "/matrix: the matrix is damaged: indices must be < 8"),
        ({"indices": np.zeros(3, int)}, "/matrix: the matrix is damaged"),
        ({"data": np.ones(NNZ + 1, int)}, f"/matrix: {NNZ + 1} counts, but indptr ends otherwise"),
        ({"barcodes": CELLS[:1] * 6}, "cell 'AAACCTGAGA-1' occurs more than once"),
        ({"data": np.full(NNZ, -1)}, r"\(-1\) is negative"),
    ],
)
def test_10x_h5_whose_parts_do_not_fit(tmp_path, arrays, problem):
    write_v3(tmp_path / "own.h5", **arrays)
    refused(tmp_path / "own.h5", problem)


def test_10x_h5_without_a_part_or_without_genes(tmp_path):
    write_v3(tmp_path / "own.h5")
    with h5py.File(tmp_path / "own.h5", "a") as file:
        del file["matrix/features/id"]
    refused(tmp_path / "own.h5", "/matrix/features lacks id; there are feature_type, genome, name")
    write_v3(tmp_path / "own.h5", ["Antibody Capture"] * 8)
    refused(tmp_path / "own.h5", "no feature is of type 'Gene Expression'; there are Antibody Capture")
    write_v2(tmp_path / "own.h5", {"hg19": slice(0, 5), "mm10": slice(5, None)}, [CELLS, CELLS[::-1]])
    refused(tmp_path / "own.h5", "the genomes hg19, mm10 have different cells")


HEADER = "%%MatrixMarket matrix coordinate integer general\n% a comment\n8 6 2\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEADER + "1 1 5\n", "the file ends with line 4 and 1 entries, but the header says 2; it is truncated"),
        (HEADER, "the file ends with line 3 and 0 entries, but the header says 2; it is truncated"),
        (HEADER + "1 1 5\n2 1 1\n3 1 1\n", "line 6 is one entry more than the 2 of the header"),
        (HEADER + "1 1 5\n9 1 1\n", "line 5 is about gene 9 of 8 and cell 1 of 6, which lies outside"),
        (HEADER + "1 1 5\n1 7 1\n", "line 5 is about gene 1 of 8 and cell 7 of 6, which lies outside"),
        (HEADER + "0 1 5\n1 1 1\n", "line 4 is about gene 0 of 8 and cell 1 of 6, which lies outside"),
        (HEADER + "1 1 5\n1.5 1 1\n", r"line 5 is '1\.5 1 1', but three numbers are expected: gene, cell, count"),
        (HEADER + "1 1 5\n1 1\n", "line 5 is '1 1', but three numbers are expected"),
        (HEADER + "1 1 5 7\n1 1 1 1\n", "line 4 is '1 1 5 7', but three numbers are expected"),
        (HEADER + "1 1 5\n2 1 x\n", "line 5 is '2 1 x', but three numbers are expected"),
        (HEADER + "1 1 5\n\n2 1 1\n", "line 5 is '', but three numbers are expected"),
        (HEADER + "1 1 5\n2 1 -2\n", "line 5 has -2 where a count is expected"),
        (HEADER + "1 1 1.5\n2 1 2.5\n", r"line 4 has 1\.5 where .*; most entries are fractions, so the data look norm"),
        (HEADER + "1 1 5\n1 1 2\n", "lines 4 and 5 are about the same entry, gene 1 of cell 1; only one can be"),
        (
            HEADER.replace("8 6 2", "6 8 2"),
            "line 3, beside genes.tsv and barcodes.tsv: the matrix is 6 genes x 8 cells",
        ),
        (HEADER.replace("8 6 2", "8 6"), "line 3 is '8 6', but the numbers of genes, cells and entries are expected"),
        (HEADER.replace("8 6 2", "8 6 49"), "line 3 announces 49 entries in a matrix of 8 x 6"),
        (HEADER.replace("coordinate", "array"), "line 1 is not '%%MatrixMarket matrix coordinate"),
        (HEADER.replace("general", "symmetric"), "line 1 is not '%%MatrixMarket matrix coordinate"),
    ],
)
def test_matrix_market_files_that_are_wrong(tmp_path, text, problem):
    folder = write_folder(tmp_path / "own", "genes.tsv", False)
    (folder / "matrix.mtx").write_text(text)
    with pytest.raises(InputError, match=rf"^{folder}/matrix\.mtx: {problem}"):
        read(folder)


def test_fractions_in_a_file_of_integers_are_not_cut_off(tmp_path):
    folder = write_folder(tmp_path / "own", "genes.tsv", False)
    (folder / "matrix.mtx").write_text(HEADER + "1 1 5\n2 1 1.5\n")  # scipy reads a 1
    refused(folder, r"matrix\.mtx: line 5 has 1\.5 where a count is expected, a whole number; counts that .*; raw")


def test_folders_whose_parts_do_not_fit(tmp_path):
    folder = write_folder(tmp_path / "own", "genes.tsv", False)
    (folder / "barcodes.tsv").write_text("\n".join(CELLS[:5]))
    with pytest.raises(InputError, match=r"the matrix is 8 genes x 6 cells, but 8 genes and 5 cells are named"):
        read(folder)
    (folder / "genes.tsv").write_text(f"{IDS[0]}\tB\n{IDS[1]}\n")
    with pytest.raises(InputError, match=r"genes\.tsv: line 2 has 1 field, but 2 were expected"):
        read(folder)
    (folder / "features.tsv").touch()
    refused(
        folder, r"exactly one of features\.tsv, .* is needed, there is features\.tsv, genes\.tsv; give each sample a"
    )
    (folder / "genes.tsv").unlink()
    (folder / "features.tsv").unlink()
    refused(folder, r"exactly one of features\.tsv, .* is needed, there is none; put it there, or name it so")
    shutil.copy(folder / "matrix.mtx", folder / "matrix.mtx.gz")
    refused(folder, r"there is matrix\.mtx, matrix\.mtx\.gz; keep one of the two")


def test_matrices_whose_turn_or_titles_are_wrong(tmp_path):
    folder = write_folder(tmp_path / "own", "genes.tsv", False)
    (folder / "barcodes.tsv").write_text("\n".join(["barcode", *CELLS]))
    refused(folder, "8 genes and 7 cells are named; should the names begin with a line of titles, take that line away")
    (folder / "barcodes.tsv").write_text("\n".join(CELLS))
    with open(folder / "matrix.mtx", "wb") as file:
        io.mmwrite(file, coo_matrix(COUNTS))
    refused(folder, "the matrix is 6 genes x 8 cells, .* stored as cells x genes: transpose it")


def test_transposed_data_with_names_of_genes(tmp_path):
    adata = annotated(csr_matrix(COUNTS)).T
    adata.obs_names = IDS
    adata.write_h5ad(tmp_path / "own.h5ad")
    refused(tmp_path / "own.h5ad", r"the cell 'ENSG00000000000' has the name of a gene, .* by adata\.T")


def test_genes_that_a_spreadsheet_took_for_dates(tmp_path, capsys):
    table = pd.DataFrame(COUNTS.T, ["1-Mar", "2-Mar", *UNIQUE[2:]], CELLS)
    table.to_csv(tmp_path / "own.csv")
    assert list(read(tmp_path / "own.csv", genes_in="rows").var_names[:2]) == ["1-Mar", "2-Mar"]
    assert "own.csv: 2 genes have dates for names, as '1-Mar'" in capsys.readouterr().err
    table.index = ["1-Mar", "1-Mar", *UNIQUE[2:]]
    table.to_csv(tmp_path / "own.csv")
    refused(tmp_path / "own.csv", "gene '1-Mar' occurs more than once; .* dates of MARCH1 and SEPT2", genes_in="rows")


def test_a_layer_whose_name_has_a_slash(tmp_path):
    adata = annotated(csr_matrix(COUNTS))
    adata.layers["a/b"] = csr_matrix(COUNTS)
    with warnings.catch_warnings():  # which newer anndata warns of
        warnings.simplefilter("ignore")
        adata.write_h5ad(tmp_path / "own.h5ad")
    refused(tmp_path / "own.h5ad", r"anndata cannot read layers\['a/b'\], since a name may not have a '/'")


def test_labels_that_do_not_fit(tmp_path):
    path, own = tmp_path / "labels.csv", tmp_path / "own.h5"
    write_v3(own)
    options = {"labels": str(path), "cell_type": "type"}

    def labels_refused(table: pd.DataFrame, problem: str) -> None:
        table.to_csv(path)
        with pytest.raises(InputError, match=rf"^{path}: {problem}"):
            read(own, **options)

    labels_refused(OBS.iloc[[0, 2, 3, 5]], "2 of 6 cells have no row, the first is 'AAACCTGAGC-1'")
    labels_refused(OBS.set_axis(range(6)), "6 of 6 cells have no row, .* while the table has '0'")
    labels_refused(pd.concat([OBS, OBS[:1]]), "cell 'AAACCTGAGA-1' has more than one row")
    labels_refused(OBS.rename(columns={"type": "kind"}), "no column 'type' about the cells; there are kind, donor, age")
    OBS.to_csv(path)
    path.write_text(path.read_text().replace("AAACCTGAGC-1,alpha", "AAACCTGAGC-1"))
    with pytest.raises(InputError, match=rf"^{path}: line 3 has 3 fields, but 4 were expected"):
        read(own, **options)
    refused(own, "no column 'type' about the cells; there are none: name a table of labels", cell_type="type")


SHA = {"sha256": "0" * 64}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "give either path or url"),
        ({"path": "a.h5", "url": "https://host/a.h5"} | SHA, "give either path or url"),
        ({"url": "https://host/a.h5"}, "a url needs the sha256 of its file"),
        ({"url": "https://host/get?file=3"} | SHA, r"suffix must be one of \.h5ad, .* or format must be given"),
        ({"url": "https://host/a.h5", "format": "10x_mtx"} | SHA, "the url's suffix must be one of"),
        ({"url": "ftp://host/a.h5"} | SHA, "expected the address of a file"),
        ({"path": "https://host/a.h5"}, "path is a file on disk; give https://host/a.h5 as url, with its sha256"),
        ({"path": "a.csv.gz"}, "a table needs genes_in"),
        ({"path": "a.h5ad", "genes_in": "rows"}, "genes_in is for tables; h5ad says itself"),
        ({"path": "a.h5", "layer": "raw"}, "layer is for h5ad and loom; 10x_h5 has no layers"),
        ({"path": "a.h5", "labels": "b.csv"}, "labels needs the columns to take from it"),
        ({"path": "a.h5", "covariates": ["batch"]}, "a covariate may not be called cell_type or batch"),
    ],
)
def test_entries_that_do_not_fit_together(fields, problem):
    with pytest.raises(ValidationError, match=problem):
        FileSource(kind="file", **fields)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"path": "a/b.H5AD"}, "h5ad"),
        ({"path": "a/b.txt.gz", "genes_in": "rows"}, "table"),
        ({"path": "a/b.h5.gz"}, None),
        ({"path": "a/filtered_feature_bc_matrix"}, None),
        ({"path": "a/counts", "format": "loom"}, "loom"),
        ({"url": "https://host/GSM1%2Etsv.gz?x=1.h5", "genes_in": "rows"} | SHA, "table"),
    ],
)
def test_formats_by_suffix(fields, kind):
    assert FileSource(kind="file", **fields).known_format == kind


def test_files_of_one_name_lie_apart_among_the_downloads(tmp_path):
    one, other = (FileSource(kind="file", url="https://host/a/my%20b.h5?v=2", sha256=c * 64) for c in "ab")
    assert one.download(tmp_path) == tmp_path / "aaaaaaaaaaaa-my b.h5"
    assert other.download(tmp_path) == tmp_path / "bbbbbbbbbbbb-my b.h5"


def test_a_column_that_is_there_twice(tmp_path):
    table = pd.DataFrame(COUNTS, CELLS, UNIQUE)
    table.insert(0, "type", OBS["type"])
    table.insert(3, "type", OBS["donor"], allow_duplicates=True)
    table.to_csv(tmp_path / "own.csv")
    refused(tmp_path / "own.csv", "more than one column 'type' about the cells", genes_in="columns", **ABOUT)


def test_csc_that_is_damaged_is_found_before_it_is_turned(tmp_path):
    annotated(csc_matrix(COUNTS)).write_h5ad(tmp_path / "own.h5ad")
    with h5py.File(tmp_path / "own.h5ad", "a") as file:
        file["X/indices"][0] = 6
    refused(tmp_path / "own.h5ad", "the matrix is damaged: indices must be < 6")
