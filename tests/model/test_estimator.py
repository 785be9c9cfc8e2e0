"""The estimator: recovery of a known truth, covariates, and refusals before training."""

import math

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from scipy.sparse import csc_matrix, csr_matrix
from scipy.stats import spearmanr

from zipo import ZiPo
from zipo.engine.checkpoints import Checkpoints, Stopped
from zipo.methods import known
from zipo.methods import zipo as method
from zipo.model.split import split
from zipo.parameters import Parameters
from zipo.presets import parameters_for, sizes_for
from zipo.shared.errors import InputError, NotFitted

SMALL = {"encoder": "64-16", "batch_size": 32, "max_epochs": 40, "stop_patience": 8}


@pytest.fixture(scope="module")
def fitted(simulated):
    parts = split(simulated.n_obs, 1, 0.1, 0.1)
    return ZiPo(seed=1, **SMALL).fit(simulated[parts.training], simulated[parts.validation]), parts.test


def test_rates_are_closer_to_the_truth_than_the_counts_are(simulated, fitted):
    model, test = fitted
    cells = simulated[test]
    truth, counts, rates = (
        np.log1p(values) for values in (cells.layers["true_rates"], cells.X.toarray(), model.rates(cells))
    )

    def by_gene(values):
        detected = np.flatnonzero(counts.any(axis=0))
        return np.mean([spearmanr(values[:, g], truth[:, g])[0] for g in detected])

    def by_cell(values):
        return np.mean([spearmanr(values[c], truth[c])[0] for c in range(len(values))])

    assert by_cell(rates) > by_cell(counts) + 0.1
    assert by_gene(rates) > by_gene(counts) + 0.1
    assert np.corrcoef(rates.ravel(), truth.ravel())[0, 1] > np.corrcoef(counts.ravel(), truth.ravel())[0, 1] + 0.05
    assert np.mean((rates - truth) ** 2) < 0.5 * np.mean((counts - truth) ** 2)


def test_it_beats_the_trivial_prediction(simulated, fitted):
    model, test = fitted
    assert model.losses(simulated[test]).nll < model.gene_poisson_nll(simulated[test])


def test_denoised_counts_are_the_means_of_the_likelihood(simulated, fitted):
    model, test = fitted
    cells = simulated[test]
    denoised, rates = model.denoise(cells), model.rates(cells)
    assert denoised.shape == cells.shape
    assert model.latent(cells).shape == (cells.n_obs, 16)
    assert (denoised <= rates * (1 + 1e-6)).all()
    assert model.losses(cells).mse_means == pytest.approx(np.mean((denoised - cells.X.toarray()) ** 2), rel=1e-4)


def test_without_validation_cells_the_seed_keeps_some(counts, tmp_path):
    small = {"encoder": "4-2", "batch_size": 4, "max_epochs": 3, "validation_share": 0.25}
    parts = split(12, 5, 0.25, 0)
    assert len(parts.validation) == 3
    given = ZiPo(seed=5, **small).fit(counts[parts.training], counts[parts.validation])
    chosen = ZiPo(seed=5, **small).fit(counts)
    assert chosen.training.history == given.training.history
    np.testing.assert_array_equal(chosen.denoise(counts), given.denoise(counts))
    counts.write_h5ad(tmp_path / "counts.h5ad")
    view = ad.read_h5ad(tmp_path / "counts.h5ad", backed="r")[np.arange(12)]
    np.testing.assert_array_equal(ZiPo(seed=5, **small).fit(view).latent(view), chosen.latent(counts))
    with pytest.raises(InputError, match="2 cells are too few"):
        ZiPo(**small).fit(counts[:2])


def test_sizes_come_from_the_data_unless_given(simulated):
    model = ZiPo.for_data(simulated, seed=3, batch_size=32)
    assert (model.preset, model.seed) == ("denoise", 3)
    expected = parameters_for("denoise", *simulated.shape) | {"batch_size": 32}
    assert model.parameters == Parameters(**expected)
    assert ZiPo.for_data(simulated, rate_penalty="entrywise").parameters.rate_penalty == "entrywise"


def test_the_paper_s_preset_has_the_paper_s_objective(simulated):
    model = ZiPo.for_data(simulated, "paper")
    assert (model.preset, ZiPo().preset) == ("paper", None)
    sizes = sizes_for(*simulated.shape)
    changed = {name for name, value in model.parameters.model_dump().items() if value != getattr(Parameters(), name)}
    assert changed - sizes.keys() == {"rate_penalty", "gene_totals"}
    with pytest.raises(InputError, match="preset 'papr': denoise, fast, paper or programs is expected"):
        ZiPo.for_data(simulated, "papr")


