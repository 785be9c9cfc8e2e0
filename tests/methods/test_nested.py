"""Numbers of factors chosen on a nested split, against scikit-learn's deviance."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import mean_poisson_deviance

from zipo.datasets.thinning import thin
from zipo.methods.shared.nested import chosen_factors, nested_split


@pytest.fixture(scope="module")
def matrix() -> csr_matrix:
    """Counts of four types of cells, whose rates have rank 4."""
    rng = np.random.default_rng(2)
    rates = rng.gamma(0.7, 4, size=(4, 40))[rng.integers(4, size=150)]
    return csr_matrix(rng.poisson(rates).astype(np.float32))


def rank_limited(training: csr_matrix, factors: int) -> np.ndarray:
    """The counts by as many singular vectors."""
    left, values, right = np.linalg.svd(training.toarray().astype(float), full_matrices=False)
    return (left[:, :factors] * values[:factors]) @ right[:factors]


def test_a_nested_split_adds_up_and_is_not_that_of_the_same_seed(matrix):
    training, held_out = nested_split(matrix, seed=1)
    np.testing.assert_array_equal((training + held_out).toarray(), matrix.toarray())
    assert training.sum() / matrix.sum() == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / matrix.sum()))
    assert (training != thin(matrix, 0.9, seed=1)[0]).nnz > 100
    assert (training != nested_split(matrix, seed=2)[0]).nnz > 100


def test_the_number_is_that_of_the_least_deviance(matrix):
    training, held_out = (part.toarray().astype(float) for part in nested_split(matrix, seed=1))
    least = np.maximum(0.01 * training.mean(axis=0), 1e-12)  # as the benchmark takes it as expected at least
    deviance = {
        k: mean_poisson_deviance(
            held_out.ravel(), (np.maximum(rank_limited(csr_matrix(training), k), least) / 9).ravel()
        )
        for k in range(1, 9)
    }
    assert min(deviance, key=deviance.get) == 4
    assert chosen_factors(matrix, rank_limited, seed=1, candidates=range(1, 9)) == 4


def test_none_is_tried_beyond_one_that_predicts_worse(matrix):
    tried = []

    def noted(training: csr_matrix, factors: int) -> np.ndarray:
        tried.append(factors)
        return rank_limited(training, factors)

    chosen_factors(matrix, noted, seed=1, candidates=range(2, 40))
    assert tried == [2, 3, 4, 5]


def test_a_number_is_below_those_of_cells_and_genes(matrix):
    few = csr_matrix(matrix[:4])
    assert chosen_factors(few, rank_limited, seed=1, candidates=[4, 5]) == 1
    assert chosen_factors(few, lambda training, factors: training.toarray(), seed=1, candidates=[3, 5]) == 3
