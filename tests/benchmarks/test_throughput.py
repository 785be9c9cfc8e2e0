"""The benchmark runs, writes what it promises, and counts the least work of a step rightly; no test of speeds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scipy.sparse import load_npz

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"


def run(name: str, *arguments: object) -> str:
    """What a script of benchmarks/ prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(BENCHMARKS / name), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def test_a_row_has_speeds_memory_and_phases(tmp_path):
    rows = tmp_path / "rows.json"
    printed = run("throughput.py", "--shape", "demo", "--rounds", 1, "--seconds", 0.01, "--threads", 1, "--json", rows)
    (row,) = json.loads(rows.read_text())
    assert (row["shape"], row["likelihood"]) == ("demo", "zip")
    assert row["ratio"] == pytest.approx(row["cells_per_second"] / row["plain_cells_per_second"])
    assert min(row["peak_mb"], row["plain_peak_mb"]) > 100
    for phases in (row["phases"], row["plain_phases"]):
        assert list(phases) == ["load", "forward", "loss", "backward", "optimizer"]
        assert sum(phases.values()) == pytest.approx(1)
    assert f"{row['ratio']:.2f} times the speed" in printed


def test_counts_have_the_shapes_size_density_and_uneven_genes(tmp_path):
    run("shapes.py", "demo", tmp_path / "counts.npz")
    counts = load_npz(tmp_path / "counts.npz")
    assert counts.shape == (1743, 1000)
    assert counts.nnz / (1743 * 1000) == pytest.approx(0.174, rel=0.03)
    detected = sorted(counts.getnnz(axis=0))
    assert sum(detected[-100:]) > 0.3 * counts.nnz  # 0.44 in Baron's pancreas


def test_the_least_work_of_a_step_agrees_with_a_count_by_hand(import_script):
    shape = import_script("shapes").Shape(cells=99, genes=50, density=0.1, encoder="8-4-2", batch_size=10)
    first, gradient, others, heads = import_script("limit").parts(shape, "zip")
    # 10 cells x 5 nonzero counts, each times 8 neurons: a multiplication and an addition
    assert first.operations == gradient.operations == 10 * 5 * 8 * 2
    # 50 x 8 weights read, 50 counts with their columns, 10 x 8 sums
    assert first.traffic == 4 * 400 + 8 * 50 + 4 * 80
    # the same counts and sums, and weights and two moments read and written
    assert gradient.traffic == 24 * 400 + 8 * 50 + 4 * 80
    # layers 8 x 4 and 4 x 2, and projections 8 x 2 and 4 x 2: 64 weights, 10 outputs a cell
    assert others.operations == 3 * 2 * 10 * 64
    assert others.traffic == 28 * 64 + 4 * 10 * 10
    # ZIP has two heads of 2 x 50 weights
    assert heads.operations == 2 * 3 * 2 * 10 * 100
    assert heads.traffic == 2 * (28 * 100 + 4 * 10 * 50)
    rates = {"operations": 1e3, "traffic": 1e4}
    assert heads.seconds(rates) == pytest.approx(12.0)
    assert first.seconds(rates) == pytest.approx(0.8)
    assert gradient.seconds(rates) == pytest.approx(1.032)
