"""SIGINT (Ctrl-C) and SIGTERM: a command ends with one line on how to go on, and with the signal's exit code."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zipo.engine.checkpoints import Checkpoints

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Ended(BaseException):
    """A signal asked for the end."""


class Stop:
    """What a signal does. While `checkpoints` is set, the training ends after a checkpoint; otherwise, and at a second
    signal, the command ends at once. `advice` tells how to go on."""

    def __init__(self) -> None:
        self.checkpoints: Checkpoints | None = None
        self.advice = "nothing is written; run the same command again"
        self.number = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        first, self.number = not self.number, number
        if self.checkpoints is None or not first:
            raise _Ended
        self.checkpoints.stop_soon = True


@contextmanager
def stopping() -> Iterator[Stop]:
    """Within the context signals end the command, whose files are then as they were before."""
    stop = Stop()
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield stop
    except BaseException as error:
        # Stopped, which ends a training, is not imported here, since torch would come along
        if not isinstance(error, _Ended) and type(error).__name__ != "Stopped":
            raise
        print(f"stopped as asked; {stop.advice}", file=sys.stderr)
        sys.exit(128 + stop.number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
