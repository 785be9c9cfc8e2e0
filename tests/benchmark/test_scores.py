"""Scores of runs from the files that runs leave, against the metrics on arrays in memory."""

import json
from dataclasses import asdict
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import save_npz

from zipo import metrics
from zipo.benchmark.running.launch import Result
from zipo.benchmark.scores import COLUMNS, scores_of
from zipo.benchmark.views import BINS, tsne_coordinates, zeros_of
from zipo.datasets.simulation import simulate
from zipo.datasets.sources.simulated import SimulatedSource
from zipo.datasets.thinning import thinned
from zipo.metrics.shared.case import Case
from zipo.metrics.shared.permutation import permuted

ROW = {"study": "s", "dataset": "d", "method": "m", "other_donors": ""}


def answer(folder: Path, status: str = "ok", **arrays: np.ndarray) -> None:
    """What a run leaves."""
    folder.mkdir()
    result = Result("m", 1, {"k": 2}, 1, status, "" if status == "ok" else "why", 2.5, 80.0)
    (folder / "result.json").write_text(json.dumps(asdict(result)))
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values.astype(np.float32))


@pytest.fixture
def runs(tmp_path) -> list[dict]:
    """A run on a split by an NB with one size for each gene, one on permuted counts, and one that failed."""
    data = simulate(SimulatedSource(kind="simulated", cells=120, genes=50, cell_types=2, median_library=300))
    training, held_out = thinned(data, 0.9, seed=2)
    save_npz(tmp_path / "held-out.npz", held_out)
    actual = []
    for name, counts in (("split", training), ("permuted", permuted(training, 2)), ("bad", training)):
        counts.write_h5ad(tmp_path / f"{name}.h5ad")
        actual.append(
            {
                "method": "m", "dataset": "d", "folder": str(tmp_path / name), "counts": str(tmp_path / f"{name}.h5ad"),
                "held_out": "" if name == "permuted" else str(tmp_path / "held-out.npz"), "share": 0.9,
                "kind": "permuted" if name == "permuted" else "split", "split": 2, "seed": 1,
            }
        )  # fmt: skip
    rates = np.asarray(training.X.toarray() + 0.5)
    latent = np.random.default_rng(1).normal(size=(120, 3))
    answer(tmp_path / "split", denoised=rates, rates=rates, size=np.linspace(1, 9, 50), latent=latent)
    answer(tmp_path / "permuted", denoised=rates)
    answer(tmp_path / "bad", status="failed")
    return actual


def test_scores_are_those_of_the_metrics(runs):
    table = scores_of(ROW, runs)
    assert list(table.columns) == list(COLUMNS)
    training = ad.read_h5ad(runs[0]["counts"])
    rates = np.load(Path(runs[0]["folder"]) / "rates.npy")
    case = Case(
        counts=training.X, denoised=rates, rates=rates, size=np.linspace(1, 9, 50, dtype=np.float32), seed=2,
        held_out=thinned(simulated_again(), 0.9, seed=2)[1], training_share=0.9,
        true_rates=training.layers["true_rates"], cell_types=training.obs["cell_type"].to_numpy().astype(str),
        latent=np.load(Path(runs[0]["folder"]) / "latent.npy"), seconds=2.5, peak_mb=80.0,
    )  # fmt: skip
    own = table[(table["kind"] == "split") & (table["status"] == "ok")].set_index("metric")["value"]
    assert own.to_dict() == pytest.approx(metrics.scores(case))
    assert "held_out_nll" in own
    assert "latent_ari" in own


def simulated_again() -> ad.AnnData:
    return simulate(SimulatedSource(kind="simulated", cells=120, genes=50, cell_types=2, median_library=300))


def test_permuted_counts_are_scored_by_the_metrics_that_ask_for_them_alone(runs):
    table = scores_of(ROW, runs)
    asked = {"false_amplitude", "false_module_amplitude", "false_correlations"}
    assert set(table[table["kind"] == "permuted"]["metric"]) == asked


def test_a_run_that_went_wrong_has_one_row_with_its_reason(runs):
    (bad,) = scores_of(ROW, runs).query("status != 'ok'").to_dict("records")
    assert (bad["status"], bad["reason"], bad["parameters"]) == ("failed", "why", '{"k": 2}')
    assert np.isnan(bad["value"])


def test_figures_are_shown_runs_that_went_well(runs):
    zeros, places = zeros_of([runs[0], runs[2]]), tsne_coordinates([runs[0], runs[2]])
    assert len(zeros) == BINS
    assert zeros["mean"].is_monotonic_increasing
    counts = ad.read_h5ad(runs[0]["counts"]).X
    detected = np.asarray(counts.sum(axis=0)).ravel() > 0
    shares = 1 - counts.getnnz(axis=0)[detected] / counts.shape[0]
    assert zeros["observed"].mean() == pytest.approx(shares.mean(), abs=1e-9)  # two genes in each group
    assert places["cell_type"].value_counts().sum() == len(places) == 120


def test_of_many_cells_the_same_are_placed_for_each_method(runs, monkeypatch):
    monkeypatch.setattr("zipo.benchmark.views.CELLS", 50)
    places = tsne_coordinates([runs[0], runs[0] | {"method": "again"}])
    assert places["method"].value_counts().tolist() == [50, 50]
    types = ad.read_h5ad(runs[0]["counts"]).obs["cell_type"].astype(str).to_numpy()
    drawn = np.sort(np.random.default_rng(1).choice(120, 50, replace=False))
    assert places["cell_type"].tolist() == [*types[drawn], *types[drawn]]
