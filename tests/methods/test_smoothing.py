"""ALRA and kNN-smoothing against the steps of their papers, done by hand; what all methods without a package do."""

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist

from zipo.methods import alra, enhance, knn_smoothing, nmf


@pytest.fixture(scope="module")
def x(simulated) -> np.ndarray:
    return simulated.X.toarray().astype(float)


def truth_of(simulated) -> np.ndarray:
    return simulated.layers["true_rates"] * (1 - simulated.layers["true_zero_probability"])


def log_error(values: np.ndarray, truth: np.ndarray) -> float:
    logs = [np.log1p(1e4 * counts / counts.sum(1, keepdims=True)) for counts in (values, truth)]
    return float(np.mean((logs[0] - logs[1]) ** 2))


def test_alra_by_the_exact_decomposition(simulated, x):
    rank, actual = 4, alra.denoise(simulated, seed=1, rank=4).layers["denoised"]
    logs = np.log1p(1e4 * x / x.sum(1, keepdims=True))
    u, s, v = np.linalg.svd(logs, full_matrices=False)
    approximation = u[:, :rank] * s[:rank] @ v[:rank]
    expected = np.zeros_like(approximation)
    for gene in range(x.shape[1]):  # one gene after the other, as the paper tells it
        values, before = approximation[:, gene].copy(), logs[:, gene]
        values[values <= abs(np.quantile(values, 0.001))] = 0
        kept, observed = values[values != 0], before[before != 0]
        if len(kept) > 1 and len(observed) > 1:
            slope = observed.std(ddof=1) / kept.std(ddof=1)
            values[values != 0] = slope * (kept - kept.mean()) + observed.mean()
        values[values < 0] = 0
        values[(values == 0) & (before > 0)] = before[(values == 0) & (before > 0)]
        expected[:, gene] = values
    expected = np.expm1(expected)
    expected *= x.sum(1, keepdims=True) / expected.sum(1, keepdims=True)
    close = np.isclose(actual, expected, rtol=1e-2, atol=1e-4)  # the randomised SVD moves a few values over thresholds
    assert close.mean() > 0.995
    assert 0.05 < (actual == 0).mean() < (x == 0).mean()


def test_alra_chooses_the_rank_at_which_spacings_become_those_of_noise():
    noise = np.linspace(10, 5, 93) + np.random.default_rng(1).normal(0, 1e-3, 93)
    values = np.concatenate([[100, 80, 60, 59.999, 40, 20, 12], noise])
    assert alra.chosen_rank(values) == 7
    assert alra.chosen_rank(np.linspace(10, 1, 100) + np.random.default_rng(1).normal(0, 1e-3, 100)) == 1


@pytest.mark.parametrize(("neighbours", "sizes", "alike"), [(1, [2], 0.99), (5, [2, 4, 6], 0.7)])
def test_knn_smoothing_by_brute_force(neighbours, sizes, alike, x):
    """Without dither and in all directions, distances need no components; but two cells that took each other are at
    the same distance from all others, and which of them comes first is chance."""
    x = x[:120, :30].copy()
    x[:, 0] = x[:, 1]  # so that 29 components are all
    counts = ad.AnnData(csr_matrix(x.astype(np.float32)))
    actual = knn_smoothing.denoise(counts, seed=1, neighbours=neighbours, components=29, dither=0.0).layers["denoised"]
    smooth = x
    for among in sizes:  # with the cell itself
        library = smooth.sum(1, keepdims=True)
        scaled = smooth / library * np.median(library)
        transformed = np.sqrt(scaled) + np.sqrt(scaled + 1)
        nearest = np.argsort(cdist(transformed, transformed), axis=1, kind="stable")[:, :among]
        smooth = x[nearest].sum(1)
    expected = smooth / smooth.sum(1, keepdims=True) * x.sum(1, keepdims=True)
    assert np.isclose(actual, expected, rtol=1e-3, atol=1e-4).all(axis=1).mean() > alike


@pytest.mark.parametrize("method", [alra, enhance, knn_smoothing, nmf])
def test_they_come_closer_to_the_truth_than_the_counts(method, simulated, x):
    denoised = method.denoise(simulated, seed=1).layers["denoised"]
    np.testing.assert_allclose(denoised.sum(1), x.sum(1), rtol=1e-4)
    assert log_error(denoised, truth_of(simulated)) < 0.8 * log_error(x, truth_of(simulated))