@pytest.mark.parametrize("likelihood", ["poisson", "zip", "zinb"])
def test_another_likelihood_goes_with_the_default_preset(counts, likelihood):
    model = ZiPo.for_data(counts, likelihood=likelihood, max_epochs=2, batch_size=4).fit(counts)
    denoised = model.denoise(counts)
    assert denoised.shape == counts.shape
    assert (np.isfinite(denoised) & (denoised >= 0)).all()
    assert (model.parameters.library, model.parameters.inference) == ("observed", "refined")


def test_means_are_made_of_library_sizes_proportions_and_zero_probabilities(simulated, fitted):
    model, test = fitted
    cells = simulated[test]
    rates, library, z = model.rates(cells), model.library_size(cells), model.zero_probability(cells)
    assert (library.shape, library.dtype, z.shape) == ((cells.n_obs,), np.float32, cells.shape)
    np.testing.assert_allclose(rates.sum(axis=1), library, rtol=1e-4)  # proportions sum to one
    np.testing.assert_allclose((1 - z) * rates, model.denoise(cells), rtol=1e-4, atol=1e-7)
    assert 0 <= z.min() < z.max() <= 1
    assert model.loss(cells) == model.losses(cells).nll


def test_library_sizes_are_the_observed_ones_where_the_setting_has_it_so(counts):
    model = ZiPo(encoder="4-2", max_epochs=1, library="observed", likelihood="nb").fit(counts, counts)
    np.testing.assert_allclose(model.library_size(counts), counts.X.toarray().sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize("likelihood", ["zip", "zinb"])
def test_with_zero_inflation_library_sizes_exceed_the_observed_by_what_is_lost(simulated, likelihood):
    settings = SMALL | {"library": "observed", "likelihood": likelihood, "rate_penalty": "none"}
    library = np.asarray(simulated.X.sum(axis=1)).ravel()
    for totals, tolerance in {"trained": 0.05, "fitted": 0.001}.items():
        model = ZiPo(seed=1, gene_totals=totals, **settings).fit(simulated)
        excess = model.library_size(simulated) / library
        np.testing.assert_allclose(excess, excess[0], rtol=1e-5)  # one factor for all cells
        assert excess[0] > 1.02
        assert model.denoise(simulated).sum() == pytest.approx(library.sum(), rel=tolerance)


def test_likelihoods_without_zero_inflation_have_no_zero_probability(counts):
    model = ZiPo(encoder="4-2", max_epochs=1, likelihood="nb").fit(counts, counts)
    with pytest.raises(InputError, match="the likelihood nb has no zero inflation; fit zip or zinb"):
        model.zero_probability(counts)


@pytest.mark.parametrize("likelihood", ["poisson", "nb", "zip", "zinb"])
def test_samples_have_the_moments_of_the_likelihood(likelihood, counts):
    small = {"encoder": "4-2", "max_epochs": 3, "likelihood": likelihood, "dispersion_start": 0.0, "batch_size": 64}
    model = ZiPo(seed=1, **small).fit(counts[:9], counts[9:])
    many = ad.concat([counts[:1]] * 4000, index_unique="-")
    draws = model.sample(many, seed=2)
    actual = {name: values[0].astype(float) for name, values in model.distribution(many[:1]).items()}
    m, z = actual["rates"], actual.get("zero_probability", 0.0)
    variance = m + (m**2 / actual["size"] if "size" in actual else 0.0)
    mean, variance = (1 - z) * m, (1 - z) * variance + z * (1 - z) * m**2
    assert draws.dtype == np.float32
    assert (draws == np.rint(draws)).all()
    # with 4,000 draws a standard error is 1.6 % of the standard deviation
    assert (np.abs(draws.mean(axis=0) - mean) < 0.08 * np.sqrt(variance)).all()
    np.testing.assert_allclose(draws.var(axis=0), variance, rtol=0.25)
    np.testing.assert_array_equal(draws, model.sample(many, seed=2))
    assert (draws != model.sample(many, seed=3)).any()


@pytest.mark.parametrize("likelihood", ["poisson", "nb", "zip", "zinb"])
def test_the_distribution_gives_the_likelihood_of_the_counts(likelihood, counts):
    small = {"encoder": "8-4", "batch_size": 5, "max_epochs": 3, "likelihood": likelihood}
    model = ZiPo(seed=1, **small).fit(counts[:9], counts[9:])
    actual = model.distribution(counts)
    assert ("size" in actual, "zero_probability" in actual) == (likelihood[-2:] == "nb", likelihood[0] == "z")
    x, m, z = counts.X.toarray(), actual["rates"].astype(float), actual.get("zero_probability", 0.0)
    if "size" in actual:
        probability = stats.nbinom.pmf(x, actual["size"], actual["size"] / (actual["size"] + m))
    else:
        probability = stats.poisson.pmf(x, m)
    nll = -np.log((1 - z) * probability + z * (x == 0)).mean()
    assert model.losses(counts).nll == pytest.approx(nll, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda x: x * -1, "training counts: the count of gene 'gene-0' in cell 'cell-0' .* is negative"),
        (lambda x: x + np.nan, "is not a number"),
        (lambda x: np.where(x == x.max(), np.inf, x), "is infinite"),
        (lambda x: np.log1p(x / x.sum(1, keepdims=True) * 1e4), "normalised or log-transformed"),
        (lambda x: x * (np.arange(len(x)) > 0)[:, None], "training counts: 1 cells have no counts, .* 'cell-0'"),
    ],
)
def test_bad_counts_are_refused_before_training(counts, change, problem):
    bad = counts.copy()
    bad.X = csr_matrix(change(counts.X.toarray()).astype(np.float32))
    with pytest.raises(InputError, match=problem):
        ZiPo(encoder="4-2").fit(bad, counts)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda x: x * -1, "training counts: the count of gene 'gene-0' in cell 'cell-0' .* is negative"),
        (lambda x: x + np.where(x == x.max(), 0.5, 0), "is not a whole number"),
        (lambda x: x * (np.arange(12) > 0)[:, None], "training counts: 1 cells have no counts, .* 'cell-0'"),
        (csc_matrix, "training counts: X lies in the file as CSC"),
    ],
)
def test_bad_counts_on_disk_are_refused_before_training(counts, tmp_path, change, problem):
    bad = counts.copy()
    changed = change(counts.X.toarray())
    bad.X = changed if isinstance(changed, csc_matrix) else csr_matrix(changed)
    bad.write_h5ad(tmp_path / "bad.h5ad")
    backed = ad.read_h5ad(tmp_path / "bad.h5ad", backed="r")
    for training in (backed, backed[:9]):
        with pytest.raises(InputError, match=problem):
            ZiPo(encoder="4-2").fit(training, counts)


