"""Every format gives back a known matrix exactly, out of files that other libraries wrote."""

import csv
import gzip
import tracemalloc

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
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
from zipo.datasets.sources import files
from zipo.datasets.sources.bundled import ScanpySource
from zipo.datasets.sources.files import FileSource


def check(adata: ad.AnnData, genes=UNIQUE, counts=COUNTS) -> None:
    assert isinstance(adata.X, csr_matrix)
    assert adata.X.dtype == np.float32
    assert adata.X.nnz == np.count_nonzero(counts)
    np.testing.assert_array_equal(adata.X.toarray(), counts)
    assert list(adata.obs_names) == CELLS
    assert list(adata.var_names) == genes


def check_about(adata: ad.AnnData) -> None:
    assert list(adata.obs.columns) == ["cell_type", "batch", "age"]
    assert adata.obs["cell_type"].tolist() == ["beta", "alpha", np.nan, "beta", "alpha", "beta"]
    assert adata.obs["batch"].tolist() == ["3", "3", "1", "1", "2", "2"]
    assert adata.obs["age"].tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert adata.obs["cell_type"].dtype == "category"
    assert adata.obs["batch"].dtype == "category"


@pytest.mark.parametrize("kind", [csr_matrix, csc_matrix, np.asarray])
@pytest.mark.parametrize("where", [None, "raw", "counts"])
def test_h5ad(tmp_path, kind, where):
    stored = kind(COUNTS.astype(np.float64))
    adata = annotated(stored if where is None else np.log1p(COUNTS[:, ::-1]))
    if where == "raw":
        adata.raw = annotated(stored)
        adata = adata[:, 2:5].copy()  # raw may have more genes
    elif where:
        adata.layers[where] = stored
    adata.write_h5ad(tmp_path / "own.h5ad", compression="gzip")
    adata = read(tmp_path / "own.h5ad", layer=where, **ABOUT)
    check(adata)
    check_about(adata)
    assert adata.var["gene_id"].tolist() == IDS


def test_h5ad_with_duplicate_symbols(tmp_path):
    adata = annotated(csr_matrix(COUNTS))
    adata.var_names = GENES
    adata.write_h5ad(tmp_path / "own.h5ad")
    check(read(tmp_path / "own.h5ad"))


def test_h5ad_of_the_first_format():
    source = ScanpySource(kind="scanpy", name="pbmc68k_reduced", sha256="0" * 64)
    with pytest.raises(ValueError, match=r"10x_pbmc68k_reduced\.h5ad: the count of gene .* look normalised"):
        read(source.file(), layer="raw")


def test_stored_zeros_are_no_detections(tmp_path):
    full = csr_matrix(np.ones(COUNTS.shape))
    full.data = COUNTS.ravel().astype(float)
    annotated(full).write_h5ad(tmp_path / "own.h5ad")
    check(read(tmp_path / "own.h5ad"))


def test_10x_h5_of_cell_ranger_3(tmp_path):
    write_v3(tmp_path / "own.h5")
    check(read(tmp_path / "own.h5"))
    np.testing.assert_array_equal(quietly(sc.read_10x_h5, tmp_path / "own.h5").X.toarray(), COUNTS)


def test_10x_h5_of_cell_ranger_2(tmp_path):
    write_v2(tmp_path / "own.h5", {"GRCh38": slice(None)})
    check(read(tmp_path / "own.h5"))
    np.testing.assert_array_equal(quietly(sc.read_10x_h5, tmp_path / "own.h5").X.toarray(), COUNTS)


def test_10x_h5_of_two_genomes_with_the_same_cells(tmp_path):
    write_v2(tmp_path / "own.h5", {"hg19": slice(0, 5), "mm10": slice(5, None)})
    check(read(tmp_path / "own.h5"))


def quietly(function, *args) -> ad.AnnData:
    with pytest.warns(UserWarning, match="not unique"):
        return function(*args)


MIXED = ["Gene Expression", "Antibody Capture"] * 4


