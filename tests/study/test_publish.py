"""Publishing an invented benchmark: small tables, provenance counted by hand, and a page made from the tables alone."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from zipo.benchmark.answers import NONE
from zipo.benchmark.leaderboard import leaderboard
from zipo.benchmark.running.launch import Result
from zipo.benchmark.scores import COLUMNS
from zipo.shared.errors import InputError
from zipo.shared.tables import write_parquet, write_tsv
from zipo.study import publish as of_publish
from zipo.study.code_version import git_commit
from zipo.study.publish import publish
from zipo.study.published_page import markdown, text

FACTS = {
    "title": "Invented", "reference": "one", "datasets": {"d": "Data d"}, "controls": ["no_denoising"], "bounds": [],
    "rows": {name: {"method": name} for name in ("one", "two", "no_denoising")},
    "how": {"share": 0.9, "splits": 2, "first_split": 4, "seeds": 1, "threads": 1, "seconds": 60.0},
}  # fmt: skip


def benchmark(folder: Path, methods: tuple, dataset: str = "d") -> Path:
    """A finished benchmark of methods with their deviance and seconds, None for one that took too long."""
    rows = []
    for method, value, seconds in methods:
        for split in (4, 5):
            row = {
                "study": "s",
                "dataset": dataset,
                "method": method,
                "parameters": "{}",
                "kind": "split",
                "split": split,
            }
            row |= {"seed": 1, "seconds": seconds, "peak_mb": 100.4, "metric": "poisson_deviance", "value": value}
            row |= {"status": "ok", "reason": ""}
            if value is None:
                row |= {"metric": None, "status": "timeout", "reason": "too slow", "peak_mb": None}
            rows.append(row)
            run = folder / "benchmark" / "runs" / method / dataset / f"split-{split}-seed-1"
            run.mkdir(parents=True)
            result = Result(method, 1, {}, 1, processor=f"processor {split}", finished=f"2026-01-0{split}")
            result.versions = {"numpy": "2.0"} if method == "one" else {}
            (run / "result.json").write_text(json.dumps(vars(result)))
    scores = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    table = leaderboard(scores, "one", FACTS["controls"])
    write_parquet(scores, folder / "scores.parquet")
    write_parquet(table, folder / "leaderboard.parquet")
    facts = FACTS | {"datasets": {dataset: f"Data {dataset}"}, "rows": {name: {"method": name} for name, *_ in methods}}
    (folder / "leaderboard.json").write_text(json.dumps(facts))
    return folder


@pytest.fixture
def results(tmp_path) -> Path:
    """Two methods, one of which took too long on both splits, and a control."""
    methods = ("one", 1.0, 1800.0), ("two", None, None), ("no_denoising", 2.0, 0.5)
    return benchmark(tmp_path / "results", methods)


def read_provenance(folder: Path) -> dict[str, str]:
    """The last table of the page."""
    lines = (folder / "index.md").read_text().split("## Where it ran")[1].strip().splitlines()[2:]
    return dict([cell.strip() for cell in line.strip("|").split("|")] for line in lines)


def test_a_second_part_adds_data_sets_and_replaces_methods_that_ran_again(results, tmp_path):
    target = tmp_path / "docs"
    publish(results, target)
    publish(benchmark(tmp_path / "more", (("one", 5.0, 2.0), ("no_denoising", 7.0, 0.5)), "e"), target)
    publish(benchmark(tmp_path / "again", (("two", 0.5, 60.0), ("no_denoising", 2.0, 0.5))), target)
    table = pd.read_parquet(target / "leaderboard.parquet")
    means = table[table["metric"] == "poisson_deviance"].set_index(["dataset", "method"])["mean"].to_dict()
    assert means == {
        **{("d", "one"): 1.0, ("d", "two"): 0.5, ("d", "no_denoising"): 2.0},
        **{("e", "one"): 5.0, ("e", "no_denoising"): 7.0},
    }
    page = (target / "index.md").read_text()
    assert page == text(target)
    assert "`d`, Data d; `e`, Data e" in page
    assert "timeout" not in page
    assert read_provenance(target)["runs"] == "10"


def test_runs_of_other_counts_or_splits_are_not_put_beside_each_other(results, tmp_path):
    target = tmp_path / "docs"
    publish(results, target)
    before = (target / "index.md").read_text()
    others = benchmark(tmp_path / "others", (("three", 0.5, 60.0), ("no_denoising", 2.1, 0.5)))
    with pytest.raises(InputError, match=r"no_denoising on d has the deviance 2 there and 2\.1 here on split 4"):
        publish(others, target)
    facts = json.loads((others / "leaderboard.json").read_text())
    facts["how"]["share"] = 0.5
    (others / "leaderboard.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"its methods ran with another share \(0.9, here 0.5\)"):
        publish(others, target)
    assert (target / "index.md").read_text() == before


def test_what_is_published_is_small_and_the_page_follows_from_its_tables(results, tmp_path):
    target = tmp_path / "docs" / "leaderboard"
    publish(results, target)
    names = {"scores.parquet", "leaderboard.parquet", "leaderboard.tsv", "leaderboard.json", "ranks.tsv"}
    assert {file.name for file in target.iterdir()} == names | {"runs.tsv", "figure-17.png", "index.md"}
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
    where = read_provenance(tmp_path / "docs")
    assert where == {
        "rows of the leaderboard": "3", "data sets": "1", "runs": "6", "runs that are ok": "4",
        "runs that are timeout": "2", "processor": "processor 4, processor 5", "threads of a run": "1",
        "denoising, hours in all": "1", "longest run, minutes": "30", "peak memory of a run, MB": "100",
        "ended on": "2026-01-04, 2026-01-05", "commit": git_commit(),
        "versions of one": "numpy 2.0",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["leaderboard.json", "benchmark/runs/one/d/split-4-seed-1/result.json"])
def test_a_file_that_is_missing_is_named_and_nothing_is_written(name, results, tmp_path):
    (results / name).unlink()
    with pytest.raises(InputError, match=f"{name}: not there"):
        publish(results, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()


def test_a_studys_own_files_are_not_replaced(results, tmp_path):
    write_tsv(pd.DataFrame({"setting": ["s"], "seed": [1]}), results / "runs.tsv")
    other = shutil.copytree(results, tmp_path / "other")
    before = {file.name: file.read_bytes() for file in other.iterdir() if file.is_file()}
    for target in (results, results / ".." / "results", other):
        with pytest.raises(InputError, match=r"scores\.parquet: not of a published leaderboard"):
            publish(results, target)
    for folder in (results, other):
        assert {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before


def test_another_page_is_not_replaced(results, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "notes.md").write_text("stay")
    publish(results, tmp_path / "docs")
    (tmp_path / "docs" / "index.md").write_text("precious")
    with pytest.raises(InputError, match="not of a published leaderboard"):
        publish(results, tmp_path / "docs")
    assert (tmp_path / "docs" / "index.md").read_text() == "precious"
    assert (tmp_path / "docs" / "notes.md").read_text() == "stay"


@pytest.mark.parametrize("name", ["taken", "taken/docs"])
def test_a_target_that_is_a_file_is_refused(results, tmp_path, name):
    (tmp_path / "taken").write_text("precious")
    with pytest.raises(InputError, match="taken: this is a file, but what is published goes into a folder"):
        publish(results, tmp_path / name)
    assert (tmp_path / "taken").read_text() == "precious"


def test_more_than_the_limit_is_not_published(results, tmp_path, monkeypatch):
    monkeypatch.setattr(of_publish, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="at most 1,000 are published"):
        publish(results, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()


def test_a_table_in_markdown_keeps_its_cells_apart():
    frame = pd.DataFrame({"a": ["x|y"], "b": [0.12345], "c": [None]})
    assert markdown(frame.astype({"c": float})) == f"| a | b | c |\n| --- | --- | --- |\n| x\\|y | 0.123 | {NONE} |"
