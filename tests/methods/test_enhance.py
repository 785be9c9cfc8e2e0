"""ENHANCE against monet, a package of its author, and against the steps of its paper by hand."""

import anndata as ad
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist

from zipo.methods import enhance
from zipo.methods.shared.freeman_tukey import freeman_tukey, inverse

BY_MONET = {  # denoised counts of three cells
    0: [1.1908, 0.9315, 2.8292, 8.4569, 1.4868, 0.0108, 2.3862, 16.2242, 2.2937, 6.3358, 4.0361, 0.8181],
    50: [1.3506, 0.5382, 0.1632, 7.0981, 0.0789, 0.0557, 5.8875, 1.3777, 12.4466, 0.049, 10.9262, 9.0284],
    119: [0.1506, 0.5569, 21.8977, 10.2559, 5.1253, 17.893, 10.7361, 3.1695, 0.2742, 1.5084, 10.1327, 7.2996],
}
"""By monet 0.3.1 of `counts`: EnhanceModel(num_components=2, agg_target_transcript_count=1e5,
agg_max_frac_neighbors=0.05, use_double_precision=True, seed=0).fit_transform, of six cells each."""


@pytest.fixture(scope="module")
def counts() -> ad.AnnData:
    """Three types of 40 cells x 12 genes; numpy keeps the stream of RandomState as it is."""
    rng = np.random.RandomState(5)
    means = rng.gamma(0.8, 8, size=(3, 12))[np.repeat(np.arange(3), 40)]
    return ad.AnnData(csr_matrix(rng.poisson(means * rng.lognormal(0, 0.3, size=(120, 1))).astype(np.float32)))


def test_one_round_is_that_of_monet_but_for_library_sizes(counts):
    parameters = {"components": 2, "target_counts": 1e5, "largest_share": 0.05, "rounds": 1}
    denoised = enhance.denoise(counts, seed=1, **parameters).layers["denoised"]
    for cell, values in BY_MONET.items():
        library = counts.X[cell].sum()
        np.testing.assert_allclose(denoised[cell], np.array(values) / sum(values) * library, rtol=1e-3, atol=1e-3)


def test_as_many_components_as_monet_takes(counts):
    """Two, by var_estimate_num_components(counts, 10, 2.0, 0) of monet 0.3.1."""
    assert enhance.chosen_components(counts.X, seed=1) == 2


def test_components_vary_twice_as_much_as_noise(simulated):
    """With exact variances, and noise of another generator."""
    x = simulated.X.toarray().astype(float)
    library = np.maximum(x.sum(1, keepdims=True), 1)
    scaled = x / library * np.median(x.sum(1))

    def variances(values: np.ndarray) -> np.ndarray:
        return np.linalg.eigvalsh(np.cov(np.sqrt(values) + np.sqrt(values + 1), rowvar=False))[::-1]

    noise = np.random.RandomState(9).poisson(np.tile(scaled.mean(0), (len(x), 1))).astype(float)
    ratio = variances(scaled) / variances(noise / noise.sum(1, keepdims=True) * np.median(x.sum(1)))[0]
    assert (ratio > 1).sum() > (ratio > 2).sum() > (ratio > 3).sum()
    assert enhance.chosen_components(simulated.X, seed=1) == (ratio > 2).sum()


def test_noise_alone_leaves_one_component():
    """Counts of one mean vary as noise in every direction; monet would go on with none."""
    x = np.random.default_rng(1).poisson(4.0, size=(200, 30)).astype(np.float32)
    assert enhance.chosen_components(csr_matrix(x), seed=1) == 1


@pytest.mark.parametrize(
    ("target", "share", "size"), [(665, 0.5, 10), (666, 0.5, 11), (1e5, 0.05, 6), (1e5, 0.001, 1), (1, 0.5, 1)]
)
def test_so_many_cells_are_added_up(target, share, size, counts):
    """The median library size is 66.5."""
    assert enhance.group_size(counts.X, target, share) == size


def test_two_rounds_by_hand(counts):
    """With exact components, and distances of all cells."""
    x = counts.X.toarray().astype(float)
    total = np.median(x.sum(1))

    def transformed(values: np.ndarray, to: float) -> np.ndarray:
        scaled = values / values.sum(1, keepdims=True) * to
        return np.sqrt(scaled) + np.sqrt(scaled + 1)

    def components(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return values.mean(0), np.linalg.svd(values - values.mean(0), full_matrices=False)[2][:2]

    sums = x
    for _ in range(2):
        mean, axes = components(transformed(sums, total))
        latent = (transformed(x, total) - mean) @ axes.T
        sums = x[np.argsort(cdist(latent, latent), axis=1)[:, :6]].sum(1)
    values = transformed(sums, np.median(sums.sum(1)))
    mean, axes = components(values)
    rebuilt = np.maximum((values - mean) @ axes.T @ axes + mean, 1)
    expected = (rebuilt - 1 / rebuilt) ** 2 / 4
    expected *= x.sum(1, keepdims=True) / expected.sum(1, keepdims=True)
    answer = enhance.denoise(counts, seed=1, components=2, largest_share=0.05)
    np.testing.assert_allclose(answer.layers["denoised"], expected, rtol=1e-3, atol=1e-3)
    assert answer.obsm["latent"].shape == (120, 2)


@pytest.mark.parametrize("count", [0.0, 0.3, 1.0, 250.0])
def test_the_inverse_solves_the_transform(count):
    value = np.sqrt(count) + np.sqrt(count + 1)
    assert freeman_tukey(np.array(count)) == pytest.approx(value)
    root = brentq(lambda x: np.sqrt(x) + np.sqrt(x + 1) - value, 0, 1000)
    assert inverse(np.array(value)) == pytest.approx(root, abs=1e-6)


def test_below_the_transform_of_zero_the_inverse_is_zero():
    assert inverse(np.array([0.5, -3.0])).tolist() == [0, 0]
