"""Rows of runs: complete, reproducible, scored on untouched cells, and a row for a diverged run too."""

import math

import numpy as np
import pytest
from scipy import stats

from zipo.model.split import split
from zipo.parameters import Parameters
from zipo.study.run import LOSS_NAMES, run

SETTING = {
    "id": "zipo-16x6-abc123",
    "dataset": "simulated",
    "method": "zipo",
    **Parameters(encoder="16-6", batch_size=64, max_epochs=5).model_dump(mode="json"),
}
DIVERGING = {"learning_rate": 1e20, "batch_norm": "none", "activation": "gelu"}
VARIES = {"seconds", "seconds_per_epoch", "compute_seconds", "cells_per_second", "peak_memory_mb"}


@pytest.fixture(scope="module")
def row(simulated):
    return run(simulated, SETTING, 1, [1e-4, 0.5], "cpu")[1]


def test_a_row_names_its_setting_and_what_came_of_it(row):
    assert row["setting"] == SETTING["id"]
    assert (row["first_layer"], row["latents"], row["depth"]) == (16, 6, 2)
    assert set(Parameters.model_fields) <= set(row)
    assert (row["training_cells"], row["validation_cells"], row["test_cells"]) == (480, 60, 60)
    assert (row["status"], row["epochs"], row["stopped_by"]) == ("ok", 5, "max_epochs")
    assert row["seconds"] == pytest.approx(row["epochs"] * row["seconds_per_epoch"])
    assert row["weights"] == sum(
        [
            150 * 16 + 16 + 32,
            16 * 6 + 6 + 12,
            16 * 6,
            2 * (6 * 150 + 150),
            6 * 16 + 16 + 32,
            16 * 4 + 4 + 8,
            4 + 1,
        ]
    )


def test_the_trivial_prediction_is_scored_on_the_same_test_cells(simulated, row):
    parts = split(simulated.n_obs, 1, 0.1, 0.1)
    training, test = simulated.X[parts.training].toarray(), simulated.X[parts.test].toarray()
    shares = (training.sum(0) + 1) / (training.sum() + 150)
    expected = -stats.poisson.logpmf(test, test.sum(1, keepdims=True) * shares).mean()
    assert row["test_nll_gene_poisson"] == pytest.approx(expected, rel=1e-5)


def test_expected_counts_are_compared_with_those_of_the_test_cells(simulated, row):
    model, again, _ = run(simulated, SETTING, 1, [1e-4, 0.5], "cpu")
    test = simulated[split(simulated.n_obs, 1, 0.1, 0.1).test]
    means, counts = model.denoise(test), test.X.toarray()
    ratios = means.sum(axis=1) / counts.sum(axis=1)
    assert row["test_total_ratio"] == again["test_total_ratio"]
    assert row["test_total_ratio"] == pytest.approx(means.sum() / counts.sum(), rel=1e-5)
    assert row["test_median_cell_ratio"] == pytest.approx(np.median(ratios), rel=1e-5)
    off = row["test_nll"] > row["test_nll_gene_poisson"]
    assert ("predicted worse than by the genes' means" in row["not_plausible"]) == off


def test_pruning_more_keeps_less(row):
    assert row["pruned_0.0001_kept"] > row["pruned_0.5_kept"] > 0
    assert row["pruned_0.0001_test_nll"] == pytest.approx(row["test_nll"], rel=1e-3)


def test_a_seed_gives_the_same_numbers_twice(simulated, row):
    _, again, _ = run(simulated, SETTING, 1, [1e-4, 0.5], "cpu")
    assert {k: v for k, v in row.items() if k not in VARIES} == {k: v for k, v in again.items() if k not in VARIES}


def test_a_listener_hears_every_epoch_and_may_end_the_run(simulated):
    heard = []
    _, row, history = run(simulated, SETTING, 1, [], "cpu", on_epoch=lambda *told: heard.append(told))
    assert heard == [(epoch, entry["validation_nll"]) for epoch, entry in enumerate(history, start=1)]
    assert row["validation_nll"] == pytest.approx(dict(heard)[row["best_epoch"]], rel=1e-5)

    def end(epoch: int, validation_nll: float) -> None:
        heard.append((epoch, validation_nll))
        raise StopIteration

    heard.clear()
    with pytest.raises(StopIteration):
        run(simulated, SETTING, 1, [], "cpu", on_epoch=end)
    assert heard == [(1, history[0]["validation_nll"])]


def test_a_diverged_run_is_a_row_without_losses(simulated):
    _, row, _ = run(simulated, SETTING | DIVERGING, 1, [1e-4], "cpu")
    assert row["status"] == "diverged"
    losses = [row[f"test_{name}"] for name in LOSS_NAMES] + [row["pruned_0.0001_kept"], row["penalty_w"]]
    assert all(math.isnan(loss) for loss in losses)
    assert row["epochs"] >= 1
    assert math.isfinite(row["test_nll_gene_poisson"])
