"""Progress as a reader of a log and a reader of a terminal see it, with a clock that the test moves."""

from types import SimpleNamespace

import pytest

from zipo.shared import progress
from zipo.shared.progress import Progress, say


@pytest.fixture
def clock(monkeypatch):
    """Seconds, as the progress sees them."""
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def report(clock, total: int | None) -> None:
    """A file of which 2 MB were there; 6 MB come in 4 seconds, and are told every 3 seconds."""
    shown = Progress("a.gz", every=3)
    shown.start(2_000_000, total)
    for received in (3_500_000, 5_000_000, 6_500_000, 8_000_000):
        clock.seconds += 1
        shown.at(received)


def test_a_log_gets_a_line_every_few_seconds(clock, capsys):
    report(clock, total=11_000_000)
    assert capsys.readouterr().err == "a.gz: 6.5 of 11.0 MB, 1.50 MB/s, 3 s left\n"
    report(clock, total=None)
    assert capsys.readouterr().err == "a.gz: 6.5 MB, 1.50 MB/s\n"


def test_a_terminal_gets_a_live_line_that_other_lines_replace(clock, capsys, monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    report(clock, total=16_000_000)
    say("done")
    lines = capsys.readouterr().err.split("\r")
    assert lines[-2] == f"[{'=' * 12}{' ' * 12}] a.gz: 8.0 of 16.0 MB, 1.50 MB/s, 5 s left\x1b[K"
    assert lines[-1] == "\x1b[Kdone\n"
    assert len(lines) == 6
