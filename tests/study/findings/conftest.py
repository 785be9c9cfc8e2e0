"""An invented study of three claims and a benchmark, whose numbers are known by hand."""

import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from zipo.shared.tables import write_parquet, write_tsv
from zipo.shared.yaml_files import dump_yaml
from zipo.study.claims.verdicts import COLUMNS

OWN = {
    "id": "zip_beats_zinb_nll", "figure": 11, "section": "III-F", "claim": "ZIP has a lower NLL than ZINB.",
    "kind": "difference", "dataset": "a", "papers_data": False, "verdict": "not reproduced", "scale": "relative",
    "sentence": "It is higher.", "effect": 0.25, "ci_low": 0.1, "ci_high": 0.4, "runs": 12, "diverged": 1, "capped": 0,
}  # fmt: skip
OPEN = OWN | {
    "id": "dca_worst_mse", "figure": 13, "claim": "DCA has the largest MSE.", "verdict": "undecided", "effect": 11.0,
    "ci_low": None, "ci_high": None, "diverged": 0, "capped": 3, "seeds_needed": 40, "papers_data": True,
}  # fmt: skip
ABSENT = {
    "id": "elsewhere", "figure": None, "section": "II-F", "claim": "It is so.", "kind": "trend", "dataset": "liver",
    "papers_data": False, "verdict": "not run", "sentence": "Not run: no run is of liver.",
}  # fmt: skip


@pytest.fixture
def results(tmp_path) -> Path:
    """A finished study of three claims, of which the first hangs on a reading, with a picture of figure 11."""
    folder = tmp_path / "results"
    write_tsv(pd.DataFrame([OWN, OPEN, ABSENT], columns=COLUMNS), folder / "claims.tsv")
    readings = pd.DataFrame([
        {"id": OWN["id"], "figure": 11, "dataset": "a", "class": "hangs on", "because_of": "reduction=sum",
         "as_run verdict": "not reproduced", "as_run same_runs": False,
         "reduction=sum verdict": "reproduced", "reduction=sum same_runs": False},
        {"id": OPEN["id"], "figure": 13, "dataset": "a", "class": "undecided", "because_of": "as_run",
         "as_run verdict": "undecided", "as_run same_runs": False,
         "reduction=sum verdict": "undecided", "reduction=sum same_runs": True},
    ])  # fmt: skip
    write_tsv(readings, folder / "readings.tsv")
    questions = pd.DataFrame({"question": ["", "reduction", "reduction"], "text": ["", "Sum or mean?", "Sum or mean?"]})
    write_parquet(questions, folder / "readings.parquet")
    run = {
        "setting": "s", "seed": 1, "status": "ok", "device": "cpu", "threads": 1, "python": "3.11", "torch": "2",
        "zipo": "0.1", "git_commit": "abc", "seconds": 1800.0, "epochs": 5, "peak_memory_mb": 10.0,
    }  # fmt: skip
    write_parquet(pd.DataFrame([run, run | {"seed": 2}]), folder / "runs.parquet")
    config = {
        "study": "s", "title": "Invented", "datasets": {"a": {}}, "experiments": {"likelihood": {}, "methods": {}},
        "readings": {"experiments": {"likelihood": {}}},
    }  # fmt: skip
    (folder / "config.yaml").write_text(dump_yaml(config))
    (folder / "figures").mkdir()
    Image.effect_noise((1800, 600), 90).save(folder / "figures" / "figure-11.png")
    return folder


@pytest.fixture
def leaderboard(tmp_path) -> Path:
    """A benchmark in which ZiPo is second of three over all, first by ari and last by mse."""
    folder = tmp_path / "leaderboard"
    rows = [
        (method, metric, rank)
        for metric, ranked in (("overall", "azb"), ("ari", "zab"), ("mse", "abz"))
        for rank, method in enumerate(ranked, 1)
    ]
    table = pd.DataFrame(rows, columns=["method", "metric", "mean_rank"]).assign(measures=2, datasets=1)
    write_tsv(table, folder / "ranks.tsv")
    methods = {"z": {"method": "zipo"}, "a": {"method": "pca"}, "b": {"method": "dca"}}
    (folder / "leaderboard.json").write_text(json.dumps({"rows": methods}))
    return folder
