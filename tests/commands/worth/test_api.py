"""zipo.check: what it fills, what it leaves alone, what it says and what it refuses."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

import zipo
from tests.commands.worth.conftest import SMALL
from zipo.shared.errors import InputError


def test_it_fills_three_slots_and_leaves_the_rest(structured, checked):
    adata, worth = checked
    added = (set(adata.obs) - set(structured.obs), set(adata.var) - set(structured.var), set(adata.uns))
    assert added == ({"zipo_explained"}, {"zipo_explained"}, {"zipo_check"})
    assert (adata.X != structured.X).nnz == 0
    pd.testing.assert_frame_equal(adata.obs[list(structured.obs)], structured.obs)
    assert (list(adata.layers), list(adata.obsm)) == (list(structured.layers), list(structured.obsm))
    few = worth.genes["held_out"] < 20
    assert 0 < few.sum() < len(few)
    np.testing.assert_array_equal(adata.var["zipo_explained"].isna(), few)
    np.testing.assert_array_equal(adata.var["zipo_explained"][~few], worth.genes["explained"][~few])
    np.testing.assert_array_equal(adata.obs["zipo_explained"], worth.cells["explained"])


def test_the_numbers_survive_a_file(checked, tmp_path):
    adata, worth = checked
    adata.write_h5ad(tmp_path / "checked.h5ad")
    state = ad.read_h5ad(tmp_path / "checked.h5ad").uns["zipo_check"]
    assert (state["verdict"], state["text"]) == (worth.verdict, worth.text())
    for name, estimate in worth.gains.items():
        np.testing.assert_array_equal(state["gains"][name], estimate)


def test_the_text_says_verdict_numbers_and_genes(checked):
    _, worth = checked
    text = worth.text()
    assert text.startswith("400 cells x 120 genes, preset denoise: a tenth of the molecules (")
    assert "\nWORTH IT: denoising predicts molecules that it did not see better than anything simple does." in text
    for estimate in worth.explained.values():
        assert estimate.in_percent in text
    assert f"{(worth.genes['judgement'] == 'explained').sum()} of 120 are predicted better than by their means" in text
    assert f"makes up there moves genes up and down by {worth.false_module:.0%} of their means" in text
    assert f"take nothing from other genes, have {worth.false_module_by_gene:.0%}." in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    ("module", "by_gene", "part"),
    [
        (0.35, 0.2, "Do not read correlations between genes off denoised counts of these data."),
        (0.25, 0.2, "shrunk gene by gene, which take nothing from other genes, have 20%."),
        (np.nan, np.nan, "What gene modules it makes up cannot be told"),
    ],
)
def test_modules_are_warned_of_where_they_exceed_what_shrinking_each_gene_makes(checked, module, by_gene, part):
    fields = vars(checked[1]) | {"false_module": module, "false_module_by_gene": by_gene}
    last = zipo.commands.worth.worth.Worth(**fields).text().split("\n\n")[-1]
    assert part in last
    assert ("Do not read" in last) == (module > 0.3)


def test_genes_that_are_not_to_be_believed_are_named(checked):
    _, worth = checked
    worth = zipo.commands.worth.worth.Worth(**vars(worth) | {"genes": worth.genes.copy()})
    worst = worth.genes["gain"].sort_values().index[:11]
    worth.genes["judgement"] = "explained"
    worth.genes["judgement"] = pd.Categorical(worth.genes["judgement"], checked[1].genes["judgement"].cat.categories)
    worth.genes.loc[worst, "judgement"] = "doubtful"
    assert set(worth.doubtful_genes) == set(worst)
    named = ", ".join(worst[:10])
    assert (
        f"Do not believe 11, which their means, or their counts shrunk to these, predict better:\n{named} and 1 more."
        in worth.text()
    )


def test_counts_may_stand_in_a_layer(structured, checked):
    adata = structured.copy()
    adata.layers["counts"] = adata.X
    adata.X = csr_matrix(np.log1p(structured.X.toarray()))
    worth = zipo.check(adata, layer="counts", device="cpu", **SMALL)
    assert worth.explained == checked[1].explained


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda adata: adata[:49].copy(), "49 cells are too few to tell what denoising is worth; give 50 at least"),
        (lambda adata: thinned(adata, 0.01), "too few to tell what denoising is worth; 1,000 at least are needed"),
        (lambda adata: logarithms(adata), "raw counts are needed"),
    ],
)
def test_what_cannot_be_checked_is_refused_and_nothing_filled(structured, change, problem):
    adata = change(structured)
    with pytest.raises(InputError, match=problem):
        zipo.check(adata, device="cpu", empty_cells="keep", **SMALL)
    assert not adata.uns
    assert "zipo_explained" not in adata.obs


def test_empty_cells_are_refused_unless_kept(structured):
    adata = structured.copy()
    adata.X = csr_matrix(adata.X.toarray() * (np.arange(400) > 2)[:, None])
    with pytest.raises(InputError, match="3 cells have no counts"):
        zipo.check(adata, device="cpu", **SMALL)
    zipo.check(adata, device="cpu", empty_cells="keep", **SMALL | {"max_epochs": 1})
    assert adata.obs["zipo_explained"].isna().to_numpy().nonzero()[0].tolist() == [0, 1, 2]


def test_a_diverged_training_fills_nothing(structured):
    adata = structured.copy()
    wild = {"learning_rate": 1e20, "batch_norm": "none", "activation": "gelu"}
    with pytest.raises(InputError, match="the training diverged in epoch 1"):
        zipo.check(adata, device="cpu", **SMALL | wild)
    assert not adata.uns


def thinned(adata, share):
    thin = adata.copy()
    thin.X = csr_matrix(np.random.default_rng(1).binomial(adata.X.toarray().astype(int), share).astype(np.float32))
    return thin


def logarithms(adata):
    other = adata.copy()
    other.X = csr_matrix(np.log1p(adata.X.toarray()))
    return other


def test_features_that_are_no_genes_are_warned_of(counts):
    counts.var["feature_types"] = ["Gene Expression"] * 4 + ["Peaks"]
    with pytest.warns(UserWarning, match="1 of type 'Peaks' are no genes"), pytest.raises(InputError, match="12 cells"):
        zipo.check(counts)
