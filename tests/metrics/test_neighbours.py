"""Nearest neighbours against sklearn, and without a preference among cells that are equally near."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from zipo.methods import gene_mean
from zipo.metrics.shared import chunks, neighbours
from zipo.metrics.shared.case import Case
from zipo.metrics.shared.neighbours import alike, nearest


def test_neighbours_are_those_of_sklearn(monkeypatch):
    monkeypatch.setattr(chunks, "ENTRIES", 1000)
    coordinates = np.random.default_rng(1).normal(size=(200, 4))
    cells = np.array([3, 150, 7, 88, 199, 0])
    theirs = NearestNeighbors(n_neighbors=9).fit(coordinates).kneighbors(coordinates[cells], return_distance=False)
    ours = nearest(coordinates, cells, 8, seed=2)
    np.testing.assert_array_equal(np.sort(ours, axis=1), np.sort(theirs[:, 1:], axis=1))  # the first is the cell itself


def test_cells_at_one_place_are_neighbours_at_random():
    places = np.repeat([[0.0], [5.0]], 500, axis=0)
    ours = nearest(places, np.arange(1000), 10, seed=1)
    assert ((ours < 500) == (np.arange(1000) < 500)[:, None]).all()
    assert ours[:500].mean() == pytest.approx(249.5, abs=60)
    assert len(np.unique(ours[:500])) > 9


def test_rounding_errors_tell_no_cells_apart():
    noise = np.random.default_rng(1).normal(size=(50, 3))
    assert alike(1e-6 * noise)
    assert not alike(noise)
    assert alike(np.zeros((4, 0)))


def graph_of(case: Case) -> np.ndarray:
    """Neighbours of all cells of a case."""
    return neighbours.nearest_of_all(neighbours.jittered_components(case), case.seed)


@pytest.mark.parametrize("name", ["gene_mean", "zeros"])
def test_neighbours_of_alike_cells_are_at_random(simulated, name):
    """Neither neighbours in the file nor cells of a like library size; the gene mean is alike up to rounding."""
    data = simulated[np.argsort(np.asarray(simulated.X.sum(axis=1)).ravel())].copy()
    denoised = gene_mean.denoise(data, seed=1).layers["denoised"] * (name != "zeros")
    case = Case(data.X, denoised, seed=3)
    graph = graph_of(case)
    cells = len(graph)
    apart = np.abs(graph - np.arange(cells)[:, None]) / cells
    assert apart.mean() == pytest.approx(1 / 3, abs=0.02)  # of two uniform draws
    again = graph_of(case)
    np.testing.assert_array_equal(graph, again)
    other = graph_of(Case(data.X, denoised, seed=4))
    assert (graph != other).mean() > 0.9


def test_the_noise_changes_no_cells_that_differ(shallow_cases):
    case = shallow_cases["no_denoising"]
    x = np.log1p(1e4 * case.denoised / case.denoised.sum(1, keepdims=True, dtype=float))
    plain = neighbours.principal_components(case.denoised, neighbours.COMPONENTS, case.seed)
    np.testing.assert_allclose(neighbours.jittered_components(case), plain, atol=6 * neighbours.JITTER)
    assert np.linalg.norm(x - x.mean(axis=0), axis=1).min() > 1000 * neighbours.JITTER


def test_cells_beyond_the_most_are_drawn(monkeypatch):
    cells = np.arange(5, 45)
    assert neighbours.drawn(cells, seed=1) is cells
    monkeypatch.setattr(neighbours, "MOST_CELLS", 10)
    drawn = neighbours.drawn(cells, seed=1)
    assert len(set(drawn)) == 10
    assert set(drawn) <= set(cells)
    assert (np.diff(drawn) > 0).all()
