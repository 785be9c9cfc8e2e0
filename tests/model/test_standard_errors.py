"""Standard errors as users get them: they hold the truth as often as they should where the model is right."""

import shutil

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import norm

import zipo
from zipo import ZiPo
from zipo.model import slots
from zipo.model.output import check_room
from zipo.output import write_denoised
from zipo.presets import OBJECTIVE
from zipo.shared.errors import InputError

CELLS, GENES, TYPE_SPREAD = 400, 150, 0.5
SMALL = {"encoder": "32-3", "batch_size": 32, "max_epochs": 20, "stop_patience": 5}
NINETY = norm.ppf(0.95)


@pytest.fixture(scope="module")
def cells() -> ad.AnnData:
    """Counts of two latents and an NB of size 5; the rates of the latents and of each entry are kept."""
    rng = np.random.default_rng(5)
    latent, loadings = rng.normal(size=(CELLS, 2)), rng.normal(0, TYPE_SPREAD, size=(GENES, 2))
    state = rng.gamma(1.0, 1.0, GENES) * np.exp(latent @ loadings.T)
    state *= rng.lognormal(np.log(500), 0.3, size=(CELLS, 1)) / state.sum(axis=1, keepdims=True)
    rates = rng.gamma(5.0, state / 5.0)
    counts = csr_matrix(rng.poisson(rates).astype(np.float32))
    return ad.AnnData(counts, layers={"state": state, "rates": rates})


@pytest.fixture(scope="module")
def model(cells) -> ZiPo:
    return ZiPo(seed=1, **SMALL, **OBJECTIVE).fit(cells)


def coverage(truth: np.ndarray, estimate: np.ndarray, error: np.ndarray) -> float:
    """Share of the truth within intervals of 90 %."""
    return float((np.abs(truth - estimate) <= NINETY * error).mean())


def test_intervals_hold_the_truth_as_often_as_they_should(cells, model):
    error = model.denoised_se(cells)
    assert 0.85 < coverage(cells.layers["rates"], model.denoise(cells), error) < 0.95
    assert (error.shape, error.dtype) == ((CELLS, GENES), np.float32)
    # nor are they all of one width: where the error is expected to be large, it is
    missed = np.square(cells.layers["rates"] - model.denoise(cells)).ravel()
    order = np.argsort(error.ravel())
    for part in np.array_split(order, 4)[1:]:
        assert np.square(error.ravel()[part]).mean() == pytest.approx(missed[part].mean(), rel=0.25)


def test_intervals_of_means_hold_the_rates_of_the_state(cells):
    means = ZiPo(seed=1, **SMALL, **OBJECTIVE | {"denoised": "mean"}).fit(cells)
    covered = coverage(cells.layers["state"], means.denoise(cells), means.denoised_se(cells))
    assert 0.85 < covered < 0.95
    assert covered > coverage(cells.layers["rates"], means.denoise(cells), means.denoised_se(cells)) + 0.1


def test_a_model_from_its_folder_gives_the_same(cells, model, tmp_path):
    model.save(tmp_path / "model")
    loaded = ZiPo.load(tmp_path / "model", device="cpu")
    np.testing.assert_array_equal(loaded.denoised_se(cells[:50]), model.denoised_se(cells[:50]))
    np.testing.assert_array_equal(loaded.latent_se(cells[:50]), model.latent_se(cells[:50]))


def test_slots_of_a_file_are_what_the_model_says(cells, model, tmp_path):
    write_denoised(model, cells, tmp_path / "out.h5ad", standard_errors=True)
    written = ad.read_h5ad(tmp_path / "out.h5ad")
    np.testing.assert_array_equal(written.layers["denoised_se"], model.denoised_se(cells))
    np.testing.assert_array_equal(written.obsm["X_zipo_se"], model.latent_se(cells))
    meanings = written.uns["zipo"]["slots"]
    assert "the cell's own true expected counts" in meanings["layers"]["denoised_se"]
    assert "standard errors" in meanings["obsm"]["X_zipo_se"]


def test_room_is_needed_for_them(cells, model, tmp_path, monkeypatch):
    write_denoised(model, cells, tmp_path / "out.h5ad", standard_errors=True)
    size = (tmp_path / "out.h5ad").stat().st_size
    usage = shutil.disk_usage(tmp_path)._replace(free=int(0.9 * size))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    check_room(cells, tmp_path / "new.h5ad", slots.slots(rates=False), latents=3)
    with pytest.raises(InputError, match="MB are needed, but its disk has"):
        check_room(cells, tmp_path / "new.h5ad", slots.slots(rates=False, standard_errors=True), latents=3)


def test_slots_of_an_anndata(cells):
    given = ad.AnnData(cells.X[:60].copy())
    tiny = {"encoder": "4-2", "max_epochs": 2, "batch_size": 16}
    zipo.pp.denoise(given, seed=2, standard_errors=True, **tiny)
    same = ZiPo.for_data(given, seed=2, **tiny).fit(given)
    np.testing.assert_allclose(given.layers["denoised_se"], same.denoised_se(given), rtol=1e-4)
    np.testing.assert_allclose(given.obsm["X_zipo_se"], same.latent_se(given), rtol=1e-4)


@pytest.mark.parametrize("setting", [{"decoder": "8"}, {"likelihood": "zip", "library": "predicted"}], ids=str)
def test_decoders_that_are_not_refined_are_taken_as_known(cells, setting):
    model = ZiPo(seed=1, **SMALL | {"max_epochs": 2, "inference": "refined"} | setting).fit(cells)
    error = model.denoised_se(cells[:20])
    assert (error > 0).all()
    assert np.isfinite(error).all()
    assert not model.network.prior_of_latents.weights.axes.any()


def test_guessed_latents_have_none(cells, tmp_path, monkeypatch):
    guessed = ZiPo(seed=1, encoder="4-2", max_epochs=1, batch_size=32)
    guessed.fit(cells)
    monkeypatch.setattr(ZiPo, "fresh_network", None)  # training is an error
    for call in (
        lambda: guessed.denoised_se(cells),
        lambda: guessed.latent_se(cells),
        lambda: write_denoised(guessed, cells, tmp_path / "out.h5ad", standard_errors=True),
        lambda: zipo.pp.denoise(cells, preset="paper", copy=True, standard_errors=True),
    ):
        with pytest.raises(InputError, match="this model has inference: amortised; fit one with inference: refined"):
            call()
    assert not list(tmp_path.iterdir())
