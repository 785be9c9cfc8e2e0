"""Counts of every format, told by name or contents, and refusals in one sentence."""

import os
import re

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csc_matrix, csr_matrix

from tests.datasets.writers import COUNTS, GENES, OBS, UNIQUE, annotated, write_folder, write_loom, write_v3
from zipo.commands import inputs
from zipo.shared.errors import InputError


def write_h5ad(x):
    return lambda path: annotated(x).write_h5ad(path)


def write_table(path):
    pd.DataFrame(COUNTS.T, index=UNIQUE, columns=OBS.index).to_csv(path)


@pytest.mark.parametrize(
    ("name", "write", "genes_in"),
    [
        ("x.h5ad", write_h5ad(csr_matrix(COUNTS)), None),
        ("x.h5ad", write_h5ad(csc_matrix(COUNTS)), None),
        ("x.h5ad", write_h5ad(COUNTS), None),
        ("x.h5", write_v3, None),
        ("matrices.hdf5", write_v3, None),
        ("x.data", write_h5ad(csr_matrix(COUNTS)), None),
        ("x.loom", lambda path: write_loom(path, h5py.string_dtype()), None),
        ("folder", lambda path: write_folder(path, "features.tsv", zipped=True, prefix="s1_"), None),
        ("x.csv.gz", write_table, "rows"),
    ],
)
def test_counts_of_every_format(tmp_path, name, write, genes_in):
    write(tmp_path / name)
    adata = inputs.read(tmp_path / name, genes_in=genes_in).counts
    assert list(adata.obs_names) == list(OBS.index)
    assert list(adata.var_names) == UNIQUE
    matrix = adata.X[:]
    np.testing.assert_array_equal(matrix.toarray() if hasattr(matrix, "toarray") else matrix, COUNTS)
    assert all(file.exists() for file in inputs.files_of(tmp_path / name))


def test_counts_by_cell_stay_on_disk_and_the_rest_of_an_h5ad_comes_along(tmp_path):
    stored = annotated(csr_matrix(COUNTS))
    stored.obsm["X_umap"], stored.uns["title"] = np.ones((6, 2)), "mine"
    stored.layers["raw_counts"] = csc_matrix(COUNTS + 1)
    stored.write_h5ad(tmp_path / "x.h5ad")
    assert inputs.read(tmp_path / "x.h5ad").counts.isbacked
    layer = inputs.read(tmp_path / "x.h5ad", layer="raw_counts")
    assert not layer.counts.isbacked
    np.testing.assert_array_equal(layer.counts.X.toarray(), COUNTS + 1)
    for adata in (inputs.read(tmp_path / "x.h5ad").data, layer.data):
        assert (list(adata.obsm), adata.uns["title"], list(adata.obs)) == (["X_umap"], "mine", list(OBS))


def test_the_raw_counts_of_a_processed_h5ad(tmp_path):
    raw = annotated(csr_matrix(COUNTS))
    raw.obs["type"] = raw.obs["type"].astype("category")
    processed = raw[:, :3].copy()
    processed.X = np.log1p(COUNTS[:, :3])
    processed.raw = raw
    processed.write_h5ad(tmp_path / "x.h5ad")
    adata = inputs.read(tmp_path / "x.h5ad", layer="raw").counts
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)
    assert list(adata.var_names) == UNIQUE


