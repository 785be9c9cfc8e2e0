"""Batches against types: closed forms and brute force on toys, and controls on batches that are known to differ."""

import dataclasses

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist

from tests.metrics.conftest import cases
from zipo.metrics import batch_effect
from zipo.metrics.shared import chunks
from zipo.metrics.shared.case import Case
from zipo.metrics.shared.neighbours import NEIGHBOURS, nearest_of_all


def drawn(effect: float) -> ad.AnnData:
    """Counts of three types, in order, in two batches whose genes differ by e^effect; 2 molecules an entry."""
    rng = np.random.default_rng(3)
    types, batches = np.repeat([0, 1, 2], [200, 120, 80]), rng.integers(0, 2, 400)
    logs = rng.normal(0, 1, 120) + rng.normal(0, 0.5, (3, 120))[types] + rng.normal(0, effect, (2, 120))[batches]
    rates = rng.lognormal(np.log(240), 0.4, (400, 1)) * np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    obs = pd.DataFrame(
        {"cell_type": [f"type-{t}" for t in types], "batch": [f"batch-{b}" for b in batches]},
        index=[f"cell-{i}" for i in range(400)],
    )
    return ad.AnnData(csr_matrix(rng.poisson(rates).astype(np.float32)), obs=obs, layers={"true_rates": rates})


@pytest.fixture(scope="module")
def apart() -> dict[str, dict[str, float]]:
    """Scores of the controls where batches differ, and of the true mean without the effect of the batch."""
    by_control = cases(drawn(0.3))
    case = by_control["oracle"]
    by_control["corrected"] = dataclasses.replace(case, denoised=drawn(0).layers["true_rates"])
    return {name: batch_effect.score(case) for name, case in by_control.items()}


def test_batches_share_less_of_the_truth_and_all_of_alike_cells(apart):
    share = {name: scores["batch_share"] for name, scores in apart.items()}
    assert share["corrected"] < 0.01
    assert share["corrected"] + 0.1 < share["oracle"] < share["no_denoising"] < 0.5
    assert share["gene_mean"] == share["zeros"] == 1.0


def test_alike_cells_mix_and_have_no_purity(apart):
    for name in ("gene_mean", "zeros"):
        assert apart[name]["batch_mixing"] == pytest.approx(1, abs=0.05)
        assert apart[name]["type_purity"] == pytest.approx(0, abs=0.05)
    assert apart["corrected"]["batch_mixing"] > 0.9
    assert apart["oracle"]["batch_mixing"] < 0.1
    assert apart["oracle"]["type_purity"] > apart["no_denoising"]["type_purity"] + 0.05
    assert apart["no_denoising"]["batch_mixing"] > apart["oracle"]["batch_mixing"] + 0.1, "noise mixes"


def test_batches_that_do_not_differ_mix():
    scores = batch_effect.score(cases(drawn(0))["no_denoising"])
    assert scores["batch_mixing"] == pytest.approx(1, abs=0.05)
    assert scores["batch_share"] < 0.2


def test_the_share_in_closed_form():
    """Types 3 apart in one gene, batches 1 apart in another: 1 / (1 + 9), and the same when all shrink."""
    means = np.array([[0, 0], [0, 1], [3, 0], [3, 1]], dtype=float)
    types, batches = np.array(["a", "a", "b", "b"]), np.array(["x", "y", "x", "y"])
    assert batch_effect.share_of_batches(means, types, batches) == pytest.approx(0.1)
    assert batch_effect.share_of_batches(means / 7, types, batches) == pytest.approx(0.1)
    assert batch_effect.share_of_batches(means * [1, 0], types, batches) == 0
    assert batch_effect.share_of_batches(means * [0, 1], types, batches) == 1
    assert batch_effect.share_of_batches(means * 0, types, batches) == 1


def test_sums_are_of_groups_of_enough_cells(monkeypatch):
    sizes = {
        ("a", "x"): 31,
        ("a", "y"): 30,
        ("a", "z"): 29,
        ("b", "x"): 90,
        ("b", "y"): 9,
        ("", "x"): 50,
        ("", "y"): 50,
    }
    types, batches = (np.repeat([name[i] for name in sizes], list(sizes.values())) for i in (0, 1))
    mixed = np.random.default_rng(1).permutation(len(types))
    types, batches = types[mixed], batches[mixed]
    values = np.random.default_rng(2).random((len(types), 4)).astype(np.float32)
    case = Case(csr_matrix(values), values, cell_types=types, batches=batches)
    kept_types, kept_batches, members = batch_effect.groups(case)
    assert list(zip(kept_types, kept_batches, strict=True)) == [("a", "x"), ("a", "y")]  # b has one batch of enough
    monkeypatch.setattr(chunks, "ENTRIES", 28)
    expected = [values[(types == "a") & (batches == batch)].sum(axis=0) for batch in "xy"]
    np.testing.assert_allclose(batch_effect.sums(case, members), expected, rtol=1e-5)
    assert np.isnan(list(batch_effect.score(case).values())).all()  # one type has no others to lie apart from


def test_no_group_of_enough_cells_has_no_number():
    values = np.ones((40, 3), np.float32)
    case = Case(csr_matrix(values), values, cell_types=np.repeat(["a", "b"], 20), batches=np.tile(["x", "y"], 20))
    assert np.isnan(list(batch_effect.score(case).values())).all()


def test_mixing_and_purity_by_brute_force():
    rng = np.random.default_rng(5)
    types = np.repeat(["a", "b"], [90, 60])
    batches = rng.choice(["x", "y", "z"], 150, p=[0.6, 0.3, 0.1])
    x = rng.normal(size=(150, 3)) + (types == "b")[:, None] + 0.8 * (batches == "y")[:, None]
    mixing, purity = [], []
    for cell_type in "ab":
        inside = np.flatnonzero(types == cell_type)
        other = chance = same = same_chance = 0.0
        for i in inside:
            near = sorted(set(inside) - {i}, key=lambda j: np.sum((x[i] - x[j]) ** 2))[:NEIGHBOURS]
            other += np.mean([batches[j] != batches[i] for j in near])
            chance += np.mean([batches[j] != batches[i] for j in inside if j != i])
            near = sorted(set(range(150)) - {i}, key=lambda j: np.sum((x[i] - x[j]) ** 2))[:NEIGHBOURS]
            same += np.mean([types[j] == cell_type for j in near])
            same_chance += np.mean([types[j] == cell_type for j in range(150) if j != i])
        mixing.append(other / chance)
        purity.append((same - same_chance) / (len(inside) - same_chance))
    expected = np.mean(mixing), np.mean(purity)
    assert batch_effect.mixing_and_purity(x, types, batches, seed=1) == pytest.approx(expected, rel=1e-9)


def test_labels_apart_and_in_random_order():
    rng = np.random.default_rng(6)
    graph = nearest_of_all(rng.normal(size=(2000, 2)), seed=1)
    labels = rng.choice(["x", "y"], 2000, p=[0.9, 0.1])
    assert batch_effect.beyond_chance(labels, graph) == pytest.approx(0, abs=0.02)
    apart = np.repeat([0.0, 50.0], 50)[:, None] + rng.normal(size=(100, 2))
    assert cdist(apart[:50], apart[50:]).min() > 10
    assert batch_effect.beyond_chance(np.repeat(["x", "y"], 50), nearest_of_all(apart, seed=1)) == 1
