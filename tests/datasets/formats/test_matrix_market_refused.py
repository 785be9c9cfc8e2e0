"""Folders of 10x with a Matrix Market file that cannot be used are refused in one sentence that names the line."""

import shutil

import pytest
from scipy import io
from scipy.sparse import coo_matrix

from tests.datasets.writers import CELLS, COUNTS, IDS, read, refused, write_folder
from zipo.shared.errors import InputError

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