def test_counts_on_disk_train_and_are_scored_without_being_read_whole(simulated, tmp_path, monkeypatch):
    simulated.write_h5ad(tmp_path / "simulated.h5ad")
    backed = ad.read_h5ad(tmp_path / "simulated.h5ad", backed="r")
    parts = split(simulated.n_obs, 1, 0.1, 0.1)
    training, validation, test = backed[parts.training], backed[parts.validation], backed[parts.test]
    monkeypatch.setattr(type(backed.X), "__getitem__", None)  # as X of a view would
    with pytest.raises(TypeError):
        _ = training.X

    def fit(validation):
        return ZiPo(seed=1, **SMALL | {"max_epochs": 8}, covariates=("cell_type",)).fit(training, validation)

    model = fit(validation)
    cells = simulated[parts.test]
    assert model.losses(test) == model.losses(cells)
    assert model.gene_poisson_nll(test) == model.gene_poisson_nll(cells)
    np.testing.assert_array_equal(model.denoise(test), model.denoise(cells))
    np.testing.assert_array_equal(fit(simulated[parts.validation]).latent(test), model.latent(test))
    library = simulated[parts.training].X.sum(axis=1)
    assert model.network.median_library.item() == np.median(np.asarray(library))


def test_other_genes_are_refused(counts):
    with pytest.raises(InputError, match="validation counts: the genes are not those of the training cells"):
        ZiPo(encoder="4-2").fit(counts, counts[:, ::-1])


def interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("trained", [False, True])
def test_a_fit_that_fails_or_is_interrupted_leaves_the_model_as_it_was(counts, tmp_path, trained):
    model = ZiPo(encoder="4-2", max_epochs=2, batch_size=4, covariates=("cell_type",))
    logarithms = ad.AnnData(np.log1p(counts.X.toarray()), obs=counts.obs, var=pd.DataFrame(index=list("abcde")))
    others = ad.AnnData(counts.X[::-1], obs=counts.obs.assign(cell_type="d"), var=logarithms.var)
    if trained:
        model.fit(counts).save(tmp_path / "before")
    for cells, on_epoch, error in [
        (logarithms, None, InputError),
        (others, interrupt, KeyboardInterrupt),
        (others.copy()[:2], None, InputError),
    ]:
        with pytest.raises(error):
            model.fit(cells, on_epoch=on_epoch)
        if trained:
            model.save(tmp_path / "after")
            for file in ("model.json", "weights.safetensors"):
                assert (tmp_path / "after" / file).read_bytes() == (tmp_path / "before" / file).read_bytes()
        else:
            for use in (lambda: model.denoise(counts), lambda: model.save(tmp_path / "after"), lambda: model.genes):
                with pytest.raises(NotFitted):
                    use()


