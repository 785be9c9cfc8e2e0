"""Publishing an invented benchmark: small tables, provenance counted by hand, and a page made from the tables alone."""

import json
from pathlib import Path

import pandas as pd
import pytest

from zipo.benchmark.answers import NONE
from zipo.benchmark.leaderboard import leaderboard
from zipo.benchmark.ranks import ranks
from zipo.benchmark.running.launch import Result
from zipo.benchmark.scores import COLUMNS
from zipo.shared.errors import InputError
from zipo.shared.tables import write_parquet, write_tsv
from zipo.study import publish as of_publish
from zipo.study.code_version import git_commit
from zipo.study.publish import markdown, publish, text

FACTS = {
    "title": "Invented", "reference": "one", "datasets": {"d": "Data d"}, "controls": ["no_denoising"], "bounds": [],
    "rows": {name: {"method": name} for name in ("one", "two", "no_denoising")},
    "how": {"share": 0.9, "splits": 2, "first_split": 4, "seeds": 1, "threads": 1, "seconds": 60.0},
}  # fmt: skip


@pytest.fixture
def results(tmp_path) -> Path:
    """A finished benchmark of two methods, one of which took too long on a split, and a control."""
    folder, rows = tmp_path / "results", []
    for method, value, seconds in (("one", 1.0, 1800.0), ("two", None, None), ("no_denoising", 2.0, 0.5)):
        for split in (4, 5):
            row = {"study": "s", "dataset": "d", "method": method, "parameters": "{}", "kind": "split", "split": split}
            row |= {"seed": 1, "seconds": seconds, "peak_mb": 100.4, "metric": "poisson_deviance", "value": value}
            row |= {"status": "ok", "reason": ""}
            if value is None:
                row |= {"metric": None, "status": "timeout", "reason": "too slow", "peak_mb": None}
            rows.append(row)
            run = folder / "benchmark" / "runs" / method / "d" / f"split-{split}-seed-1"
            run.mkdir(parents=True)
            result = Result(method, 1, {}, 1, processor=f"processor {split}", finished=f"2026-01-0{split}")
            result.versions = {"numpy": "2.0"} if method == "one" else {}
            (run / "result.json").write_text(json.dumps(vars(result)))
    scores = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    table = leaderboard(scores, "one", FACTS["controls"])
    write_parquet(scores, folder / "scores.parquet")
    write_parquet(table, folder / "leaderboard.parquet")
    write_tsv(ranks(table, FACTS["controls"]), folder / "ranks.tsv")
    (folder / "leaderboard.json").write_text(json.dumps(FACTS))
    return folder


def test_what_is_published_is_small_and_the_page_follows_from_its_tables(results, tmp_path):
    target = tmp_path / "docs" / "leaderboard"
    publish(results, target)
    names = {"scores.parquet", "leaderboard.parquet", "leaderboard.tsv", "leaderboard.json", "ranks.tsv"}
    assert {file.name for file in target.iterdir()} == names | {"provenance.tsv", "index.md"}
    page = (target / "index.md").read_text()
    assert page == text(target)
    assert "Of 2 methods, one has the best mean rank (1.0), before two (2.0)" in page
    assert "On one data set, that says nothing about others." in page
    assert f"| two | {NONE} | {NONE} | timeout on d |" in page
    assert "splits 4 to 5; earlier ones are left to the choice of methods and parameters" in page
    for name in ("scores", "leaderboard"):
        left, right = (pd.read_parquet(folder / f"{name}.parquet") for folder in (results, target))
        pd.testing.assert_frame_equal(left, right)


def test_the_page_changes_with_its_tables(results, tmp_path):
    publish(results, tmp_path / "docs")
    table = pd.read_csv(tmp_path / "docs" / "ranks.tsv", sep="\t")
    table["mean_rank"] += 0.5
    table.to_csv(tmp_path / "docs" / "ranks.tsv", sep="\t", index=False)
    assert "one has the best mean rank (1.5)" in text(tmp_path / "docs")
    assert text(tmp_path / "docs") != (tmp_path / "docs" / "index.md").read_text()


def test_provenance_counts_runs_and_names_hardware_versions_and_commit(results, tmp_path):
    publish(results, tmp_path / "docs")
    where = pd.read_csv(tmp_path / "docs" / "provenance.tsv", sep="\t", index_col="name")["value"].to_dict()
    assert where == {
        "rows of the leaderboard": "3", "data sets": "1", "runs": "6", "runs that are ok": "4",
        "runs that are timeout": "2", "processor": "processor 4, processor 5", "threads of a run": "1",
        "denoising, hours in all": "1.0", "longest run, minutes": "30.0", "peak memory of a run, MB": "100",
        "last run ended": "2026-01-05", "commit of the code that published": git_commit(),
        "versions of one": "numpy 2.0",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["ranks.tsv", "benchmark/runs/one/d/split-4-seed-1/result.json"])
def test_a_file_that_is_missing_is_named_and_nothing_is_written(name, results, tmp_path):
    (results / name).unlink()
    with pytest.raises(InputError, match=f"{name}: not there"):
        publish(results, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()


def test_more_than_the_limit_is_not_published(results, tmp_path, monkeypatch):
    monkeypatch.setattr(of_publish, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="at most 1,000 are published"):
        publish(results, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()


def test_a_table_in_markdown_keeps_its_cells_apart():
    frame = pd.DataFrame({"a": ["x|y"], "b": [0.12345], "c": [None]})
    assert markdown(frame.astype({"c": float})) == f"| a | b | c |\n| --- | --- | --- |\n| x\\|y | 0.123 | {NONE} |"
