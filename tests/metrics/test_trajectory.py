"""Order along a trajectory, on cells whose genes change smoothly along it."""

import dataclasses

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

from tests.metrics.conftest import cases
from zipo.methods import pca
from zipo.metrics import trajectory
from zipo.metrics.shared.case import Case
from zipo.metrics.shared.neighbours import NEIGHBOURS


@pytest.fixture(scope="module")
def along() -> ad.AnnData:
    """Poisson counts, 1.3 an entry, whose logarithms are waves along the trajectory; cells in its order."""
    rng = np.random.default_rng(2)
    places = np.sort(rng.random(400))
    waves = np.sin(2 * np.pi * (rng.uniform(0.3, 1, 150) * places[:, None] + rng.random(150)))
    expression = rng.gamma(1.0, 1.0, 150) * np.exp(0.4 * waves)
    rates = rng.lognormal(np.log(200), 0.4, (400, 1)) * expression / expression.sum(axis=1, keepdims=True)
    obs = pd.DataFrame({"pseudotime": places}, index=[f"cell-{i}" for i in range(400)])
    return ad.AnnData(csr_matrix(rng.poisson(rates).astype(np.float32)), obs=obs, layers={"true_rates": rates})


@pytest.fixture(scope="module")
def along_cases(along) -> dict[str, Case]:
    return cases(along)


def order(case: Case) -> float:
    return trajectory.score(case)["trajectory_order"]


def test_the_truth_keeps_the_order_best_and_alike_cells_have_none(along, along_cases):
    truth, none, mean, zeros = (order(case) for case in along_cases.values())
    assert truth > 0.99
    assert truth > none + 0.05
    assert none > 0.5
    assert [mean, zeros] == pytest.approx([0, 0], abs=4 / np.sqrt(along.n_obs))
    case = along_cases["no_denoising"]
    smoothed = pca.denoise(ad.AnnData(case.counts), seed=1, components=3).layers["denoised"]
    assert none + 0.05 < order(dataclasses.replace(case, denoised=smoothed)) < truth


def test_the_order_by_brute_force(along_cases):
    """Neighbours in all 150 genes, of which fifty components hold nearly all, among cells on the trajectory."""
    case = along_cases["oracle"]
    places = np.where(np.arange(400) % 3 == 0, np.nan, case.pseudotime)
    x = np.log1p(1e4 * case.denoised / case.denoised.sum(1, keepdims=True))[np.isfinite(places)]
    known = places[np.isfinite(places)]
    distances = cdist(x, x)
    np.fill_diagonal(distances, np.inf)
    predicted = known[np.argsort(distances, axis=1)[:, :NEIGHBOURS]].mean(axis=1)
    expected = spearmanr(known, predicted).statistic
    assert order(dataclasses.replace(case, pseudotime=places)) == pytest.approx(expected, abs=1e-4)


def test_branches_need_no_root(along_cases):
    """Two branches that differ in half of the genes: the order is that of both."""
    case = along_cases["oracle"]
    branch = np.random.default_rng(1).integers(0, 2, 400)[:, None]
    denoised = case.denoised * np.exp(branch * np.maximum(case.pseudotime[:, None] - 0.5, 0) * (np.arange(150) % 2))
    assert order(dataclasses.replace(case, denoised=denoised)) > 0.99


def test_too_few_cells_and_cells_of_one_place_have_no_number(along_cases):
    case = along_cases["oracle"]
    few = np.where(np.arange(400) < 49, case.pseudotime, np.nan)
    assert np.isnan(order(dataclasses.replace(case, pseudotime=few)))
    assert np.isnan(order(dataclasses.replace(case, pseudotime=np.full(400, 0.5))))