def check_left_out(adata: ad.AnnData, capsys) -> None:
    check(adata, ["B", "NA", "HLA-A", "1"], COUNTS[:, ::2])
    assert adata.uns["left_out_features"] == {"Antibody Capture": 4}
    assert "left out 4 features of type 'Antibody Capture'" in capsys.readouterr().err


def test_features_that_are_no_genes_are_left_out_and_counted(tmp_path, capsys):
    write_v3(tmp_path / "own.h5", MIXED)
    check_left_out(read(tmp_path / "own.h5"), capsys)
    check_left_out(read(write_folder(tmp_path / "folder", "features.tsv", True, MIXED)), capsys)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("features", ["genes.tsv", "features.tsv"])
@pytest.mark.parametrize("prefix", ["", "GSM1_liver_"])
def test_10x_folder(tmp_path, zipped, features, prefix):
    types = ["Gene Expression"] * 8 if features == "features.tsv" else None
    folder = write_folder(tmp_path / "own", features, zipped, types, prefix)
    check(read(folder))
    if zipped == (types is not None):  # the two that Cell Ranger writes
        again = sc.read_10x_mtx(folder, prefix=prefix)
        np.testing.assert_array_equal(again.X.toarray(), COUNTS)


def test_a_folder_can_have_a_real_matrix_and_no_symbols(tmp_path):
    folder = write_folder(tmp_path / "own", "genes.tsv", False)
    io.mmwrite(folder / "matrix.mtx", coo_matrix(COUNTS.T.astype(float)))
    (folder / "genes.tsv").write_text("\n".join(IDS) + "\n")
    check(read(folder), IDS)


@pytest.mark.parametrize("block", [7, 1 << 25])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "%%MatrixMarket matrix coordinate real general\n8 6 3\n3 1 2.000000000000000e+00\n1 1 1.0\n8 6 7e0\n",
        "%%matrixmarket Matrix Coordinate INTEGER general\r\n%\r\n\r\n8 6 3\r\n3 1 2\r\n1 1 1\r\n8 6 7\r\n",
        "\ufeff%%MatrixMarket matrix coordinate integer general\n8\t6\t3\n 8 6\t7\n3  1 2 \n1 1 +1",
        "%%MatrixMarket matrix coordinate integer general\n8 6 4\n3 1 2\n1 1 1\n8 6 7\n8 5 0" + "\n \n" * 9,
    ],
)
def test_matrix_market_texts_that_mean_the_same(tmp_path, text, zipped, block, monkeypatch):
    monkeypatch.setattr("zipo.datasets.formats.matrix_market.BLOCK", block)
    folder = write_folder(tmp_path / "own", "genes.tsv", zipped)
    content = text.encode()
    (folder / f"matrix.mtx{'.gz' * zipped}").write_bytes(gzip.compress(content) if zipped else content)
    counts = np.zeros_like(COUNTS)
    counts[0, 2], counts[0, 0], counts[5, 7] = 2, 1, 7
    check(read(folder), counts=counts)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"])
@pytest.mark.parametrize("genes_in", ["rows", "columns"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC])
def test_tables(tmp_path, suffix, genes_in, quoting):
    genes = ["A,b", 'C"d', "NA", "7", "HLA A", "TBCE", "1", "MT-ND1"]
    table = pd.DataFrame(COUNTS, CELLS, genes)
    path = tmp_path / f"own{suffix}"
    separator = "," if suffix.startswith(".csv") else "\t"
    (table.T if genes_in == "rows" else table).to_csv(path, sep=separator, quoting=quoting)
    check(read(path, genes_in=genes_in), genes)


@pytest.mark.parametrize("genes_in", ["rows", "columns"])
def test_tables_are_read_in_blocks(tmp_path, genes_in, monkeypatch):
    monkeypatch.setattr("zipo.datasets.formats.text.BLOCK", 40)  # about two lines
    table = pd.DataFrame(COUNTS, CELLS, UNIQUE)
    (table.T if genes_in == "rows" else table).to_csv(tmp_path / "own.csv", lineterminator="\r\n")
    check(read(tmp_path / "own.csv", genes_in=genes_in))


