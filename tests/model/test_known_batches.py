"""A known batch is taken out of the latents, and cells can be denoised as if measured in the other one."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from tests.model.two_batches import in_two_batches, mixing
from zipo import ZiPo

# as many latents as there are cell types: with more than the cells need, some are left to tell batches
SMALL = {"encoder": "64-4", "batch_size": 32, "max_epochs": 40, "stop_patience": 8}


@pytest.fixture(scope="module")
def cells(simulated):
    return in_two_batches(simulated)


@pytest.fixture(scope="module")
def aware(cells):
    return ZiPo(seed=1, **SMALL, covariates=("batch",)).fit(cells)


def test_the_measure_of_mixing_knows_its_ends():
    rng = np.random.default_rng(0)
    batch, latent = np.repeat(["A", "B"], [100, 300]), rng.normal(size=(400, 3))
    assert mixing(latent, batch) == pytest.approx(1, abs=0.1)
    assert mixing(latent + 100 * (batch == "B")[:, None], batch) == 0


def test_latents_mix_better_where_the_batch_is_known(cells, aware):
    batch = cells.obs["batch"].to_numpy()
    latents = {
        name: model.latent(cells)
        for name, model in {"unaware": ZiPo(seed=1, **SMALL).fit(cells), "aware": aware}.items()
    }
    mixed = {name: mixing(latent, batch) for name, latent in latents.items()}
    apart = {name: silhouette_score(latent, batch) for name, latent in latents.items()}
    assert mixed["unaware"] < 0.1  # measured: 0.02
    assert mixed["aware"] > 0.5  # measured: 0.80
    assert apart["unaware"] > 0.2  # measured: 0.30
    assert apart["aware"] < 0.1  # measured: 0.02
    types = cells.obs["cell_type"].to_numpy()
    assert silhouette_score(latents["aware"], types) > silhouette_score(latents["unaware"], types)


def test_denoising_to_a_batch_changes_genes_by_what_it_does_to_them(cells, aware):
    to = {level: aware.denoise(cells, {"batch": level}) for level in "AB"}
    actual = np.log(to["B"].sum(axis=0) / to["A"].sum(axis=0))
    truth = np.log(cells.var["effect"].to_numpy())
    clear = (np.abs(truth) > 0.7) & (np.asarray(cells.X.mean(axis=0)).ravel() > 0.3)
    assert clear.sum() > 30
    np.testing.assert_array_equal(np.sign(actual[clear]), np.sign(truth[clear]))
    assert np.corrcoef(actual[clear], truth[clear])[0, 1] > 0.95
    assert np.polyfit(truth[clear], actual[clear], 1)[0] == pytest.approx(1, abs=0.25)


def test_cells_of_one_batch_are_denoised_to_what_the_other_would_have_counted(cells, aware):
    in_b = (cells.obs["batch"] == "B").to_numpy()
    gene = int(np.argmin(np.where(np.asarray(cells.X.mean(axis=0)).ravel() > 1, cells.var["effect"], 1)))
    in_a = cells.layers["rates_in_A"][in_b, gene] * (1 - cells.layers["zero_probability"][in_b, gene])
    effect = cells.var["effect"].iloc[gene]
    assert effect < 0.2
    actual = aware.denoise(cells[in_b], {"batch": "A"})[:, gene].mean()
    assert actual == pytest.approx(in_a.mean(), rel=0.35)
    as_measured = aware.denoise(cells[in_b])[:, gene].mean()
    assert as_measured == pytest.approx(effect * in_a.mean(), rel=0.35)
    np.testing.assert_array_equal(aware.denoise(cells[in_b], {"batch": "B"})[:, gene].mean(), as_measured)
