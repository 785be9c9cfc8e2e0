"""Ends a command at SIGINT (Ctrl-C) or SIGTERM, with one line on how to go on, and with the signal's exit code."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from zipo.shared.signals import handling_signals

if TYPE_CHECKING:
    from zipo.engine.checkpoints import Checkpoints


class _StoppedAtOnce(BaseException):
    """Raised by a signal, wherever the command is, to end it."""


class Stop:
    """Handler of SIGINT and SIGTERM.

    While `checkpoints` is set, the training ends after it wrote a checkpoint; otherwise, and at a second signal, the
    command ends at once. `advice` says how to go on, and `number` is the latest signal's.
    """

    def __init__(self) -> None:
        self.checkpoints: Checkpoints | None = None
        self.advice = "nothing is written; run the same command again"
        self.number = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        first, self.number = not self.number, number
        if self.checkpoints is None or not first:
            raise _StoppedAtOnce
        self.checkpoints.stop_soon = True


@contextmanager
def stopping() -> Iterator[Stop]:
    """Within the context SIGINT and SIGTERM end the command: a line on standard error, exit code 128 + signal.

    Its files are then as they were before.
    """
    stop = Stop()
    with handling_signals({signal.SIGINT: stop, signal.SIGTERM: stop}):
        try:
            yield stop
        except BaseException as error:
            # Stopped, which ends a training, is not imported here, since torch would come along
            if not isinstance(error, _StoppedAtOnce) and type(error).__name__ != "Stopped":
                raise
            print(f"stopped as asked; {stop.advice}", file=sys.stderr)
            sys.exit(128 + stop.number)
