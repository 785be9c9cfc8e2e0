"""Cases of counts with a rare type, of other donors, batches and a trajectory."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from zipo.metrics.shared.case import Case, OtherDonors
from zipo.metrics.shared.rare_type import rarefied
from zipo.shared.errors import InputError


def data_set(types: list[str], genes: list[str]) -> ad.AnnData:
    """Each entry of X is 100 times its cell plus its gene, so that it can be told apart."""
    counts = 100 * np.arange(len(types))[:, None] + np.arange(len(genes)) + 1.0
    obs = pd.DataFrame({"cell_type": pd.Categorical(types)}, index=[f"cell-{i}" for i in range(len(types))])
    return ad.AnnData(csr_matrix(counts.astype(np.float32)), obs=obs, var=pd.DataFrame(index=genes))


def test_a_rare_type_is_one_in_a_hundred_and_the_others_are_kept():
    data = data_set(["alpha"] * 990 + ["beta"] * 200, ["A", "B"])
    rare = rarefied(data, "beta", seed=4)
    assert rare.obs["cell_type"].value_counts().to_dict() == {"alpha": 990, "beta": 10}
    positions = data.obs_names.get_indexer(rare.obs_names)
    assert (np.diff(positions) > 0).all()
    assert (data.X[positions] != rare.X).nnz == 0
    assert rare.uns["rare_type"] == "beta"
    assert not rare.obs_names.equals(rarefied(data, "beta", seed=5).obs_names)


def test_few_cells_leave_five_of_the_rare_type():
    assert (rarefied(data_set(["a"] * 40 + ["b"] * 6, ["A"]), "b", seed=1).obs["cell_type"] == "b").sum() == 5


@pytest.mark.parametrize(("cell_type", "cells"), [("b", 5), ("c", 0)])
def test_a_type_of_too_few_cells_cannot_be_made_rare(cell_type, cells):
    with pytest.raises(InputError, match=f"^cell type '{cell_type}': {cells} of 45 cells are of it; more than 5 are"):
        rarefied(data_set(["a"] * 40 + ["b"] * 5, ["A"]), cell_type, seed=1)


def test_other_donors_have_the_genes_in_common_in_the_order_of_the_case():
    data = data_set(["a", "b"], ["A", "B", "C"])
    donors = data_set(["b", "a", "a"], ["C", "D", "A"])
    donors.obs["batch"] = ["donor-1", "donor-2", "donor-1"]
    donors.obs["cell_type"] = pd.Categorical(["b", None, "a"])
    other = OtherDonors.of(donors, data)
    np.testing.assert_array_equal(other.genes, [0, 2])
    np.testing.assert_array_equal(other.counts.toarray(), donors[:, ["A", "C"]].X.toarray())
    assert other.cell_types.tolist() == ["b", "", "a"]
    assert other.donors.tolist() == ["donor-1", "donor-2", "donor-1"]


def test_batches_and_pseudotime_are_those_of_the_cells():
    data = data_set(["a", "b"], ["A"])
    answer = data.copy()
    answer.layers["denoised"] = np.ones((2, 1), np.float32)
    assert not {"batches", "pseudotime"} & Case.of(data, answer).has
    data.obs["batch"], data.obs["pseudotime"] = ["x", "x"], [0.0, 0.5]
    assert {"pseudotime"} == {"batches", "pseudotime"} & Case.of(data, answer).has  # one batch is none
    data.obs["batch"] = ["x", None]
    assert Case.of(data, answer).batches.tolist() == ["x", ""]
    assert "batches" not in Case.of(data, answer).has
    data.obs["batch"] = ["x", "y"]
    case = Case.of(data, answer, kind="rare")
    assert {"batches", "rare"} <= case.has
    assert case.pseudotime.tolist() == [0.0, 0.5]