def test_a_table_as_r_writes_it(tmp_path):
    """Names in quotes, spaces between, no corner cell; counts with a point, and a blank line at the end."""
    lines = [" ".join(f'"{cell}"' for cell in CELLS)]
    lines += [f'"{gene}" ' + " ".join(f"{n:.1f}" for n in row) for gene, row in zip(UNIQUE, COUNTS.T, strict=True)]
    (tmp_path / "own.txt").write_text("\n".join(lines) + "\n\n")
    check(read(tmp_path / "own.txt", genes_in="rows"))


def test_columns_about_cells_are_taken_out_of_a_table_with_genes_in_columns(tmp_path):
    table = pd.DataFrame(COUNTS, CELLS, UNIQUE)
    for at, name in ((0, "type"), (4, "donor"), (10, "age")):
        table.insert(at, name, OBS[name])
    table.to_csv(tmp_path / "own.csv", quoting=csv.QUOTE_NONNUMERIC)
    adata = read(tmp_path / "own.csv", genes_in="columns", **ABOUT)
    check(adata)
    check_about(adata)


def test_a_table_needs_little_more_memory_than_its_sparse_counts(tmp_path):
    genes, cells = 2000, 5000
    counts = np.random.default_rng(1).poisson(0.11, size=(genes, cells)).astype(np.int8)
    with open(tmp_path / "own.csv", "w") as file:
        file.write("," + ",".join(f"c{i}" for i in range(cells)) + "\n")
        file.writelines(f"g{j}," + ",".join(map(str, row.tolist())) + "\n" for j, row in enumerate(counts))
    tracemalloc.start()
    try:
        adata = read(tmp_path / "own.csv", genes_in="rows")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert adata.X.nnz == np.count_nonzero(counts)
    assert peak < 3 * 8 * adata.X.nnz + 90e6  # a constant for the block that is dense, not a multiple of the table


@pytest.mark.parametrize("string", [h5py.string_dtype(), "S40"])
@pytest.mark.parametrize("layers", [(), ("spliced", "raw")])
def test_loom(tmp_path, string, layers, monkeypatch):
    monkeypatch.setattr("zipo.datasets.formats.hdf5.BLOCK", 100)  # a few rows at once
    types = OBS["type"].fillna("").tolist()
    write_loom(tmp_path / "own.loom", string, layers, type=types, donor=OBS["donor"], age=OBS["age"])
    adata = read(tmp_path / "own.loom", layer=layers[-1] if layers else None, **ABOUT)
    check(adata)
    check_about(adata)


@pytest.mark.parametrize(("suffix", "separator"), [(".csv", ","), (".tsv.gz", "\t")])
def test_labels_are_matched_by_name(tmp_path, suffix, separator):
    more = pd.DataFrame({"type": ["gamma"], "donor": [9], "age": [7.0]}, index=["another cell"])
    path = tmp_path / f"labels{suffix}"
    pd.concat([OBS.iloc[::-1], more]).to_csv(path, sep=separator)
    write_v3(tmp_path / "own.h5")
    adata = read(tmp_path / "own.h5", labels=str(path), **ABOUT)
    check(adata)
    check_about(adata)
    assert files.files_of(tmp_path / "own.h5", FileSource(kind="file", path="own.h5", labels=str(path), **ABOUT)) == [
        tmp_path / "own.h5",
        path,
    ]


def test_labels_win_over_the_file_and_text_covariates_become_categories(tmp_path):
    annotated(csr_matrix(COUNTS)).write_h5ad(tmp_path / "own.h5ad")
    labels = pd.DataFrame({"type": list("xyxyxy"), "sex": ["f", "m", "NA", "f", "m", ""]}, CELLS)
    labels.to_csv(tmp_path / "labels.csv")
    adata = read(tmp_path / "own.h5ad", labels=str(tmp_path / "labels.csv"), cell_type="type", covariates=["sex"])
    assert adata.obs["cell_type"].tolist() == list("xyxyxy")
    assert adata.obs["sex"].tolist() == ["f", "m", np.nan, "f", "m", np.nan]


