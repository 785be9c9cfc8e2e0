"""A rare cell type: against sklearn, and with methods that smooth it away."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import f1_score
from sklearn.neighbors import NearestNeighbors

from tests.metrics.conftest import cases
from zipo.datasets.simulation import simulate
from zipo.datasets.sources.simulated import SimulatedSource
from zipo.metrics import rare_types
from zipo.metrics.shared.components import principal_components
from zipo.metrics.shared.rare_type import rarefied


@pytest.fixture(scope="module")
def rare():
    options = {"cells": 1200, "genes": 150, "cell_types": 4, "median_library": 1500, "dispersion": 0.1, "seed": 3}
    data = simulate(SimulatedSource(kind="simulated", **options))
    return cases(rarefied(data, "type-2", seed=1), kind="rare")


def test_order(rare):
    scores = {name: rare_types.score(case) for name, case in rare.items()}
    for measure in rare_types.measures:
        oracle, none, mean, zeros = (scores[name][measure] for name in rare)
        assert oracle > none + 0.05 > mean + 0.2
        assert mean == zeros == 0


def test_a_type_smoothed_into_another_is_lost(rare):
    """The rare cells, as those of the first type, are means of thirty of that type."""
    case = rare["no_denoising"]
    rng = np.random.default_rng(1)
    smooth = case.denoised.copy()
    for cell in np.flatnonzero(np.isin(case.cell_types, ["type-0", case.rare_type])):
        others = rng.choice(np.flatnonzero(case.cell_types == "type-0"), 30)
        smooth[cell] = case.denoised[others].mean(0)
    kept, lost = rare_types.score(case), rare_types.score(dataclasses.replace(case, denoised=smooth))
    for measure in rare_types.measures:
        assert lost[measure] < kept[measure] - 0.1


def test_cells_that_change_places_are_no_better_than_chance(rare):
    case = rare["oracle"]
    shuffled = np.random.default_rng(1).permutation(case.denoised)
    scores = rare_types.score(dataclasses.replace(case, denoised=shuffled))
    assert scores["rare_neighbours"] < 0.1
    assert scores["rare_f1"] < 0.2


def test_neighbours_agree_with_sklearn(rare):
    case = rare["no_denoising"]
    inside = case.cell_types == case.rare_type
    k = inside.sum() - 1
    place = principal_components(case.denoised, 50, case.seed)
    near = NearestNeighbors(n_neighbors=k + 1).fit(place).kneighbors(place[inside], return_distance=False)[:, 1:]
    assert rare_types.score(case)["rare_neighbours"] == pytest.approx(inside[near].mean(), rel=1e-9)


def test_f1_agrees_with_sklearn():
    rng = np.random.default_rng(1)
    clusters, inside = rng.choice(["a", "b", "c", "d"], 200), rng.random(200) < 0.05
    clusters[inside & (rng.random(200) < 0.5)] = "e"
    expected = max(f1_score(inside, clusters == name) for name in "abcde")
    assert rare_types.best_f1(clusters, inside) == pytest.approx(expected, rel=1e-9)


def test_cells_without_a_type_count_for_nothing(rare):
    case = rare["oracle"]
    types = case.cell_types.copy()
    types[np.flatnonzero(types == "type-0")[:300]] = ""
    assert rare_types.score(dataclasses.replace(case, cell_types=types))["rare_neighbours"] > 0.9
    types[types == case.rare_type] = ""
    assert np.isnan(list(rare_types.score(dataclasses.replace(case, cell_types=types)).values())).all()
