"""Controls: their values by hand, on sparse and dense counts, and the input as it was."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.metrics import mean_poisson_deviance

from zipo.datasets.thinning import thin, thinned
from zipo.methods import gene_mean, known, no_denoising, oracle, pca, shrinkage
from zipo.shared.errors import InputError


def test_they_are_known():
    assert {"no_denoising", "gene_mean", "oracle", "pca", "shrinkage"} <= set(known())


def test_no_denoising_gives_the_counts(counts):
    np.testing.assert_array_equal(no_denoising.denoise(counts, seed=1).layers["denoised"], counts.X.toarray())


def test_gene_mean_keeps_the_totals_of_cells_and_genes(counts):
    denoised, x = gene_mean.denoise(counts, seed=1).layers["denoised"], counts.X.toarray()
    np.testing.assert_allclose(denoised.sum(1), x.sum(1), rtol=1e-6)
    np.testing.assert_allclose(denoised.sum(0), x.sum(0), rtol=1e-6)
    assert np.linalg.matrix_rank(denoised, tol=1e-3) == 1


def test_shrinkage_takes_the_weight_that_predicts_best(simulated):
    """Against all weights of a fine grid, by sklearn's deviance of the molecules left out."""
    kept, left_out = thin(simulated.X, 0.9, seed=3)
    seen = kept.toarray().any(axis=0)
    x, observed = kept.toarray()[:, seen].astype(float), left_out.toarray()[:, seen].astype(float)
    means = x.sum(1, keepdims=True) * x.sum(0) / x.sum()
    weights = np.linspace(0.01, 1, 100)
    deviance = [mean_poisson_deviance(observed.ravel(), ((1 - w) * x + w * means).ravel() / 9) for w in weights]
    assert 0.05 < weights[np.argmin(deviance)] < 0.95
    assert shrinkage.best_weight(kept, left_out) == pytest.approx(weights[np.argmin(deviance)], abs=0.01)


def test_shrinkage_is_that_mixture_of_counts_and_gene_means(simulated):
    denoised, x = shrinkage.denoise(simulated, seed=1).layers["denoised"], simulated.X.toarray().astype(float)
    means = x.sum(1, keepdims=True) * x.sum(0) / x.sum()
    ((weight,), *_) = np.linalg.lstsq((means - x).reshape(-1, 1), (denoised - x).ravel())
    assert 0.05 < weight < 0.95
    np.testing.assert_allclose(denoised, (1 - weight) * x + weight * means, atol=1e-4)


@pytest.mark.parametrize(("spread", "low", "high"), [(0.01, 0.9, 1), (100.0, 0, 0.1)])
def test_shrinkage_is_whole_where_cells_are_alike_and_nil_where_they_differ_beyond_noise(spread, low, high):
    """Gamma rates of mean 100: with the variance v m^2 the best linear weight of the mean is 1 / (1 + 100 v) or so."""
    rng = np.random.default_rng(2)
    shape = 100 / spread
    counts = csr_matrix(rng.poisson(rng.gamma(shape, 100 / shape, size=(200, 50))).astype(np.float32))
    assert low <= shrinkage.best_weight(*thin(counts, 0.9, seed=1)) <= high


def test_the_oracle_gives_the_mean_of_the_counts_it_is_given(simulated):
    training, _ = thinned(simulated, 0.9, seed=1)
    answer = oracle.denoise(training, seed=1)
    rates, z = simulated.layers["true_rates"], simulated.layers["true_zero_probability"]
    np.testing.assert_allclose(answer.layers["denoised"], 0.9 * rates * (1 - z), rtol=1e-5)
    np.testing.assert_allclose(answer.layers["rates"], 0.9 * rates, rtol=1e-5)
    np.testing.assert_array_equal(answer.layers["zero_probability"], z)


def test_the_oracle_of_counts_without_inflation(counts):
    counts.layers["true_rates"] = np.full(counts.shape, 2.0, dtype=np.float32)
    answer = oracle.denoise(counts, seed=1)
    assert (answer.layers["denoised"] == 2).all()
    assert "zero_probability" not in answer.layers


def test_the_oracle_needs_the_truth(counts):
    with pytest.raises(InputError, match="oracle: layers\\['true_rates'\\] is missing"):
        oracle.denoise(counts, seed=1)


def test_pca_agrees_with_the_exact_decomposition(simulated):
    answer = pca.denoise(simulated, seed=1, components=5)
    x = simulated.X.toarray().astype(float)
    library = x.sum(1, keepdims=True)
    logs = np.log1p(x / library * np.median(library))
    model = PCA(5, svd_solver="full")
    rebuilt = np.maximum(np.expm1(model.inverse_transform(model.fit_transform(logs))), 0)
    expected = rebuilt / rebuilt.sum(1, keepdims=True) * library
    assert np.corrcoef(answer.layers["denoised"].ravel(), expected.ravel())[0, 1] > 0.999
    np.testing.assert_allclose(answer.layers["denoised"].sum(1), library.ravel(), rtol=1e-4)
    assert answer.obsm["latent"].shape == (600, 5)


def test_pca_comes_closer_to_the_truth_than_the_counts(simulated):
    truth, denoised, x = (
        np.log1p(1e4 * values / values.sum(1, keepdims=True))
        for values in (
            simulated.layers["true_rates"] * (1 - simulated.layers["true_zero_probability"]),
            pca.denoise(simulated, seed=1, components=5).layers["denoised"],
            simulated.X.toarray(),
        )
    )
    assert np.mean((denoised - truth) ** 2) < 0.5 * np.mean((x - truth) ** 2)


@pytest.mark.parametrize("method", [no_denoising, gene_mean, pca, shrinkage])
def test_dense_counts_and_empty_cells(counts, method):
    before = counts.X.toarray()
    before[0] = 0
    counts.X = csr_matrix(before)
    sparse = method.denoise(counts, seed=1).layers["denoised"]
    dense = counts.copy()
    dense.X = before.copy()
    np.testing.assert_array_equal(method.denoise(dense, seed=1).layers["denoised"], sparse)
    np.testing.assert_array_equal(counts.X.toarray(), before)
    assert sparse.dtype == np.float32
    assert not sparse[0].any()
    assert (sparse >= 0).all()
    assert list(counts.layers) == []