def test_matrix_market_of_unsigned_integers(tmp_path):
    folder = write_folder(tmp_path / "own", "genes.tsv", False)
    with open(folder / "matrix.mtx", "wb") as file:
        io.mmwrite(file, coo_matrix(COUNTS.T.astype(np.uint32)))
    assert b"unsigned-integer" in (folder / "matrix.mtx").read_bytes()[:60]
    check(read(folder))


@pytest.mark.parametrize("end", ["\n", "\n\n", "\r\n \r\n", "\t\n"])
def test_blank_lines_at_the_end_of_names_are_passed_over(tmp_path, end):
    folder = write_folder(tmp_path / "own", "features.tsv", False, ["Gene Expression"] * 8)
    for name in ("features.tsv", "barcodes.tsv"):
        with open(folder / name, "a", newline="") as file:
            file.write(end)
    check(read(folder))


def test_blank_last_fields_are_no_blank_lines(tmp_path):
    folder = write_folder(tmp_path / "own", "features.tsv", False)
    (folder / "features.tsv").write_text("".join(f"{a}\t{b}\t\n" for a, b in zip(IDS, GENES, strict=True)))
    check(read(folder))


def test_hidden_files_of_macos_are_passed_over(tmp_path):
    folder = write_folder(tmp_path / "own", "features.tsv", True)
    for name in ("matrix.mtx.gz", "features.tsv.gz", "barcodes.tsv.gz"):
        (folder / f"._{name}").write_bytes(b"\0\5\26\7")
    (folder / ".DS_Store").touch()
    check(read(folder))


@pytest.mark.parametrize("types", [["protein_coding"] * 7 + ["lncRNA"], [f"chr{i}" for i in range(8)]])
def test_a_third_column_of_something_else_than_types_leaves_all_genes(tmp_path, capsys, types):
    check(read(write_folder(tmp_path / "own", "features.tsv", False, types)))
    assert f"'{types[0]}', in the place of a feature's type, is none of 10x; all features" in capsys.readouterr().err


def test_10x_h5_without_types_has_genes_alone(tmp_path):
    """As CellBender writes it."""
    write_v3(tmp_path / "own.h5")
    with h5py.File(tmp_path / "own.h5", "a") as file:
        del file["matrix/features/feature_type"], file["matrix/features/genome"]
    check(read(tmp_path / "own.h5"))


def test_counts_beyond_float32s_whole_numbers_are_rounded_in_all_formats(tmp_path):
    counts = COUNTS.copy()
    counts[2, 3] = (1 << 24) + 1  # float32 has 2^24 and 2^24 + 2
    expected = counts.astype(np.float32)
    folder = write_folder(tmp_path / "own", "genes.tsv", False)
    with open(folder / "matrix.mtx", "wb") as file:
        io.mmwrite(file, coo_matrix(counts.T))
    write_v3(tmp_path / "own.h5")
    with h5py.File(tmp_path / "own.h5", "a") as file:
        place = list(file["matrix/data"][:]).index(70_000)
        file["matrix/data"][place] = counts[2, 3]
    annotated(csr_matrix(counts)).write_h5ad(tmp_path / "own.h5ad")
    pd.DataFrame(counts, CELLS, UNIQUE).to_csv(tmp_path / "own.csv")
    for name in ("own", "own.h5", "own.h5ad"):
        check(read(tmp_path / name), counts=expected)
    check(read(tmp_path / "own.csv", genes_in="columns"), counts=expected)


def test_as_many_genes_as_cells_are_told(tmp_path, capsys):
    folder = write_folder(tmp_path / "own", "genes.tsv", False)
    (folder / "genes.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in zip(IDS[:6], "ABCDEF", strict=True)))
    with open(folder / "matrix.mtx", "wb") as file:
        io.mmwrite(file, coo_matrix(COUNTS.T[:6]), symmetry="general")
    check(read(folder), list("ABCDEF"), COUNTS[:, :6])
    assert "as many genes as cells; its rows are taken for the genes" in capsys.readouterr().err
