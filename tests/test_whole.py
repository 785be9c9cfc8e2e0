"""A file is there whole or not at all, however its writing ends."""

import os
from pathlib import Path

import numpy as np
import pytest

from zipo.errors import InputError
from zipo.whole import set_aside, whole


def test_a_file_takes_its_name_at_the_end(tmp_path):
    target = tmp_path / "new" / "row.json"
    with whole(target) as part:
        part.write_text("[1]")
        assert not target.exists()
        assert part.suffix == ".json"
    assert target.read_text() == "[1]"
    assert os.listdir(target.parent) == ["row.json"]


def test_an_error_leaves_the_earlier_file(tmp_path):
    target = tmp_path / "row.json"
    target.write_text("before")

    def cut_off(part: Path) -> None:
        part.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), whole(target) as part:
        cut_off(part)
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == ["row.json"]


def test_a_full_disk_is_told_in_one_sentence_and_costs_nothing(tmp_path):
    target = tmp_path / "latents.npz"
    target.write_text("before")
    (tmp_path / "latents.part.npz").symlink_to("/dev/full")  # a device on which every write meets a full disk
    told = r"latents\.npz: cannot be written \(No space left on device\); make room"
    with pytest.raises(InputError, match=told), whole(target) as part:
        np.savez(part, latents=np.zeros(100_000))
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == ["latents.npz"]


def test_a_damaged_file_is_set_aside(tmp_path):
    target = tmp_path / "row.json"
    target.write_text("half")
    with pytest.raises(
        InputError, match=r"row\.json: damaged \(cut\); it is set aside as row\.json\.damaged: run again"
    ):
        set_aside(target, "cut")
    assert (tmp_path / "row.json.damaged").read_text() == "half"
    assert not target.exists()
