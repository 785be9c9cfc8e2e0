"""Shrinkage gene by gene against posterior means that scipy integrates, and against a search by brute force."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.sparse import csr_matrix
from scipy.stats import gamma, poisson
from sklearn.metrics import mean_poisson_deviance

from zipo.commands.worth import by_gene
from zipo.commands.worth.by_gene import SIZES, best_sizes, shrunk
from zipo.datasets.thinning import thin


def drawn(sizes, means=(2.0, 5.0, 1.0, 8.0), cells=600):
    rng = np.random.default_rng(4)
    library = rng.lognormal(0, 0.3, (cells, 1))
    rates = library * np.array(means) * rng.gamma(sizes, 1 / np.array(sizes), (cells, 4))
    return csr_matrix(rng.poisson(rates).astype(np.float32))


@pytest.mark.parametrize(("count", "mean", "size"), [(0, 1.3, 0.5), (4, 1.3, 0.5), (2, 7.0, 20.0)])
def test_the_expected_rate_is_the_posterior_mean(count, mean, size):
    def weight(rate):
        return gamma.pdf(rate, size, scale=mean / size) * poisson.pmf(count, rate)

    expected = quad(lambda rate: rate * weight(rate), 0, 60)[0] / quad(weight, 0, 60)[0]
    assert by_gene._expected(np.array(count), np.array(mean), size) == pytest.approx(expected, rel=1e-5)


def test_the_best_sizes_are_those_of_a_search_by_brute_force():
    counts = drawn([0.3, 2.0, 1.0, 50.0])
    training, held_out = thin(counts, 0.8, seed=1)
    x, y = training.toarray().astype(float), held_out.toarray().astype(float)
    means = x.sum(axis=1, keepdims=True) * x.sum(axis=0) / x.sum()
    odds = y.sum() / x.sum()
    losses = [
        [
            mean_poisson_deviance(y[:, gene], odds * means[:, gene] * (x[:, gene] + size) / (means[:, gene] + size))
            for gene in range(4)
        ]
        for size in SIZES
    ]
    np.testing.assert_array_equal(best_sizes(training, held_out), SIZES[np.argmin(losses, axis=0)])


def test_genes_that_vary_more_keep_more_of_their_counts():
    counts = drawn([0.3, 0.3, 500.0, 500.0], means=(1.0, 2.0, 2.0, 200.0))  # the last makes up the library size
    x = counts.toarray()
    means = x.sum(axis=1, keepdims=True) * x.sum(axis=0) / x.sum()
    distance = np.abs(shrunk(counts, seed=1) - x).sum(axis=0) / np.abs(means - x).sum(axis=0)
    assert distance[:2].max() < 0.5 < 0.9 < distance[2]


def test_a_gene_without_counts_stays_without():
    counts = drawn([1.0, 1.0, 1.0, 1.0]).tolil()
    counts[:, 2] = 0
    result = shrunk(csr_matrix(counts), seed=1)
    assert np.isfinite(result).all()
    assert (result[:, 2] == 0).all()