def test_genes_of_one_name_carry_their_accession(tmp_path):
    adata = annotated(csr_matrix(COUNTS))
    adata.var_names = GENES
    adata.write_h5ad(tmp_path / "x.h5ad")
    with pytest.warns(UserWarning, match="not unique"):
        ad.read_h5ad(tmp_path / "x.h5ad")
    assert list(inputs.read(tmp_path / "x.h5ad").counts.var_names) == UNIQUE


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("none.h5ad", {}, "none.h5ad: no such file or folder"),
        (
            "notes.pdf",
            {},
            "notes.pdf: not a format that zipo reads; counts can be .h5ad, 10x .h5, .loom, a folder with",
        ),
        ("notes.h5ad", {}, "notes.h5ad: not an HDF5 file"),
        ("matrix.mtx", {}, "give the folder in which it stands"),
        ("empty", {}, "empty: a folder without a matrix.mtx; counts can be"),
        ("notes.csv", {}, "say --genes-in rows or --genes-in columns"),
        ("notes.csv", {"layer": "raw", "genes_in": "rows"}, "--layer is for .h5ad and .loom"),
        ("void.csv", {}, r"void\.csv: the file is empty"),
        ("pipe.csv", {"genes_in": "rows"}, "this is a pipe or a device, but a file was expected"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, options, problem):
    (tmp_path / "empty").mkdir()
    for file in ("notes.pdf", "notes.h5ad", "matrix.mtx", "notes.csv"):
        (tmp_path / file).write_text("notes")
    (tmp_path / "void.csv").touch()
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match=problem):
        inputs.read(tmp_path / name, **options)


WORDS_OF_STUDIES = re.compile(r"format\b(?! that zipo reads)|filters|config/|genes_in|empty_cells:")


def write_swapped(path):
    pd.DataFrame(COUNTS, index=OBS.index, columns=[f"ENSG{i:011d}" for i in range(8)]).to_csv(path)


def write_lengths(path):
    adata = annotated(csr_matrix(COUNTS))
    adata.obs_names = ["Length", *OBS.index[1:]]
    adata.write_h5ad(path)


@pytest.mark.parametrize(
    ("name", "write", "options", "problem"),
    [
        ("none.h5ad", lambda path: None, (), "no such file or folder; correct the path to the counts"),
        ("x.h5ad", lambda path: path.write_text("x"), (), "not an HDF5 file, .* or give it its right name"),
        ("x.csv", lambda path: path.write_bytes(b"g,c\n\xff,1"), ("--genes-in", "rows"), "not UTF-8 text"),
        ("x.csv", write_swapped, ("--genes-in", "rows"), "--genes-in is rows, .* should it be --genes-in columns?"),
        ("x.h5ad", write_h5ad(csr_matrix(COUNTS * (np.arange(6) > 1)[:, None])), (), "--empty-cells keep"),
        (
            "x.h5ad",
            lambda path: annotated(csr_matrix(COUNTS))[:1].copy().write_h5ad(path),
            (),
            "1 cell is too few: 2 at least are needed to train",
        ),
        ("x.h5ad", lambda path: write_v3(path, ["Antibody Capture"] * 8), (), "no feature is of type"),
        ("x.h5ad", write_lengths, (), "the cell 'Length' has the name of featureCounts' column of lengths"),
        ("x", lambda path: path.mkdir(), (), "a folder without a matrix.mtx; counts can be"),
        ("x.h5ad", write_h5ad(csr_matrix(COUNTS)), ("--layer", "x"), "there is no layer 'x'"),
        ("x.h5ad", write_h5ad(csr_matrix(COUNTS / 2)), (), "is not a whole number"),
        (
            "x.h5ad",
            write_h5ad(csr_matrix(COUNTS)),
            ("--device", "cuda"),
            "--device cuda: torch .* --device cpu, or auto",
        ),
    ],
)
def test_the_command_line_speaks_of_its_own_options(tmp_path, zipo, monkeypatch, name, write, options, problem):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    if "cuda" in options:
        monkeypatch.setattr(inputs, "read", None)
    write(tmp_path / name)
    code, _, err = zipo("denoise", tmp_path / name, tmp_path / "out.h5ad", "--epochs", 1, *options)
    last = err.splitlines()[-1]
    assert code == 2
    assert re.search(problem, last)
    assert not WORDS_OF_STUDIES.search(last.replace(str(tmp_path), ""))
    assert not (tmp_path / "out.h5ad").exists()