def test_a_fit_that_was_interrupted_goes_on_from_its_checkpoint(counts, tmp_path):
    model, whole = (ZiPo(encoder="4-2", max_epochs=3, batch_size=4) for _ in range(2))
    stopping = Checkpoints(tmp_path / "checkpoints", "same", every=math.inf)
    stopping.stop_soon = True
    with pytest.raises(Stopped):
        model.fit(counts, checkpoints=stopping)
    going_on = Checkpoints(tmp_path / "checkpoints", "same", every=math.inf)
    assert going_on.latest().rest["batches_done"] == 1
    model.fit(counts, checkpoints=going_on)
    np.testing.assert_array_equal(model.denoise(counts), whole.fit(counts).denoise(counts))


def test_covariates_reach_the_network(counts):
    model = ZiPo(encoder="4-2", max_epochs=1, batch_size=4, covariates=("age", "cell_type")).fit(counts, counts)
    assert model.network.log_proportions.weight.shape == (5, 2 + 1 + 3)
    assert np.isfinite(model.denoise(counts)).all()


def test_denoising_to_a_level_is_denoising_cells_of_that_level(counts):
    small = {"encoder": "4-2", "max_epochs": 3, "batch_size": 4, "covariates": ("age", "cell_type")}
    model = ZiPo(**small).fit(counts, counts)
    of_level = counts.copy()
    of_level.obs["cell_type"], of_level.obs["age"] = pd.Categorical(["b"] * 12, ["a", "b", "c"]), 4.0
    actual = model.denoise(counts, batch={"cell_type": "b", "age": 4.0})
    np.testing.assert_array_equal(actual, model.denoise(of_level))
    assert (actual[0] != model.denoise(counts)[0]).any()
    assert counts.obs["cell_type"].iloc[0] == "a"
    with pytest.raises(InputError, match="batch: 'donor' is no covariate of this model; it has age, cell_type"):
        model.denoise(counts, batch={"donor": "b"})


def test_the_method_file_keeps_its_contract(counts):
    assert "zipo" in known()
    before = counts.copy()
    denoised = method.denoise(counts, seed=2, encoder="4-2", max_epochs=2, batch_size=4)
    again = method.denoise(counts, seed=2, encoder="4-2", max_epochs=2, batch_size=4)
    assert denoised.layers["denoised"].shape == counts.shape
    assert (denoised.layers["denoised"] >= 0).all()
    assert denoised.obsm["latent"].shape == (12, 2)
    assert denoised.uns["likelihood"] == "nb"
    assert set(denoised.layers) == {"denoised", "rates", "size"}
    np.testing.assert_array_equal(denoised.layers["denoised"], again.layers["denoised"])
    of_paper = method.denoise(counts, seed=2, preset="paper", encoder="4-2", max_epochs=2, batch_size=4)
    assert of_paper.uns["likelihood"] == "zip"
    assert (before.X != counts.X).nnz == 0
    assert not counts.layers


def test_features_that_are_no_genes_are_warned_of(counts):
    counts.var["feature_types"] = ["Gene Expression"] * 4 + ["Peaks"]
    with pytest.warns(UserWarning, match="of the 5 features 1 of type 'Peaks' are no genes, but count as genes"):
        ZiPo(device="cpu", encoder="4-2", max_epochs=1).fit(counts)


def test_a_gpu_that_is_not_here_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for device in ("cuda", "cuda:1", torch.device("cuda")):
        with pytest.raises(InputError, match=f"device='{device}': torch .* here; take device='cpu', or auto"):
            ZiPo(device=device)
    assert ZiPo().device.type == "cpu"


@pytest.mark.parametrize("view", [False, True])
def test_masked_entries_are_refused(counts, view):
    masked = ad.AnnData(np.ma.masked_greater(counts.X.toarray(), 5), obs=counts.obs, var=counts.var)
    hidden = int((counts.X.toarray() > 5).sum())
    assert hidden
    with pytest.raises(InputError, match=rf"X is a masked array, of which {hidden} entries are masked; .*filled\(0\)"):
        ZiPo(device="cpu", encoder="4-2", max_epochs=1).fit(masked[:, ::-1] if view else masked)
    ZiPo(device="cpu", encoder="4-2", max_epochs=1).fit(ad.AnnData(np.ma.array(counts.X.toarray())))
