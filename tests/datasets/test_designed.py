"""Counts drawn from a fit have its negative binomials as margins, and rates that its copula joins."""

import numpy as np
import pytest
from scipy import stats

from zipo.datasets.designed import draw

CELLS, SIZES, LIBRARY = 20_000, np.array([0.5, 2.0, 8.0]), 30.0
CORRELATIONS = np.array([[1, 0.7, 0], [0.7, 1, -0.4], [0, -0.4, 1.0]])
MEANS = np.array([[3.0, 10.0, 7.0], [1.0, 2.0, 3.0]])


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    file = tmp_path_factory.mktemp("fit") / "fit.npz"
    types = np.arange(CELLS) % 2
    fitted = {"types": ["alpha", "beta"], "means": MEANS, "sizes": SIZES, "correlations": CORRELATIONS}
    np.savez(file, genes=["A", "B", "C"], cell_types=types, library=np.full(CELLS, LIBRARY), **fitted)
    return file


@pytest.fixture(scope="module")
def drawn(fit):
    return draw(fit, seed=3)


def of_type(drawn, values, cell_type):
    return values[(drawn.obs["cell_type"] == cell_type).to_numpy()]


def test_counts_of_a_type_are_negative_binomial(drawn):
    """The means of a type at the library size of all cells: beta's are brought from a sum of 6 to 30."""
    for cell_type, means in (("alpha", [4.5, 15, 10.5]), ("beta", [5, 10, 15])):
        counts = of_type(drawn, drawn.X.toarray(), cell_type)
        for gene in range(3):
            size, mean = SIZES[gene], means[gene]
            expected = stats.nbinom(size, size / (size + mean)).pmf(np.arange(60)) * len(counts)
            observed = np.bincount(counts[:, gene].astype(int), minlength=400)[:60]
            often = expected > 5
            assert (
                stats.chisquare(
                    [*observed[often], len(counts) - observed[often].sum()],
                    [*expected[often], len(counts) - expected[often].sum()],
                ).pvalue
                > 0.001
            )


def test_rates_are_gamma_and_go_together_as_a_gaussian_copula_says(drawn):
    """Spearman's correlation of two variables of a Gaussian copula is 6 / pi asin(rho / 2)."""
    rates = of_type(drawn, drawn.layers["true_rates"], "alpha")
    for gene, mean in enumerate([4.5, 15, 10.5]):
        gamma = stats.gamma(SIZES[gene], scale=mean / SIZES[gene])
        assert stats.kstest(rates[:, gene], gamma.cdf).pvalue > 0.001
    expected = 6 / np.pi * np.arcsin(CORRELATIONS / 2)
    np.testing.assert_allclose(stats.spearmanr(rates).statistic, expected, atol=5 / np.sqrt(len(rates)))


def test_counts_are_poisson_given_the_rates(drawn):
    x, m = drawn.X.toarray(), drawn.layers["true_rates"].astype(float)
    assert ((x - m) ** 2 / m)[m > 0.5].mean() == pytest.approx(1, abs=0.03)
    pulls = (x - m)[:, [0, 1]] / np.sqrt(np.maximum(m[:, [0, 1]], 0.1))
    assert np.corrcoef(pulls.T)[0, 1] == pytest.approx(0, abs=5 / np.sqrt(CELLS))


def test_the_state_is_the_mean_and_the_dispersion_that_of_the_fit(drawn):
    np.testing.assert_allclose(of_type(drawn, drawn.layers["true_state_rates"], "beta")[0], [5, 10, 15], rtol=1e-6)
    np.testing.assert_allclose(drawn.var["true_dispersion"], [2, 0.5, 0.125])
    assert list(drawn.var_names) == ["A", "B", "C"]


def test_the_seed_decides(fit, drawn):
    assert (draw(fit, seed=3).X != drawn.X).nnz == 0
    assert (draw(fit, seed=4).X != drawn.X).nnz > 0
