"""Models whose latents are refined for each cell: what they predict, for whom, and from where."""

import anndata as ad
import numpy as np
import pytest

from zipo import ZiPo
from zipo.datasets.thinning import thinned
from zipo.fine_tuning import fine_tuned

SMALL = {"encoder": "32-8", "batch_size": 32, "max_epochs": 15, "stop_patience": 5, "input": "normalised_log1p"}
REFINED = SMALL | {"likelihood": "nb", "dispersion": "gene", "library": "observed", "inference": "refined"}


@pytest.fixture(scope="module")
def split(simulated):
    training, held_out = thinned(simulated, 0.8, seed=3)
    return training, held_out.toarray()


@pytest.fixture(scope="module")
def fitted(split):
    return ZiPo(seed=1, denoised="posterior", rate_penalty="none", **REFINED).fit(split[0])


def deviance(expected: np.ndarray, observed: np.ndarray) -> float:
    expected = np.maximum(0.25 * expected, 1e-4)
    logs = np.where(observed > 0, observed * np.log(np.where(observed > 0, observed, 1) / expected), 0)
    return 2 * float(np.mean(logs - observed + expected))


def test_unseen_molecules_are_predicted_better_than_from_the_encoders_guess(split, fitted):
    training, held_out = split
    amortised = ZiPo(seed=1, rate_penalty="none", **REFINED | {"inference": "amortised"}).fit(training)
    ours = deviance(fitted.denoise(training), held_out)
    assert ours < deviance(amortised.denoise(training), held_out) - 0.01
    assert ours < deviance(training.X.toarray(), held_out) - 0.01


def test_denoised_counts_are_posterior_means_of_the_distribution(split, fitted):
    training, _ = split
    own = fitted.distribution(training)
    expected = own["rates"] * (own["size"] + training.X.toarray()) / (own["size"] + own["rates"])
    np.testing.assert_allclose(fitted.denoise(training), expected, rtol=1e-3, atol=1e-5)
    totals = training.X.sum(axis=0).A1 if hasattr(training.X.sum(axis=0), "A1") else training.X.sum(axis=0)
    ratio = np.asarray(fitted.denoise(training).sum(axis=0) / np.maximum(totals, 1))[np.asarray(totals) > 50]
    assert np.abs(np.median(ratio) - 1) < 0.02


def test_a_cell_is_denoised_alike_whatever_cells_are_beside_it(split, fitted):
    training, _ = split
    whole = fitted.denoise(training)
    for cells in (slice(5, 6), slice(40, 95)):
        np.testing.assert_allclose(fitted.denoise(training[cells]), whole[cells], rtol=0.02, atol=1e-3)


def test_a_model_from_its_folder_refines_the_same(split, fitted, tmp_path):
    training, _ = split
    fitted.save(tmp_path / "model")
    loaded = ZiPo.load(tmp_path / "model", device="cpu")
    np.testing.assert_array_equal(loaded.denoise(training[:50]), fitted.denoise(training[:50]))
    np.testing.assert_array_equal(loaded.latent(training[:50]), fitted.latent(training[:50]))


def test_counts_on_disk_give_the_same(split, fitted, tmp_path):
    training, _ = split
    training.write_h5ad(tmp_path / "counts.h5ad")
    stored = ad.read_h5ad(tmp_path / "counts.h5ad", backed="r")
    again = ZiPo(seed=1, denoised="posterior", rate_penalty="none", **REFINED).fit(stored)
    # batches come in another order from disk, so that the training before differs
    assert np.corrcoef(again.denoise(training).ravel(), fitted.denoise(training).ravel())[0, 1] > 0.98
    np.testing.assert_allclose(fitted.denoise(stored), fitted.denoise(training), rtol=0.02, atol=1e-3)
    stored.file.close()


def test_fine_tuning_goes_on_from_the_encoder_and_refines_anew(split, fitted):
    training, held_out = split
    tuned, _ = fine_tuned(fitted, training[:300], max_epochs=2)
    assert tuned.network.refines
    assert fitted.network.refines
    assert len(tuned.training.history) == 2
    ours = deviance(tuned.denoise(training[300:]), held_out[300:])
    assert ours < deviance(training.X[300:].toarray(), held_out[300:])


def test_deep_decoders_and_zero_inflation_are_refined_too(split):
    training, held_out = split
    for settings in ({"decoder": "16", "likelihood": "poisson"}, {"likelihood": "zip", "library": "predicted"}):
        model = ZiPo(seed=1, **SMALL | settings | {"inference": "refined"}).fit(training)
        guess = ZiPo(seed=1, **SMALL | settings).fit(training)
        assert model.loss(training) < guess.loss(training)
        assert deviance(model.denoise(training), held_out) < deviance(guess.denoise(training), held_out) + 0.01


def test_cells_denoised_to_a_level_keep_their_latents_and_what_their_counts_say(split):
    """The entry's own count is compared with what is expected of it in its own batch, not in that denoised to."""
    training = split[0].copy()
    training.obs["batch"] = np.where(np.arange(training.n_obs) % 2, "A", "B")
    model = ZiPo(seed=1, denoised="posterior", rate_penalty="none", covariates=("batch",), **REFINED).fit(training)
    own = {name: values.astype(float) for name, values in model.distribution(training).items()}
    predictions = list(model.predictions(training, {"batch": "A"}))
    rates, latent = (
        np.concatenate([getattr(prediction, name).numpy() for prediction in predictions])
        for name in ("rates", "latent")
    )
    np.testing.assert_array_equal(latent, model.latent(training))
    in_b = (training.obs["batch"] == "B").to_numpy()
    assert np.abs(np.log(rates[in_b] / own["rates"][in_b])).mean() > 0.01
    x, r = training.X.toarray(), own["size"]
    denoised = model.denoise(training, {"batch": "A"})
    np.testing.assert_allclose(denoised, rates * (r + x) / (r + own["rates"]), rtol=1e-4, atol=1e-6)
    se = model.denoised_se(training, {"batch": "A"})
    np.testing.assert_allclose(se, model.denoised_se(training) * rates / own["rates"], rtol=1e-3, atol=1e-6)
