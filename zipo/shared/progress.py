"""Progress of a download on standard error: a live line on a terminal, a line every few seconds in a log."""

import sys
import time

BAR = 24  # characters
LIVE = 0.2  # seconds between two drawings of the live line


def say(text: str) -> None:
    """Print a line on standard error, in place of the live line if there is one."""
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{clear}{text}", file=sys.stderr, flush=True)


class Progress:
    """Progress of one file, whose length in bytes may be unknown (None)."""

    def __init__(self, name: str, every: float) -> None:
        self.name = name
        self.live = sys.stderr.isatty()
        self.every = LIVE if self.live else every  # seconds

    def start(self, received: int, total: int | None) -> None:
        """Begin at a new connection, with this many bytes received before."""
        self.total = total
        self.first = received
        self.since = self.last = time.monotonic()

    def at(self, received: int) -> None:
        """Report the bytes received so far, unless the last report is too recent."""
        now = time.monotonic()
        if now - self.last < self.every:
            return
        self.last = now
        rate = (received - self.first) / (now - self.since)
        text = f"{self.name}: {received / 1e6:.1f} MB, {rate / 1e6:.2f} MB/s"
        if self.total:
            left = f"{(self.total - received) / rate:.0f} s left" if rate else "stalled"
            text = f"{self.name}: {received / 1e6:.1f} of {self.total / 1e6:.1f} MB, {rate / 1e6:.2f} MB/s, {left}"
        if self.live:
            done = BAR * received // self.total if self.total else 0
            print(f"\r[{'=' * done:{BAR}}] {text}\x1b[K", end="", file=sys.stderr, flush=True)
        else:
            say(text)
