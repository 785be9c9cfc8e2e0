"""Genes matched by name: reordered, filled with zeros, left out, and counted."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from zipo.datasets.on_disk import on_disk
from zipo.model.alignment import Alignment, aligned
from zipo.shared.errors import InputError


def names(*numbers: int) -> pd.Index:
    return pd.Index([f"gene-{j}" for j in numbers])


def test_genes_are_taken_by_name_and_the_missing_are_zeros(counts):
    before = counts.X.toarray()
    actual, alignment = aligned(counts, names(7, 3, 0, 9))
    expected = np.zeros((12, 4), np.float32)
    expected[:, 1], expected[:, 2] = before[:, 3], before[:, 0]
    np.testing.assert_array_equal(actual.X.toarray(), expected)
    assert list(actual.var_names) == ["gene-7", "gene-3", "gene-0", "gene-9"]
    pd.testing.assert_frame_equal(actual.obs, counts.obs)
    assert (alignment.shared, alignment.missing, alignment.extra) == (2, 2, 3)
    assert alignment.message == (
        "2 of the model's 4 genes are in the data, 2 are not and count as zeros, 3 others of the data are left out"
    )
    np.testing.assert_array_equal(counts.X.toarray(), before)


def test_counts_that_need_no_zeros_stay_on_disk(counts, tmp_path):
    counts.write_h5ad(tmp_path / "counts.h5ad")
    backed = ad.read_h5ad(tmp_path / "counts.h5ad", backed="r")
    actual, alignment = aligned(backed, names(4, 1))
    np.testing.assert_array_equal(
        on_disk(actual, "counts").read(np.arange(12)).toarray(), counts.X[:, [4, 1]].toarray()
    )
    assert alignment.message == "2 of the model's 2 genes are in the data, 3 others of the data are left out"
    filled, _ = aligned(backed, names(4, 1, 8))
    np.testing.assert_array_equal(filled.X.toarray()[:, :2], counts.X[:, [4, 1]].toarray())
    assert not filled.X[:, 2].nnz
    part, _ = aligned(backed[[5, 2], [4, 1, 0]], names(1, 4))
    np.testing.assert_array_equal(
        on_disk(part, "counts").read(np.arange(2)).toarray(), counts.X.toarray()[[5, 2]][:, [1, 4]]
    )
    same, alignment = aligned(backed, counts.var_names)
    assert same is backed
    assert alignment.message == "5 of the model's 5 genes are in the data"


def test_genes_of_the_data_may_follow_those_of_the_model(counts):
    alignment = Alignment.of(counts.var_names, names(7, 3), added=True)
    assert list(alignment.genes) == ["gene-7", "gene-3", "gene-0", "gene-1", "gene-2", "gene-4"]
    assert alignment.message.endswith("4 others of the data are added to the model")


def test_data_without_a_gene_in_common_are_refused(counts):
    with pytest.raises(InputError, match="none of the 5 genes of the data, such as 'gene-0', is among the 2 of"):
        aligned(counts, pd.Index(["INS", "GCG"]))
    with pytest.raises(InputError, match=r"2 of the model's 5 genes .* but not 'gene-7': .* with min_genes=0\.4$"):
        aligned(counts, names(7, 3, 0, 9, 8))
    assert aligned(counts, names(7, 3, 0, 9, 8), min_genes=0.4)[1].missing == 3
    counts.var_names = [*names(0, 1, 2, 3), "gene-0"]
    with pytest.raises(InputError, match="counts: gene 'gene-0' occurs more than once"):
        aligned(counts, names(0, 1))
