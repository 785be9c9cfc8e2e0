"""Messages and progress of a command: a live bar on a terminal, otherwise, as in a log, a line now and then."""

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from zipo.shared.errors import InputError

EVERY = 10.0  # seconds between two lines; epochs can be shorter


class Reporter:
    """Writes messages to standard error, and appends them with times to a log file if there is one.

    Raises InputError for a log that cannot be written, or a file that is no log of zipo.
    """

    def __init__(self, log: Path | None = None) -> None:
        self.live = sys.stderr.isatty()
        self._log: IO[str] | None = None
        if log is not None:
            try:
                is_ours = not log.is_file() or _is_log(log)
                self._log = log.open("a", buffering=1, encoding="utf-8", errors="backslashreplace") if is_ours else None
            except OSError as error:
                raise InputError(f"--log {log}: cannot be written ({error.strerror}); give another file") from None
            if not is_ours:
                raise InputError(f"--log {log}: exists and is no log of zipo, which alone is appended to; give another")

    def say(self, text: str) -> None:
        """Write a line to standard error and to the log."""
        print(text, file=sys.stderr, flush=True)
        self.note(text)

    def note(self, text: str) -> None:
        """Write a line to the log alone."""
        if self._log:
            print(time.strftime("%Y-%m-%d %H:%M:%S"), text, file=self._log)

    @contextmanager
    def epochs(self, at_most: int) -> Iterator[Callable[[int, float], None]]:
        """Yields a function to call after each epoch with its number, from 1, and its validation NLL."""
        lines, since, first, best = _SparseLines(self), time.monotonic(), 0, float("inf")
        with _bar(self.live, "training", at_most) as advance:

            def report(epoch: int, nll: float) -> None:
                nonlocal first, best
                first, best = first or epoch, min(best, nll)
                # of the epochs of this process: those before an interruption took their time elsewhere
                left = (time.monotonic() - since) / (epoch - first + 1) * (at_most - epoch)
                text = f"NLL {nll:.4f}, lowest {best:.4f}, at most {_duration(left)} left"
                advance(epoch, f"epoch {epoch}/{at_most}, {text}")
                lines.offer(f"epoch {epoch} of at most {at_most}: validation {text}")

            yield report

    @contextmanager
    def cells(self, number: int) -> Iterator[Callable[[int], None]]:
        """Yields a function to call with the number of cells written so far."""
        lines, since = _SparseLines(self), time.monotonic()
        with _bar(self.live, "writing", number) as advance:

            def report(done: int) -> None:
                left = (time.monotonic() - since) / done * (number - done)
                text = f"{done:,} of {number:,} cells written, {_duration(left)} left"
                advance(done, text)
                lines.offer(text)

            yield report


def _is_log(file: Path) -> bool:
    """Whether a file begins as a log does, with a time, or is empty."""
    with file.open("rb") as stream:
        start = stream.read(20)
    return not start or bool(re.fullmatch(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", start))


class _SparseLines:
    """Lines in place of a bar, at most one in EVERY seconds, so that a log stays short."""

    def __init__(self, reporter: Reporter) -> None:
        self._say = reporter.note if reporter.live else reporter.say
        self._last = time.monotonic()

    def offer(self, text: str) -> None:
        """Write a line, unless the last one is too recent."""
        if time.monotonic() - self._last >= EVERY:
            self._last = time.monotonic()
            self._say(text)


@contextmanager
def _bar(live: bool, task_name: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """Yields a function that moves a live bar and sets the text behind it, 80 characters in all.

    Without a terminal the function does nothing. The bar is cleared at the end.
    """
    if not live:
        yield lambda done, text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(12), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(task_name, total=total)
        yield lambda done, text: progress.update(task, completed=done, description=text)


def _duration(seconds: float) -> str:
    """A duration in words, to two digits or so."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
