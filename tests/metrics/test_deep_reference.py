"""Deep counts of the same cells: against brute force, and with methods that are known to lose."""

import dataclasses
from itertools import product

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_matrix
from sklearn.neighbors import NearestNeighbors

from tests.metrics.conftest import cases
from zipo.datasets.simulation import simulate
from zipo.datasets.sources.simulated import SimulatedSource
from zipo.metrics import deep_reference
from zipo.metrics.shared import chunks
from zipo.metrics.shared.case import Case
from zipo.metrics.shared.components import principal_components

CORRELATIONS = ["deep_gene_correlation", "deep_cell_correlation", "deep_neighbours"]


@pytest.fixture(scope="module")
def few():
    """A molecule an entry, of which ten are known."""
    options = {"cells": 300, "genes": 200, "cell_types": 4, "median_library": 2000, "seed": 6}
    return cases(simulate(SimulatedSource(kind="simulated", **options)), share=0.1, kind="shallow")


@pytest.fixture(scope="module")
def many(deep):
    return cases(deep, share=0.1, kind="shallow")


@pytest.mark.parametrize("depth", ["few", "many"])
def test_order(depth, request):
    scores = {name: deep_reference.score(case) for name, case in request.getfixturevalue(depth).items()}
    for measure in CORRELATIONS:
        oracle, none, mean, zeros = (scores[name][measure] for name in scores)
        assert oracle > none + 0.01 > mean + 0.1
        assert mean == zeros == 0
    oracle, none, mean, zeros = (scores[name]["deep_correlation_distance"] for name in scores)
    assert oracle < none - 0.01 < mean - 0.02
    assert mean == zeros


def by_type(case: Case) -> np.ndarray:
    """Each cell is the mean of its type."""
    counts = case.counts.toarray()
    profiles = {name: counts[case.cell_types == name].mean(0) for name in np.unique(case.cell_types)}
    return np.stack([profiles[name] for name in case.cell_types]).astype(np.float32)


def test_type_means_correlate_well_but_lose_neighbours_and_make_up_correlations_of_genes(many):
    none = deep_reference.score(many["no_denoising"])
    smoothed = deep_reference.score(dataclasses.replace(many["no_denoising"], denoised=by_type(many["no_denoising"])))
    assert smoothed["deep_neighbours"] < none["deep_neighbours"] - 0.05
    assert smoothed["deep_correlation_distance"] > none["deep_correlation_distance"] + 0.1


def test_cells_that_change_places_are_no_better_than_chance(many):
    case = many["oracle"]
    order = np.random.default_rng(1).permutation(len(case.denoised))
    right, shuffled = (
        deep_reference.score(dataclasses.replace(case, denoised=case.denoised[index]))
        for index in (np.arange(len(order)), order)
    )
    assert abs(shuffled["deep_gene_correlation"]) < 0.02
    assert abs(shuffled["deep_cell_correlation"]) < 0.02
    assert shuffled["deep_neighbours"] == pytest.approx(30 / 299, abs=0.02)
    # which says nothing of cells, only of genes
    assert shuffled["deep_correlation_distance"] == pytest.approx(right["deep_correlation_distance"], rel=1e-9)


def log_cp10k(counts: np.ndarray) -> np.ndarray:
    return np.log1p(1e4 * counts / counts.sum(1, keepdims=True, dtype=float))


def test_correlations_and_neighbours_by_brute_force(few, monkeypatch):
    monkeypatch.setattr(chunks, "ENTRIES", 7000)
    case = few["no_denoising"]
    deep = case.held_out.toarray()
    genes = (deep > 0).mean(0) >= 0.1
    assert 20 < genes.sum() < 200
    x, y = log_cp10k(case.denoised)[:, genes], log_cp10k(deep)[:, genes]
    by_gene = [stats.pearsonr(a, b).statistic if np.ptp(a) else 0.0 for a, b in zip(x.T, y.T, strict=True)]
    by_cell = [stats.pearsonr(a, b).statistic for a, b in zip(x - x.mean(0), y - y.mean(0), strict=True)]
    sets = []
    for values in (case.denoised, deep):
        place = principal_components(values, 30, case.seed)
        near = NearestNeighbors(n_neighbors=31).fit(place).kneighbors(place, return_distance=False)
        sets.append([set(row) - {cell} for cell, row in enumerate(near)])
    overlap = np.mean([len(a & b) / 30 for a, b in zip(*sets, strict=True)])
    scores = deep_reference.score(case)
    assert scores["deep_gene_correlation"] == pytest.approx(np.mean(by_gene), rel=1e-9)
    assert scores["deep_cell_correlation"] == pytest.approx(np.mean(by_cell), rel=1e-4)
    assert scores["deep_neighbours"] == pytest.approx(overlap, rel=1e-9)


def test_noise_is_that_of_a_multinomial_on_average():
    """All outcomes of three molecules of three genes, by their probabilities."""
    p = np.array([0.5, 0.3, 0.2])
    outcomes = [counts for counts in product(range(4), repeat=3) if sum(counts) == 3]
    mean = np.zeros((3, 3))
    for counts in outcomes:
        noise = deep_reference.sums(csr_matrix([counts], dtype=np.float32), np.arange(3), noise=True)[2]
        mean += stats.multinomial.pmf(counts, 3, p) * noise
    np.testing.assert_allclose(mean, (np.diag(p) - np.outer(p, p)) / 3, atol=1e-7)


def test_distance_is_the_mean_difference_of_correlations(many, monkeypatch):
    """Where nothing of the deep counts is noise, by numpy."""
    monkeypatch.setattr(chunks, "ENTRIES", 7000)
    monkeypatch.setattr(deep_reference, "MOST_GENES", 12)
    rng = np.random.default_rng(3)
    deep = np.float32(1e6) * many["oracle"].denoised
    denoised = many["oracle"].denoised * rng.lognormal(0, 0.5, size=deep.shape).astype(np.float32)
    genes = np.argsort(-deep.sum(0))[:12]
    shares = [(x / x.sum(1, keepdims=True, dtype=float))[:, genes] for x in (denoised, deep)]
    difference = np.subtract(*(np.corrcoef(x, rowvar=False) for x in shares))
    case = dataclasses.replace(many["oracle"], denoised=denoised, held_out=csr_matrix(deep))
    expected = np.abs(difference[np.triu_indices(12, 1)]).mean()
    assert deep_reference.score(case)["deep_correlation_distance"] == pytest.approx(expected, rel=1e-4)


def test_deep_counts_of_nothing_have_no_numbers(many):
    nothing = dataclasses.replace(many["oracle"], held_out=csr_matrix(many["oracle"].counts.shape, dtype=np.float32))
    scores = deep_reference.score(nothing)
    assert [np.isnan(scores[name]) for name in deep_reference.measures] == [True, True, False, True]
