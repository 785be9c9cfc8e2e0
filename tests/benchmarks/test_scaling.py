"""The benchmarks on many cells run, and their counts are what they say; no test of speeds."""

import json

import anndata as ad
import numpy as np
import pytest

from tests.benchmarks.test_throughput import run


def test_a_row_has_seconds_memory_and_losses(tmp_path):
    rows = tmp_path / "rows.json"
    size = ("--cells", 1500, "--steps", 8, "--batch-size", 128, "--rounds", 1, "--threads", 1)
    printed = run("scaling.py", *size, "--json", rows)
    actual = json.loads(rows.read_text())
    (row,) = actual["rows"]
    assert (row["cells"], row["cells_timed"]) == (1500, 2 * 128 + 116)  # 500 cells train: the eighth batch is short
    assert row["peak_mb"] > 100
    assert 0 < row["loading_share"] < 1
    # all of so small a file is fetched at once: any order will do, and losses differ by it alone
    assert list(actual["nll"]) == ["from memory", "from disk, shuffled"]
    for (loss,) in actual["nll"].values():
        assert loss == pytest.approx(row["nll"][0], rel=0.05)
    assert f"{row['peak_mb']:.0f} MB" in printed


def test_a_file_is_denoised_to_another(tmp_path):
    run("scaling_simulation.py", 1200, tmp_path / "counts.h5ad")
    row = json.loads(run("denoised_file.py", tmp_path / "counts.h5ad", tmp_path / "denoised.h5ad", "--threads", 1))
    assert (row["cells"], row["genes"], row["encoder"]) == (1200, 2000, "256-128-64-32-12")
    assert row["gigabytes"] == pytest.approx((tmp_path / "denoised.h5ad").stat().st_size / 1e9)
    assert row["peak_mb"] > 100
    assert ad.read_h5ad(tmp_path / "denoised.h5ad").layers["denoised"].shape == (1200, 2000)


def test_simulated_counts_have_the_size_density_and_types_in_runs(tmp_path):
    run("scaling_simulation.py", 6000, tmp_path / "counts.h5ad")  # more than one chunk
    counts = ad.read_h5ad(tmp_path / "counts.h5ad")
    assert counts.shape == (6000, 2000)
    assert counts.X.nnz / 12e6 == pytest.approx(0.1, rel=0.15)
    assert (counts.X.data == np.rint(counts.X.data)).all()
    types = counts.obs["cell_type"].cat.codes.to_numpy()
    assert np.bincount(types).tolist() == [300] * 20
    assert (np.diff(types) >= 0).all()
    # cells of one type are more alike than others
    totals = np.array([np.asarray(counts.X[types == t].sum(0)).ravel() for t in range(20)])
    halves = np.asarray(counts.X[:150].sum(0)).ravel()
    correlation = [np.corrcoef(np.log1p(halves), np.log1p(total))[0, 1] for total in totals]
    assert np.argmax(correlation) == 0
