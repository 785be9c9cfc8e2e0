"""False correlations and null differences: against scipy, and with a method that is known to make them."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_matrix

from zipo.metrics import false_correlations, null_differences
from zipo.metrics.shared import within_type
from zipo.metrics.shared.case import Case
from zipo.metrics.shared.permutation import permuted


@pytest.fixture(scope="module")
def shuffled(simulated):
    return permuted(simulated, seed=3)


def smoothed(counts: np.ndarray, types: np.ndarray) -> np.ndarray:
    """Each cell half itself, half the mean of two others of its type at random, as a smoother of neighbours has it."""
    rng = np.random.default_rng(1)
    answer = np.zeros(counts.shape, dtype=np.float32)
    for cell_type in np.unique(types):
        cells = np.flatnonzero(types == cell_type)
        prototypes = rng.choice(cells, 3)
        answer[cells] = 0.2 * counts[cells] + 0.8 * counts[prototypes[rng.integers(0, 3, len(cells))]]
    return answer


def test_permuting_keeps_each_gene_of_a_type_and_nothing_else(simulated, shuffled):
    before, after = simulated.X.toarray(), shuffled.X.toarray()
    types = simulated.obs["cell_type"].to_numpy()
    for cell_type in np.unique(types):
        cells = types == cell_type
        np.testing.assert_array_equal(np.sort(before[cells], axis=0), np.sort(after[cells], axis=0))
    assert (before != after).any(axis=0).mean() > 0.9
    assert not shuffled.layers
    assert (permuted(simulated, seed=3).X != shuffled.X).nnz == 0
    assert (permuted(simulated, seed=4).X != shuffled.X).nnz > 0


def test_counts_without_types_are_permuted_and_scored_as_of_one(simulated):
    """As they are, and smoothed over few cells, which makes genes go together."""
    data = simulated.copy()
    del data.obs["cell_type"]
    after = permuted(data, seed=3)
    np.testing.assert_array_equal(np.sort(after.X.toarray(), axis=0), np.sort(data.X.toarray(), axis=0))
    one = np.full(data.n_obs, "one")
    for denoised in (after.X.toarray(), smoothed(after.X.toarray(), one)):
        expected = false_correlations.score(Case(after.X, denoised, cell_types=one))
        actual = false_correlations.score(Case(after.X, denoised))
        assert actual == expected
    assert actual["false_correlations"] > 0.1


def test_genes_that_go_together_are_taken_apart(simulated):
    common = np.argsort(-simulated.X.toarray().sum(0))[:20]
    data = simulated[:, np.repeat(common, 2)].copy()
    data.var_names_make_unique()
    types = data.obs["cell_type"].to_numpy()
    largest = types == data.obs["cell_type"].value_counts().index[0]

    def rho(counts):
        return np.array([np.corrcoef(counts[largest, g], counts[largest, g + 1])[0, 1] for g in range(0, 40, 2)])

    before, after = data.X.toarray(), permuted(data, seed=1).X.toarray()
    assert rho(before) == pytest.approx(np.ones(20))
    assert np.abs(rho(after)).max() < 5 / np.sqrt(largest.sum())


def test_cells_without_a_type_are_permuted_among_themselves(simulated):
    data = simulated[:60].copy()
    data.obs["cell_type"] = data.obs["cell_type"].where(np.arange(60) < 30)
    after = permuted(data, seed=1).X.toarray()
    np.testing.assert_array_equal(np.sort(after[30:], axis=0), np.sort(data.X.toarray()[30:], axis=0))


def test_spearman_agrees_with_scipy():
    x = np.random.default_rng(2).poisson(1.0, size=(60, 8)).astype(float)
    expected = stats.spearmanr(x).statistic
    np.testing.assert_allclose(false_correlations.spearman(stats.rankdata(x, axis=0)), expected, atol=1e-12)
    x[:, 3] = 2.0
    assert false_correlations.spearman(stats.rankdata(x, axis=0))[3, 4] == 0


def test_false_correlations_by_brute_force(shuffled):
    types = shuffled.obs["cell_type"].to_numpy().astype(str)
    denoised = smoothed(shuffled.X.toarray(), types)
    logs = np.log1p(1e4 * denoised / denoised.sum(1, keepdims=True, dtype=float))
    strong = pairs = 0
    for cell_type in np.unique(types):
        cells = types == cell_type
        genes = (shuffled.X[cells] > 0).toarray().mean(0) >= 0.1
        rho = stats.spearmanr(np.round(logs[cells][:, genes], 5)).statistic
        upper = np.abs(rho[np.triu_indices(genes.sum(), 1)])
        strong += (upper > max(0.3, 4 / np.sqrt(cells.sum() - 1))).sum()
        pairs += upper.size
    case = Case(shuffled.X, denoised, cell_types=types, kind="permuted")
    assert false_correlations.score(case)["false_correlations"] == pytest.approx(strong / pairs, rel=1e-9)


def test_smoothing_makes_correlations_and_counts_have_none(shuffled):
    types = shuffled.obs["cell_type"].to_numpy().astype(str)
    counts = shuffled.X.toarray()
    library, shares = counts.sum(1, keepdims=True), counts.sum(0) / counts.sum()
    rates = {
        name: false_correlations.score(Case(shuffled.X, denoised, cell_types=types, kind="permuted"))
        for name, denoised in {
            "no_denoising": counts,
            "gene_mean": (library * shares).astype(np.float32),
            "zeros": np.zeros_like(counts),
            "smoothed": smoothed(counts, types),
        }.items()
    }
    actual = {name: rate["false_correlations"] for name, rate in rates.items()}
    assert actual["no_denoising"] < 0.001
    assert actual["gene_mean"] == actual["zeros"] == 0
    assert actual["smoothed"] > 0.3


def test_rank_sums_agree_with_scipy():
    rng = np.random.default_rng(4)
    x = rng.poisson(1.5, size=(41, 6)).astype(float)
    x[:, 5] = 3.0
    first = np.zeros((3, 41))
    for draw in first:
        draw[rng.choice(41, 17, replace=False)] = 1
    actual = null_differences.rank_sum_p(stats.rankdata(x, axis=0), first)
    for draw, p in zip(first.astype(bool), actual, strict=True):
        test = stats.mannwhitneyu(x[draw], x[~draw], method="asymptotic", use_continuity=False)
        np.testing.assert_allclose(p[:5], test.pvalue[:5], rtol=1e-9)
    assert (actual[:, 5] == 1).all()


def test_smoothed_genes_err_together(simulated):
    types = simulated.obs["cell_type"].to_numpy().astype(str)
    counts = simulated.X.toarray()
    plain, smooth = (
        null_differences.score(Case(simulated.X, denoised, cell_types=types))
        for denoised in (counts, smoothed(counts, types))
    )
    assert plain["null_differences"] == pytest.approx(0.05, abs=0.01)
    assert smooth["null_differences"] == pytest.approx(0.05, abs=0.05)
    assert smooth["null_differences_worst"] > plain["null_differences_worst"] + 0.15


def test_cells_and_genes_are_few_and_the_same_for_all(simulated, monkeypatch):
    monkeypatch.setattr(within_type, "MOST_CELLS", 50)
    monkeypatch.setattr(within_type, "MOST_GENES", 20)
    types = simulated.obs["cell_type"].to_numpy().astype(str)
    shapes = [
        ranks.shape
        for ranks in within_type.ranks_within_types(Case(simulated.X, simulated.X.toarray(), cell_types=types))
    ]
    assert shapes == [(50, 20)] * 4
    seen = csr_matrix([[1, 1, 0, 1], [0, 1, 0, 1], [0, 1, 0, 0]])
    assert within_type.detected(seen).tolist() == [0, 1, 3]
    monkeypatch.setattr(within_type, "MOST_GENES", 2)
    assert within_type.detected(seen).tolist() == [1, 3]


def test_types_of_few_cells_have_no_number(simulated):
    few = Case(simulated.X[:40], simulated.X[:40].toarray(), cell_types=np.repeat(["a", "b"], 20))
    assert np.isnan(list(null_differences.score(few).values())).all()
    assert np.isnan(false_correlations.score(dataclasses.replace(few, kind="permuted"))["false_correlations"])
