"""What denoising is worth, against the same numbers from scikit-learn, and verdicts on counts with a known answer."""

import anndata as ad
import numpy as np
import pytest
from sklearn.metrics import mean_poisson_deviance

import zipo
from tests.commands.worth.conftest import SMALL
from zipo import ZiPo
from zipo.commands.worth import measuring
from zipo.commands.worth.names import ZIPO
from zipo.datasets.thinning import thin
from zipo.methods import pca, shrinkage


@pytest.fixture(scope="module")
def parts(structured):
    """Training and held-out counts, and what is predicted of the latter."""
    training, held_out = thin(structured.X, 0.9, 1)
    data = ad.AnnData(training, obs=structured.obs, var=structured.var)
    model = ZiPo.for_data(data, device="cpu", **SMALL).fit(data)
    denoised = {
        ZIPO: model.denoise(data),
        "mixture": shrinkage.denoise(data, seed=1).layers["denoised"],
        "PCA": pca.denoise(data, seed=1).layers["denoised"],
    }
    x = training.toarray()
    least = np.maximum(0.01 * x.mean(axis=0) / 9, 1e-6)
    predicted = {name: np.maximum(values / 9, least).astype(float) for name, values in denoised.items()}
    predicted["gene means"] = np.maximum(x.sum(axis=1, keepdims=True) * x.sum(axis=0) / x.sum() / 9, least)
    return model, data, held_out.toarray(), predicted


def test_shares_and_gains_are_ratios_of_scikit_learns_deviances(checked, parts):
    _, _, held_out, predicted = parts
    worth = checked[1]
    deviance = {name: mean_poisson_deviance(held_out.ravel(), each.ravel()) for name, each in predicted.items()}
    for name in (ZIPO, "mixture", "PCA"):
        assert worth.explained[name].value == pytest.approx(1 - deviance[name] / deviance["gene means"], rel=1e-4)
        if name != ZIPO:
            assert worth.gains[name].value == pytest.approx(1 - deviance[ZIPO] / deviance[name], rel=1e-3)
    assert worth.gains["gene means"] == worth.explained[ZIPO]
    assert set(worth.gains) == {"gene means", "mixture", "gene by gene", "PCA"}


def test_genes_and_cells_are_explained_as_scikit_learn_has_it(checked, parts):
    _, _, held_out, predicted = parts
    worth = checked[1]
    single = [
        [mean_poisson_deviance(held_out[:, gene], predicted[name][:, gene]) for name in (ZIPO, "gene means")]
        for gene in range(120)
    ]
    np.testing.assert_allclose(worth.genes["explained"], [1 - each / base for each, base in single], atol=1e-4)
    fifth = [mean_poisson_deviance(held_out[5], predicted[name][5]) for name in (ZIPO, "gene means")]
    assert worth.cells["explained"].iloc[5] == pytest.approx(1 - fifth[0] / fifth[1], abs=1e-4)
    np.testing.assert_array_equal(worth.genes["held_out"], held_out.sum(axis=0))
    np.testing.assert_array_equal(worth.cells["held_out"], held_out.sum(axis=1))
    assert worth.held_out == held_out.sum()


def test_zeros_and_library_sizes_are_those_of_the_training_molecules(checked, parts):
    model, data, _, _ = parts
    worth, x = checked[1], data.X.toarray()
    size = model.distribution(data)
    rates, sizes = size["rates"].astype(float), size["size"].astype(float)
    np.testing.assert_allclose(worth.genes["zeros_observed"], (x == 0).mean(axis=0))
    np.testing.assert_allclose(
        worth.genes["zeros_expected"], ((sizes / (sizes + rates)) ** sizes).mean(axis=0), rtol=1e-3
    )
    ratios = model.denoise(data).sum(axis=1) / x.sum(axis=1)
    np.testing.assert_allclose(worth.library_ratio, np.quantile(ratios, [0.05, 0.5, 0.95]), rtol=1e-5)


def test_counts_of_types_and_programs_are_worth_denoising(checked):
    worth = checked[1]
    assert worth.verdict == "worth it"
    assert worth.permuted_gain.high < worth.gains["gene by gene"].low


def test_permuted_counts_are_not_worth_denoising(shuffled):
    worth = zipo.check(shuffled.copy(), device="cpu", **SMALL)
    assert worth.verdict in ("as well without", "do not denoise")
    assert worth.gains["gene means"].low > 0.1  # by the counts of each gene alone


def test_a_model_that_overfits_is_advised_against(shuffled):
    worth = zipo.check(shuffled[:120].copy(), device="cpu", **SMALL, denoised="mean")
    assert worth.verdict == "do not denoise"
    assert "without it, molecules are predicted better by counts" in worth.text()


def test_of_too_many_cells_some_are_drawn(structured, monkeypatch):
    monkeypatch.setattr(measuring, "MOST_ENTRIES", 120 * 100)
    adata = structured.copy()
    worth = zipo.check(adata, device="cpu", **SMALL | {"max_epochs": 2})
    assert (len(worth.cells), worth.cells_in_all) == (100, 400)
    assert set(worth.cells.index) == set(adata.obs_names[adata.obs["zipo_explained"].notna()])
    assert worth.text().startswith("100 cells, drawn from 400 x 120 genes, preset denoise")


def test_a_module_that_denoising_makes_up_is_measured(structured):
    """On permuted counts, gene means of which all genes go up and down together by two fifths."""

    class MakesUp:
        def denoised(self, training, _):
            x = training.toarray().astype(float)
            means = x.sum(axis=1, keepdims=True) * x.sum(axis=0) / x.sum()
            cells, genes = np.random.default_rng(5).choice([-1, 1], 400), np.repeat([-1, 1], 60)
            return None, means * (1 + 0.4 * np.outer(cells, genes))

    fields = measuring._of_permuted(structured.X, 1, MakesUp())
    assert fields["false_module"] == pytest.approx(0.4, rel=0.1)
    assert fields["false_module_by_gene"] < 0.2
