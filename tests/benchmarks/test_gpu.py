"""The script for a GPU: its table, its least work by hand, and a part that fails beside one that does not."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"


def test_a_part_that_fails_is_named_and_the_others_stay(import_script, tmp_path):
    gpu = import_script("gpu")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    good = gpu.Part("checks", "good", ("-c", "print('a line'); print('{\"rows\": []}')"))
    assert gpu.run(good, [], environment, 60) == {"rows": []}
    bad = gpu.Part("checks", "bad", ("-c", "raise ValueError('no such device')"))
    assert gpu.run(bad, [], environment, 60)["failed"] == "status 1: ValueError: no such device"
    silent = gpu.Part("checks", "silent", ("-c", "pass"))
    assert "no message" in gpu.run(silent, [], environment, 60)["failed"]
    slow = gpu.Part("checks", "slow", ("-c", "import time; time.sleep(60)"))
    assert gpu.run(slow, [], environment, 0.5)["failed"] == "took longer than 0 seconds"


@pytest.mark.slow
def test_the_whole_of_a_section_runs_on_a_processor(tmp_path):
    command = [sys.executable, str(BENCHMARKS / "gpu.py"), "--out", str(tmp_path / "gpu"), "--section", "checks"]
    command += ["--device", "cpu", "--small"]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, check=True, capture_output=True, text=True, env=variables)
    parts = json.loads((tmp_path / "gpu.json").read_text())["parts"]
    assert [part["name"] for part in parts[1:]] == ["numbers", "precision", "refinement", "waiting", "checkpoints"]
    rows = [row for part in parts[1:] for row in part["rows"]]
    assert all(row.get("ok") for row in rows if "skipped" not in row)
    assert [row["check"] for row in rows if "skipped" in row] == ["no wait within a step"]
    table = (tmp_path / "gpu.md").read_text()
    assert "| waiting | not run: only a GPU can be waited for |" in table
    assert "| checkpoints | 1 of 1 |" in table


def test_no_number_is_no_agreement(import_script, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    checks = import_script("gpu_checks")
    assert checks.row("a", 1e-6, 1e-5)["ok"]
    assert not checks.row("a", 2e-5, 1e-5)["ok"]
    assert not checks.row("a", math.nan, 1e-5)["ok"]
    with checks.reported("a check") as rows:
        raise RuntimeError("illegal memory access")
    assert rows == [{"check": "a check", "ok": False, "failed": "RuntimeError: illegal memory access"}]


def test_the_least_work_of_a_dense_step_agrees_with_a_count_by_hand(import_script):
    shape = import_script("shapes").Shape(cells=99, genes=50, density=0.1, encoder="8-4-2", batch_size=10)
    products, adam, likelihood = import_script("gpu_speed").parts(shape, "zip")
    # layers 50 x 8 (no gradient by its inputs), 8 x 4, 4 x 2, projections 8 x 2 and 4 x 2, heads 2 x 2 x 50
    others = 32 + 8 + 16 + 8 + 200
    assert products.operations == 10 * (2 * 2 * 400 + 3 * 2 * others)
    assert adam.traffic == 7 * 4 * (400 + others)
    assert likelihood.traffic == 10 * 2 * 50 * 2 * 4


def test_the_table_has_ratios_shares_of_the_limit_and_what_failed(import_script):
    work = [{"operations": 2e9, "traffic": 0.0}, {"operations": 0.0, "traffic": 3e9}]
    common = {"shape": "demo", "precision": "float32", "parts": work, "batch_size": 10, "peak_mb": 7.0}
    rates = {"float32": 1e12, "tf32": 2e12, "bfloat16": 4e12, "traffic": 1e12}
    fast = {"engine": "engine", "cells_per_second": 1500.0}
    slow = {"engine": "plain_resident", "cells_per_second": 500.0}
    failed = {"engine": "plain", "failed": "OutOfMemoryError: 3 GB"}
    seeds = {"shape": "demo", "way": "processes", "mps": True}
    results = {
        "device": "cuda",
        "small": False,
        "parts": [
            {"section": "about", "name": "about", "about": {"device": "A GPU", "cuda": None}},
            {"section": "checks", "name": "numbers", "rows": [
                {"check": "nb", "deviation": 1e-5, "bound": 1e-4, "ok": True},
                {"check": "zip", "deviation": 3e-4, "bound": 1e-4, "ok": False},
            ]},
            {"section": "checks", "name": "waiting", "failed": "status 1: no GPU"},
            {"section": "speed", "name": "rates", "rates": rates},
            {"section": "speed", "name": "a", "rows": [common | fast]},
            {"section": "speed", "name": "b", "rows": [common | slow]},
            {"section": "speed", "name": "c", "rows": [common | failed]},
            {"section": "seeds", "name": "d", "rows": [seeds | {"seeds": 1, "cells_per_second": 100.0}]},
            {"section": "seeds", "name": "e", "rows": [seeds | {"seeds": 4, "cells_per_second": 250.0}]},
        ],
    }  # fmt: skip
    lines = import_script("gpu_table").markdown(results).splitlines()
    assert "| numbers | 1 of 2 | 3 |" in lines
    assert "- **zip**: deviates by 0.0003, bound 0.0001" in lines
    assert "| waiting | not run: status 1: no GPU |  |" in lines
    # 2 ms of products and 3 ms of copies for 10 cells: 2,000 cells a second at most
    assert "| demo | engine | float32 | 1500 | 3.00 | 75 % | 7 |" in lines
    assert "| demo | plain PyTorch, batches from the host | float32 | not run: OutOfMemoryError: 3 GB | | | |" in lines
    assert "| demo | processes under MPS | 4 | 250 | 2.50 |" in lines
    assert "- checks, waiting: status 1: no GPU" in lines
