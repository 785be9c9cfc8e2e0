"""NMF against a closed form and its update rule by hand; GLM-PCA with its package replaced by one that is known."""

import sys
import types

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import xlogy

from zipo.methods import glmpca, nmf


def deviance(x: np.ndarray, means: np.ndarray) -> float:
    return float(2 * (xlogy(x, x / np.maximum(means, 1e-12)) - x + means).sum())


def test_one_factor_gives_the_means_of_independent_cells_and_genes(simulated):
    """The closed form of the Poisson likelihood's maximum: row sums x column sums / total."""
    x = simulated.X.toarray().astype(float)
    answer = nmf.denoise(simulated, seed=1, factors=1)
    expected = np.outer(x.sum(1), x.sum(0)) / x.sum()
    np.testing.assert_allclose(answer.layers["denoised"], expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(answer.obsm["latent"], 1, rtol=1e-5)


def test_nmf_fits_as_well_as_the_updates_of_its_paper(simulated):
    x = simulated.X.toarray().astype(float)
    rng = np.random.default_rng(3)
    w, h = rng.random((x.shape[0], 4)) + 0.1, rng.random((4, x.shape[1])) + 0.1
    for _ in range(500):  # Lee and Seung 2001, theorem 2
        h *= (w.T @ (x / (w @ h + 1e-12))) / w.sum(0)[:, None]
        w *= ((x / (w @ h + 1e-12)) @ h.T) / h.sum(1)
    answer = nmf.denoise(simulated, seed=1, factors=4)
    assert deviance(x, answer.layers["denoised"]) == pytest.approx(deviance(x, w @ h), rel=0.01)
    np.testing.assert_allclose(answer.layers["denoised"].sum(1), x.sum(1), rtol=1e-4)
    np.testing.assert_allclose(answer.obsm["latent"].sum(1), 1, rtol=1e-4)


def test_a_latent_of_nmf_is_the_share_of_a_cell_that_its_factor_explains():
    """Two programs without a gene in common, one of ten times the counts: cells of one, of the other, and of both."""
    rng = np.random.default_rng(4)
    first, second = rng.poisson(3, size=(90, 15)), rng.poisson(30, size=(90, 5))
    first[30:60] = second[:30] = 0
    x = np.concatenate([first, second], axis=1).astype(np.float32)
    latent = nmf.denoise(ad.AnnData(csr_matrix(x)), seed=1, factors=2).obsm["latent"]
    share = first.sum(1) / x.sum(1)
    np.testing.assert_allclose(latent[:, np.argmax(latent[0])], share, atol=0.01)
    assert 0.1 < share[60:].mean() < 0.4


def test_nmf_chooses_the_least_number_that_is_enough():
    """Of 3, 5 and 10 for counts of rank 4."""
    rng = np.random.default_rng(2)
    rates = rng.gamma(0.7, 4, size=(4, 40))[rng.integers(4, size=150)]
    answer = nmf.denoise(ad.AnnData(csr_matrix(rng.poisson(rates).astype(np.float32))), seed=1)
    assert answer.obsm["latent"].shape == (150, 5)


class Fitted:
    """In the place of a model of fastglmpca: means that are gene means of genes x cells, twice as high."""

    def __init__(self, genes: np.ndarray, factors: int):
        self.means = 2 * np.tile(genes.mean(axis=1, keepdims=True), genes.shape[1])
        self.V, self.d = np.ones((genes.shape[1], factors)), np.arange(factors) + 1.0

    def reconstruct_counts(self) -> np.ndarray:
        return self.means


@pytest.fixture
def calls(monkeypatch) -> list[tuple]:
    """Numbers of factors and of steps, and genes, of each fit."""
    made: list[tuple] = []

    def poisson(genes, factors, max_iter, *, num_ccd_iter, **others):
        made.append((factors, num_ccd_iter, max_iter, genes.shape))
        return Fitted(genes, factors)

    monkeypatch.setitem(sys.modules, "fastglmpca", types.SimpleNamespace(poisson=poisson))
    return made


def test_glmpca_gives_its_means_at_each_cells_library_size(simulated, calls):
    answer = glmpca.denoise(simulated, seed=1, factors=3, max_iter=7)
    x = simulated.X.toarray().astype(float)
    np.testing.assert_allclose(answer.layers["denoised"], np.outer(x.sum(1), x.sum(0)) / x.sum(), rtol=1e-4)
    np.testing.assert_array_equal(answer.obsm["latent"], np.tile([1, 2, 3], (600, 1)))
    assert calls == [(3, 3, 7, (150, 600))]


def test_glmpca_chooses_by_quick_fits_and_fits_all_molecules_thoroughly(simulated, calls):
    """Every number predicts alike here, and one that is no better ends the search."""
    answer = glmpca.denoise(simulated, seed=1, **glmpca.parameters)
    assert [call[:2] for call in calls] == [(3, 1), (5, 1), (3, 3)]
    assert answer.obsm["latent"].shape == (600, 3)


def test_glmpca_tries_no_more_factors_than_it_has_time_for(simulated, calls, monkeypatch):
    """Where each number predicts better than the one before, the largest of them is taken."""
    counts, steps = simulated.X.toarray(), iter(np.linspace(0.5, 0.9, 20))
    means = np.outer(counts.sum(1), counts.sum(0)) / counts.sum()
    truth = simulated.layers["true_rates"] * (1 - simulated.layers["true_zero_probability"])

    def better(self: Fitted) -> np.ndarray:
        weight = next(steps)
        return (weight * truth + (1 - weight) * means).T

    monkeypatch.setattr(Fitted, "reconstruct_counts", better)
    glmpca.denoise(simulated, seed=1, **glmpca.parameters)
    assert [call[0] for call in calls] == [3, 5, 10, 20, 40, 60, 60]
