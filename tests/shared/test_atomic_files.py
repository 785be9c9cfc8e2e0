"""A file, or a folder of files, is there whole or not at all, however their writing ends."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from zipo.shared.atomic_files import atomic_folder, atomic_write, set_aside
from zipo.shared.errors import InputError


def cut_off(part: Path) -> None:
    part.write_text("half")
    raise KeyboardInterrupt


def test_a_file_takes_its_name_at_the_end(tmp_path):
    target = tmp_path / "new" / "row.json"
    with atomic_write(target) as part:
        part.write_text("[1]")
        assert not target.exists()
        assert part.suffix == ".json"
    assert target.read_text() == "[1]"
    assert os.listdir(target.parent) == ["row.json"]


def test_an_error_leaves_the_earlier_file(tmp_path):
    target = tmp_path / "row.json"
    target.write_text("before")

    with pytest.raises(KeyboardInterrupt), atomic_write(target) as part:
        cut_off(part)
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == ["row.json"]


def test_a_full_disk_is_told_in_one_sentence_and_costs_nothing(tmp_path):
    target = tmp_path / "latents.npz"
    target.write_text("before")
    (tmp_path / "latents.part.npz").symlink_to("/dev/full")  # a device on which every write meets a full disk
    sentence = r"latents\.npz: cannot be written \(No space left on device\); make room"
    with pytest.raises(InputError, match=sentence), atomic_write(target) as part:
        np.savez(part, latents=np.zeros(100_000))
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == ["latents.npz"]


@pytest.mark.parametrize("there", ["before", None])
def test_a_file_behind_a_link_is_written_and_the_link_stays(tmp_path, there):
    scratch, target = tmp_path / "scratch", tmp_path / "latents.npz"
    scratch.mkdir()
    if there:
        (scratch / "a1b2").write_text(there)
    target.symlink_to("scratch/a1b2")
    with pytest.raises(KeyboardInterrupt), atomic_write(target) as part:
        cut_off(part)
    assert contents(scratch) == ({"a1b2": there} if there else {})
    with atomic_write(target) as part:
        assert part.parent == scratch  # of one disk with what it replaces
        np.savez(part, latents=np.arange(3))  # under any name but .npz it would write another file
    assert np.load(target)["latents"].tolist() == [0, 1, 2]
    assert os.readlink(target) == "scratch/a1b2"
    assert (os.listdir(scratch), sorted(os.listdir(tmp_path))) == (["a1b2"], ["latents.npz", "scratch"])


def test_a_damaged_file_is_set_aside(tmp_path):
    target = tmp_path / "row.json"
    target.write_text("half")
    with pytest.raises(
        InputError, match=r"row\.json: damaged \(cut\); it is set aside as row\.json\.damaged: run again"
    ):
        set_aside(target, "cut")
    assert (tmp_path / "row.json.damaged").read_text() == "half"
    assert not target.exists()


def test_a_folder_takes_its_name_at_the_end_and_the_earlier_ones_place(tmp_path):
    target = tmp_path / "models" / "mine"
    for text in ("first", "second"):
        with atomic_folder(target) as part:
            (part / "weights").write_text(text)
            assert not target.exists() or (target / "weights").read_text() == "first"
        assert (target / "weights").read_text() == text
        assert os.listdir(target.parent) == ["mine"]


def test_an_error_leaves_the_earlier_folder(tmp_path):
    target = tmp_path / "mine"
    with atomic_folder(target) as part:
        (part / "weights").write_text("before")
    (tmp_path / "mine.part").mkdir()  # of a process that was killed
    (tmp_path / "mine.part" / "half").touch()

    def cut_off(part: Path) -> None:
        assert os.listdir(part) == []
        (part / "weights").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), atomic_folder(target) as part:
        cut_off(part)
    assert (target / "weights").read_text() == "before"
    assert os.listdir(tmp_path) == ["mine"]


def test_a_folder_that_cannot_be_written_is_told_in_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "mine"
    with pytest.raises(InputError, match=r"mine: cannot be written \(Not a directory\)"), atomic_folder(target):
        pass


def contents(folder: Path) -> dict[str, str]:
    """Texts of the files below a folder, by their paths in it."""
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def saved(tmp_path) -> Path:
    """A folder that was written before."""
    with atomic_folder(tmp_path / "mine") as part:
        (part / "weights").write_text("before")
    return tmp_path / "mine"


def save(target: Path) -> None:
    with atomic_folder(target) as part:
        (part / "weights").write_text("after")


@pytest.mark.parametrize("failing", [1, 2])
def test_a_failure_between_the_two_renames_loses_no_folder(saved, monkeypatch, failing):
    calls, replace = [], os.replace

    def failing_replace(source, target):
        calls.append(target)
        if len(calls) == failing:
            raise OSError(errno.EIO, "failed")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing_replace)
    with pytest.raises(InputError, match=r"mine: cannot be written \(Input/output error\)"):
        save(saved)
    monkeypatch.undo()
    assert contents(saved.parent) == {"mine/weights": "before"}
    save(saved)
    assert contents(saved.parent) == {"mine/weights": "after"}


def test_the_folder_of_a_process_that_was_killed_between_the_renames_is_restored(saved):
    os.replace(saved, saved.with_name("mine.earlier"))
    saved.with_name("mine.part").mkdir()
    with pytest.raises(KeyboardInterrupt), atomic_folder(saved):
        raise KeyboardInterrupt
    assert contents(saved.parent) == {"mine/weights": "before"}
    save(saved)
    assert contents(saved.parent) == {"mine/weights": "after"}


@pytest.mark.parametrize("there", ["before", None])
def test_a_folder_behind_a_link_is_written_and_the_link_stays(tmp_path, there):
    scratch, home = tmp_path / "scratch", tmp_path / "home"
    scratch.mkdir()
    home.mkdir()
    if there:
        (scratch / "mine").mkdir()
        (scratch / "mine" / "weights").write_text(there)
    (home / "mine").symlink_to("../scratch/mine")
    for _ in range(2):
        save(home / "mine")
        assert contents(scratch) == {"mine/weights": "after"}
        assert (os.listdir(scratch), os.listdir(home)) == (["mine"], ["mine"])
        assert os.readlink(home / "mine") == "../scratch/mine"


def test_links_in_place_of_the_temporary_folders_are_removed_and_what_they_point_to_stays(saved, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "weights").write_text("another")
    for name in ("mine.earlier", "mine.part"):
        (tmp_path / name).symlink_to("other")
    save(saved)
    assert contents(tmp_path) == {"mine/weights": "after", "other/weights": "another"}
    assert sorted(os.listdir(tmp_path)) == ["mine", "other"]


def test_a_link_to_a_place_that_is_not_there_makes_no_folder(tmp_path):
    (tmp_path / "mine").symlink_to("unmounted/mine")
    sentence = r"mine: cannot be written \(No such file or directory\)"
    with pytest.raises(InputError, match=sentence):
        save(tmp_path / "mine")
    with pytest.raises(InputError, match=sentence), atomic_write(tmp_path / "mine") as part:
        part.write_text("after")
    assert os.listdir(tmp_path) == ["mine"]


def test_a_disk_that_is_full_when_the_file_is_made_safe_costs_nothing(saved, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"mine: cannot be written \(No space left on device\)"):
        save(saved)
    file = saved.parent / "row.json"
    file.write_text("before")
    with pytest.raises(InputError, match=r"row\.json: cannot be written \(No space"), atomic_write(file) as part:
        part.write_text("after")
    assert contents(saved.parent) == {"mine/weights": "before", "row.json": "before"}


def test_damage_that_another_job_set_aside_is_told_all_the_same(tmp_path):
    with pytest.raises(InputError, match=r"row\.json: damaged \(cut\)"):
        set_aside(tmp_path / "row.json", "cut")
    assert os.listdir(tmp_path) == []
