"""The scanpy-style helper: the slots it fills, what it leaves alone, and that they survive a file."""

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csc_matrix

import zipo
from zipo import ZiPo
from zipo.engine.training import Training
from zipo.model import slots
from zipo.parameters import Parameters
from zipo.presets import OBJECTIVE
from zipo.shared.errors import InputError

SMALL = {"encoder": "4-2", "max_epochs": 3, "batch_size": 4, "covariates": ("cell_type",)}


def test_the_slots_are_what_the_model_says(counts):
    model = ZiPo.for_data(counts, seed=2, **SMALL).fit(counts)
    assert zipo.pp.denoise(counts, rates=True, seed=2, batch={"cell_type": "b"}, **SMALL) is None
    batch = {"cell_type": "b"}
    np.testing.assert_array_equal(counts.layers["denoised"], model.denoise(counts, batch=batch))
    np.testing.assert_array_equal(counts.obsm["X_zipo"], model.latent(counts))
    everywhere_b = counts.copy()
    everywhere_b.obs["cell_type"] = everywhere_b.obs["cell_type"].cat.set_categories(["a", "b", "c"])
    everywhere_b.obs.loc[:, "cell_type"] = "b"
    np.testing.assert_array_equal(counts.layers["rates"], model.rates(everywhere_b))
    np.testing.assert_array_equal(counts.obs["zipo_library_size"], model.library_size(everywhere_b))
    assert counts.uns["zipo"]["batch"] == batch


def test_nothing_else_changes(counts):
    before = counts.copy()
    denoised = zipo.pp.denoise(counts, copy=True, **SMALL)
    assert (list(counts.layers), list(counts.obsm), list(counts.uns)) == ([], [], [])
    assert (list(denoised.layers), list(denoised.obsm), list(denoised.uns)) == (["denoised"], ["X_zipo"], ["zipo"])
    assert list(denoised.obs) == ["cell_type", "age", "zipo_library_size"]
    assert (denoised.X != before.X).nnz == 0
    assert {str(each.dtype) for each in (denoised.layers["denoised"], denoised.obsm["X_zipo"])} == {"float32"}


def test_counts_may_stand_in_a_layer(counts):
    expected = zipo.pp.denoise(counts, copy=True, **SMALL)
    counts.layers["counts"] = csc_matrix(counts.X)
    counts.X = np.log1p(counts.X.toarray())
    zipo.pp.denoise(counts, layer="counts", **SMALL)
    np.testing.assert_array_equal(counts.layers["denoised"], expected.layers["denoised"])
    with pytest.raises(InputError, match="there is no layer 'raw'; there are counts, denoised"):
        zipo.pp.denoise(counts, layer="raw", **SMALL)


def test_counts_in_raw_may_have_the_genes_in_another_order(counts):
    expected = zipo.pp.denoise(counts, copy=True, **SMALL)
    processed = ad.AnnData(np.log1p(counts.X.toarray()), obs=counts.obs, var=counts.var)
    processed.raw = counts[:, [3, 0, 4, 2, 1]]
    assert list(processed.raw.var_names) != list(processed.var_names)
    zipo.pp.denoise(processed, layer="raw", **SMALL)
    np.testing.assert_array_equal(processed.layers["denoised"], expected.layers["denoised"])
    processed.raw = ad.AnnData(counts.X, obs=counts.obs, var=counts.var.rename(index={"gene-0": "other"}))
    with pytest.raises(InputError, match=r"raw: its 5 genes are not the 5 of X, .*; denoise adata\.raw\.to_adata\(\)"):
        zipo.pp.denoise(processed, layer="raw", **SMALL)


def test_what_was_done_is_told_in_plain_values_that_survive_a_file(counts, tmp_path):
    zipo.pp.denoise(counts, seed=2, **SMALL)
    counts.write_h5ad(tmp_path / "denoised.h5ad")
    actual, expected = ad.read_h5ad(tmp_path / "denoised.h5ad").uns["zipo"], counts.uns["zipo"]
    np.testing.assert_equal(actual, expected)
    history = actual["history"]
    best = actual["training"]["best_epoch"] - 1
    assert (actual["seed"], actual["settings"]["encoder"], actual["settings"]["covariates"]) == (2, "4-2", "cell_type")
    assert actual["versions"]["zipo"] == zipo.__version__
    assert actual["training"]["epochs"] == 3 == len(history["validation_nll"])
    assert actual["losses"] == {name: history[name][best] for name in history if name != "learning_rate"}
    assert set(actual["slots"]) == {"layers", "obsm", "obs"}
    assert "neither normalised" in actual["slots"]["layers"]["denoised"]
    assert actual["preset"] == "denoise"
    assert "batch" not in actual


def test_the_meanings_are_those_of_the_model(counts):
    given = {"inference": "amortised", "denoised": "mean"}
    of_preset, of_paper = slots.meanings(Parameters(**OBJECTIVE)), slots.meanings(Parameters())
    poisson = slots.meanings(Parameters(likelihood="poisson"))
    assert of_preset["layers/denoised"].startswith(
        "expected counts of each cell and gene, from l mu and the cell's own"
    )
    assert of_paper["layers/denoised"].startswith("expected counts (1 - z) l mu of each cell and gene: on the scale of")
    assert poisson["layers/denoised"].startswith("expected counts l mu of each cell and gene: on the scale of")
    assert ["zero inflation" in each["layers/rates"] for each in (of_preset, of_paper, poisson)] == [False, True, False]
    zipo.pp.denoise(counts, preset="paper", **SMALL | given)
    about = counts.uns["zipo"]
    assert (about["preset"], about["settings"]["likelihood"]) == ("paper", "zip")
    assert about["slots"]["layers"]["denoised"] == of_paper["layers/denoised"]


def test_a_diverged_training_fills_nothing(counts):
    with pytest.raises(InputError, match=r"diverged in epoch 1, .* lower learning_rate \(now 1e\+20\)"):
        zipo.pp.denoise(counts, **SMALL | {"learning_rate": 1e20, "batch_norm": "none", "activation": "gelu"})
    assert not counts.layers


def test_the_losses_told_are_those_of_the_weights_kept(counts):
    model = ZiPo(**SMALL).fit(counts)
    epochs = [{"learning_rate": 1.0, "training_loss": loss, "validation_loss": loss} for loss in (3.0, 1.0, 2.0)]
    model.training = Training("patience", 2, epochs)
    actual = slots.about(model, slots.slots(rates=False), model.check(counts))
    assert actual["losses"] == {"training_loss": 1.0, "validation_loss": 1.0}
    assert actual["training"] == {"epochs": 3, "best_epoch": 2, "stopped_by": "patience"}


def test_features_that_are_no_genes_are_warned_of(counts):
    counts.var["feature_types"] = ["Gene Expression"] * 4 + ["Antibody Capture"]
    with pytest.warns(UserWarning, match=r"1 of type 'Antibody Capture' are no genes, .* out by adata\[:, adata\.var"):
        zipo.pp.denoise(counts, **SMALL)
    assert counts.layers["denoised"].shape == (12, 5)
