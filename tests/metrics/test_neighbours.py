"""Nearest neighbours against sklearn, and without a preference among cells that are equally near."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from zipo.metrics.shared import chunks
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
