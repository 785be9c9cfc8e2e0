"""Findings are of what the study has now, and replace published findings alone, which stay whole whatever fails."""

import errno
import shutil
from pathlib import Path

import pytest

from zipo.shared.errors import InputError
from zipo.shared.tables import write_tsv
from zipo.shared.yaml_files import dump_yaml, read_yaml
from zipo.study import publish as of_publish
from zipo.study.findings.publish import publish
from zipo.study.findings.tables import read_tsv


def contents(folder: Path) -> dict[str, bytes | None]:
    """All that a folder holds, by path; None for a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def test_what_was_published_before_stays_whole_where_a_study_will_not_do(results, tmp_path, monkeypatch):
    target = tmp_path / "out"
    publish(results, target)
    before = contents(target)
    with monkeypatch.context() as patch:
        patch.setattr(of_publish, "MOST_BYTES", 100)
        with pytest.raises(InputError, match="bytes; at most 100 are published"):
            publish(results, target)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full_disk(after=2, copy=shutil.copyfile))
        with pytest.raises(InputError, match="out: cannot be written"):
            publish(results, target)
    (results / "runs.parquet").unlink()
    with pytest.raises(InputError, match=r"runs\.parquet: not there; run the study"):
        publish(results, target)
    assert contents(target) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "results"]


def full_disk(after: int, copy):
    """A copying of files that fails once the disk has taken so many."""
    copied = []

    def copyfile(source, target):
        if len(copied) == after:
            raise OSError(errno.ENOSPC, "No space left on device")
        copied.append(copy(source, target))

    return copyfile


def test_what_was_published_before_is_replaced(results, leaderboard, tmp_path):
    target = tmp_path / "out"
    publish(results, target, leaderboard)
    (results / "figures" / "figure-11.png").unlink()
    publish(results, target)
    assert set(contents(target)) == {"index.md", "claims.tsv", "readings.tsv", "provenance.json"}


def test_a_link_to_published_findings_stays_a_link(results, tmp_path):
    publish(results, tmp_path / "out")
    (tmp_path / "link").symlink_to("out")
    (results / "readings.tsv").unlink()
    publish(results, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert "readings.tsv" not in contents(tmp_path / "out")


@pytest.mark.parametrize("folder", ["results", ".", "results/../results", "link"])
def test_no_folder_is_replaced_that_holds_the_results(results, tmp_path, folder):
    (tmp_path / "link").symlink_to("results")
    before = contents(tmp_path)
    with pytest.raises(InputError, match="is or holds the study's results"):
        publish(results, tmp_path / folder)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("folder", ["work", ""])
def test_no_folder_is_replaced_that_holds_the_working_folder(results, tmp_path, monkeypatch, folder):
    (tmp_path / "site" / "work").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "site" / "work")
    with pytest.raises(InputError, match="is or holds the working folder"):
        publish(results, tmp_path / "site" / folder)
    assert contents(tmp_path / "site") == {"work": None}


@pytest.mark.parametrize(
    "name", ["precious.md", "index.md", "claims.tsv", "figure-11.png", "figures/figure-11.png", ".hidden"]
)
def test_a_folder_of_other_files_is_refused(results, tmp_path, name):
    target = tmp_path / "site"
    (target / name).parent.mkdir(parents=True)
    (target / name).write_text("precious")
    before = contents(target)
    with pytest.raises(InputError, match=f"site: holds {Path(name).parts[0]}, which `zipo study findings` has not"):
        publish(results, target)
    assert contents(target) == before


@pytest.mark.parametrize("name", ["notes.md", "figure-12.png", "figure-11.png/notes.md", "../out.earlier/notes.md"])
def test_published_findings_with_other_files_among_them_are_refused(results, tmp_path, name):
    target = tmp_path / "out"
    publish(results, target)
    (target / "figure-11.png").unlink()
    (target / name).parent.mkdir(exist_ok=True)
    (target / name).write_text("precious")
    before = contents(tmp_path)
    with pytest.raises(InputError, match="which `zipo study findings` has not written there"):
        publish(results, target)
    assert contents(tmp_path) == before


def test_the_results_of_another_study_are_no_findings(results, tmp_path):
    shutil.copytree(results, tmp_path / "other")
    with pytest.raises(InputError, match=r"other: holds claims\.tsv"):
        publish(results, tmp_path / "other")
    assert contents(tmp_path / "other") == contents(results)


@pytest.mark.parametrize("name", ["taken", "taken/site"])
def test_a_target_that_is_a_file_is_refused(results, tmp_path, name):
    (tmp_path / "taken").write_text("precious")
    with pytest.raises(InputError, match="taken: this is a file"):
        publish(results, tmp_path / name)
    assert (tmp_path / "taken").read_text() == "precious"


@pytest.mark.parametrize("name", ["nowhere", "leaderboard/ranks.tsv"])
def test_a_leaderboard_that_is_no_folder_is_refused(results, leaderboard, tmp_path, name):
    with pytest.raises(InputError, match=f"{name}: no such folder; give that of a published benchmark"):
        publish(results, tmp_path / "out", tmp_path / name)
    assert not (tmp_path / "out").exists()


def test_readings_that_the_study_no_longer_has_are_not_published(results, tmp_path):
    shutil.copy(results / "figures" / "figure-11.png", results / "figures" / "figure-21.png")
    publish(results, tmp_path / "before")
    reconfigure(results, readings=None)
    publish(results, tmp_path / "after")
    before, after = contents(tmp_path / "before"), contents(tmp_path / "after")
    assert set(before) - set(after) == {"readings.tsv", "figure-21.png"}
    assert "reduction" in before["index.md"].decode()
    assert "The study tries no other reading" in after["index.md"].decode()
    assert b"reduction" not in after["index.md"] + after["provenance.json"]


@pytest.mark.parametrize(
    ("sections", "shown"),
    [
        ({}, {"figure-11.png"}),
        ({"experiments": {"methods": {}}}, set()),
        ({"tuning": {"trials": 1}}, {"figure-11.png", "figure-14.png"}),
    ],
)
def test_pictures_that_the_study_no_longer_draws_are_not_published(results, tmp_path, sections, shown):
    """Figure 11 is drawn from the experiment likelihood, figure 14 from a search."""
    claims = read_tsv(results / "claims.tsv")
    claims.loc[1, "figure"] = 14
    write_tsv(claims, results / "claims.tsv")
    shutil.copy(results / "figures" / "figure-11.png", results / "figures" / "figure-14.png")
    reconfigure(results, **sections)
    publish(results, tmp_path / "out")
    assert {name for name in contents(tmp_path / "out") if name.endswith(".png")} == shown


def reconfigure(results: Path, **sections: dict | None):
    """Give a study other sections, None to take one away; what it made before stays."""
    config = read_yaml(results / "config.yaml") | sections
    config = {name: section for name, section in config.items() if section is not None}
    (results / "config.yaml").write_text(dump_yaml(config))
