"""Thinned counts: whole, adding up, binomial, and independent where the counts are Poisson."""

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_matrix

from zipo.datasets.thinning import thin, thinned


@pytest.fixture
def counts() -> csr_matrix:
    rng = np.random.default_rng(2)
    return csr_matrix(rng.poisson(rng.gamma(0.5, 6.0, size=(1, 80)), size=(400, 80)).astype(np.float32))


def test_the_parts_are_whole_and_add_up(counts):
    before = counts.copy()
    training, held_out = thin(counts, 0.9, seed=3)
    for part in (training, held_out):
        assert part.dtype == np.float32
        assert (part.data == np.rint(part.data)).all()
        assert part.data.min() == 1  # nothing negative, and no stored zeros
    assert ((training + held_out) != counts).nnz == 0
    assert (counts != before).nnz == 0


@pytest.mark.parametrize("share", [0.9, 0.5])
def test_each_count_is_split_binomially(counts, share):
    training, _ = (part.toarray() for part in thin(counts, share, seed=3))
    x = counts.toarray()
    total = x.sum()
    assert training.sum() / total == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / total))
    of_three = np.bincount(training[x == 3].astype(int), minlength=4)
    expected = stats.binom.pmf(range(4), 3, share) * of_three.sum()
    assert stats.chisquare(of_three, expected).pvalue > 0.001


def test_the_parts_of_poisson_counts_are_independent(counts):
    training, held_out = (part.toarray() for part in thin(counts, 0.5, seed=4))
    rho = [stats.pearsonr(training[:, g], held_out[:, g])[0] for g in range(80) if counts[:, g].mean() > 1]
    assert np.mean(rho) == pytest.approx(0, abs=5 / np.sqrt(400 * len(rho)))


def test_the_seed_decides(counts):
    one, again, other = (thin(counts, 0.9, seed)[0] for seed in (1, 1, 2))
    assert (one != again).nnz == 0
    assert (one != other).nnz > 0


def test_the_truth_is_thinned_with_the_counts(simulated):
    rates = simulated.layers["true_rates"].copy()
    training, held_out = thinned(simulated, 0.9, seed=1)
    z = training.layers["true_zero_probability"]
    means = training.layers["true_rates"] * (1 - z)
    assert training.X.sum() == pytest.approx(means.sum(), rel=0.01)
    assert held_out.sum() == pytest.approx(means.sum() / 9, rel=0.02)
    np.testing.assert_array_equal(simulated.layers["true_rates"], rates)
    assert list(training.obs_names) == list(simulated.obs_names)


def test_the_loss_of_thinned_counts_is_that_of_all_molecules(simulated):
    training, _ = thinned(simulated, 0.3, seed=1)
    curve = training.uns["true_loss"]
    of_rates = stats.logistic.cdf(curve["slope"] * (np.log(training.layers["true_rates"]) - curve["midpoint"]))
    np.testing.assert_allclose(of_rates, simulated.layers["true_zero_probability"], atol=1e-5)
    np.testing.assert_allclose(
        training.layers["true_state_rates"], 0.3 * simulated.layers["true_state_rates"], rtol=1e-6
    )
    assert simulated.uns["true_loss"]["midpoint"] == -1.0
