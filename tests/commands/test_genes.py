"""The genes that take part: the most variable ones as scanpy finds them, or those of a file."""

import anndata as ad
import numpy as np
import pytest
import scanpy as sc

from zipo.commands import genes
from zipo.commands.genes import select_genes
from zipo.shared.errors import InputError


@pytest.mark.parametrize("backed", [False, True])
def test_the_most_variable_genes_are_those_that_scanpy_finds(cells, source, backed, monkeypatch):
    monkeypatch.setattr(genes, "ENTRIES", 1000)  # ten chunks
    monkeypatch.setattr(genes, "DENSE_ENTRIES", 300)  # of several blocks
    ranked = sc.experimental.pp.highly_variable_genes(cells, n_top_genes=15, inplace=False)
    adata = ad.read_h5ad(source, backed="r") if backed else cells
    selected = select_genes(adata, "15", "in.h5ad")
    assert list(selected) == list(np.flatnonzero(ranked["highly_variable"]))
    assert list(select_genes(adata, "1000", "in.h5ad")) == list(range(60))


def test_a_gene_without_counts_is_the_last_choice(cells):
    detected = cells.X.getnnz(axis=0) > 0
    assert 0 < (~detected).sum() < 10
    assert list(select_genes(cells, str(detected.sum()), "x")) == list(np.flatnonzero(detected))


def test_genes_of_a_file_come_in_the_order_of_the_data(cells, tmp_path):
    (tmp_path / "genes.txt").write_text("gene-9\n\ngene-2 \ngene-9\ngene-40\n")
    assert list(select_genes(cells, str(tmp_path / "genes.txt"), "x")) == [2, 9, 40]


@pytest.mark.parametrize("backed", [False, True])
@pytest.mark.parametrize("asked", ["59", "genes.txt"])
def test_names_that_occur_twice_are_refused_before_any_is_chosen(cells, tmp_path, zipo, backed, asked):
    twice = cells.copy()
    if not backed:
        twice.X = twice.X.toarray()
    twice.var_names = ["gene-1", "gene-1", *cells.var_names[2:]]
    (tmp_path / "genes.txt").write_text("gene-1\ngene-40\n")
    asked = asked if asked.isdecimal() else tmp_path / asked
    with pytest.raises(InputError, match="x: gene 'gene-1' occurs more than once"):
        select_genes(twice, str(asked), "x")
    twice.write_h5ad(tmp_path / "in.h5ad")
    code, _, err = zipo("denoise", tmp_path / "in.h5ad", tmp_path / "out.h5ad", "--genes", asked)
    assert code == 2
    assert err == (
        f"error: {tmp_path}/in.h5ad: gene 'gene-1' occurs more than once; gene names must be unique, as "
        "adata.var_names_make_unique() makes them in Python\n"
    )


@pytest.mark.parametrize(
    ("text", "asked", "problem"),
    [
        ("gene-1\nINS\nGCG\n", None, "2 of 3 genes are not in in.h5ad, the first is 'INS'"),
        ("gene-1\n", None, "fewer than two genes are named"),
        ("", "1", "--genes 1: too few"),
        ("", "many", "--genes many: neither a number of genes nor a file"),
    ],
)
def test_genes_that_will_not_do(cells, tmp_path, text, asked, problem):
    (tmp_path / "genes.txt").write_text(text)
    with pytest.raises(InputError, match=problem):
        select_genes(cells, asked or str(tmp_path / "genes.txt"), "in.h5ad")
