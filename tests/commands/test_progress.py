"""Progress as readers of a log and of a terminal see it, with a clock that the test moves."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from zipo.commands import progress
from zipo.commands.progress import Reporter
from zipo.shared.errors import InputError


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=100.0)
    fake = SimpleNamespace(monotonic=lambda: now.seconds, strftime=lambda form: "now")
    monkeypatch.setattr(progress, "time", fake)
    return now


def train(reporter, clock, first=1):
    """Epochs of 4 seconds, of which 50 are asked for."""
    with reporter.epochs(50) as on_epoch:
        for epoch in range(first, first + 7):
            clock.seconds += 4
            on_epoch(epoch, 0.5 + 0.1 * (epoch % 2))


def test_a_log_gets_a_line_now_and_then(clock, capsys, tmp_path):
    train(Reporter(tmp_path / "log"), clock)
    lines = [
        "epoch 3 of at most 50: validation NLL 0.6000, lowest 0.5000, at most 3 min left",
        "epoch 6 of at most 50: validation NLL 0.5000, lowest 0.5000, at most 3 min left",
    ]
    assert capsys.readouterr().err.splitlines() == lines
    assert (tmp_path / "log").read_text().splitlines() == [f"now {line}" for line in lines]


def test_time_left_is_told_by_the_epochs_of_this_process(clock, capsys):
    train(Reporter(), clock, first=40)
    assert "epoch 42 of at most 50: validation NLL 0.5000, lowest 0.5000, at most 32 s left" in capsys.readouterr().err


def test_cells_that_are_written(clock, capsys):
    with Reporter().cells(3000) as on_cells:
        for done in (1000, 2000):
            clock.seconds += 11
            on_cells(done)
    assert capsys.readouterr().err.splitlines() == [
        "1,000 of 3,000 cells written, 22 s left",
        "2,000 of 3,000 cells written, 11 s left",
    ]


def test_a_terminal_gets_a_bar_that_leaves_nothing_behind(clock, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    reporter = Reporter(tmp_path / "log")
    train(reporter, clock)
    shown = capsys.readouterr().err
    assert "epoch 7/50, NLL 0.6000, lowest 0.5000, at most 3 min left" in shown
    assert shown.endswith("\x1b[2K") or shown.rstrip().endswith("\x1b[2K")  # the line is cleared
    assert len((tmp_path / "log").read_text().splitlines()) == 2


def test_a_log_is_of_utf_8_whatever_the_locale(tmp_path):
    code = (
        "from pathlib import Path; from zipo.commands.progress import Reporter;"
        "Reporter(Path('log')).say('\\u03b2.h5ad: written')"
    )
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert (tmp_path / "log").read_text(encoding="utf-8").endswith(" \N{GREEK SMALL LETTER BETA}.h5ad: written\n")


def test_a_log_is_appended_to_logs_alone(tmp_path):
    (tmp_path / "note").write_text("mine\n")
    with pytest.raises(InputError, match=r"--log .*note: exists and is no log of zipo, which alone is appended to"):
        Reporter(tmp_path / "note")
    assert (tmp_path / "note").read_text() == "mine\n"
    (tmp_path / "empty").touch()
    for path in (tmp_path / "log", tmp_path / "log", tmp_path / "empty"):
        Reporter(path).note("written")
    assert (tmp_path / "log").read_text().count("written\n") == 2


def test_a_log_that_cannot_be_written_is_told_at_once(tmp_path):
    with pytest.raises(InputError, match=r"--log .*none/log: cannot be written \(No such file or directory\)"):
        Reporter(tmp_path / "none" / "log")
