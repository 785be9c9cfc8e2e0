"""Handlers of signals that hold within a context: what Ctrl-C, a cancelled job or a cluster's warning does."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]


@contextmanager
def handling_signals(handlers: Mapping[signal.Signals, Handler]) -> Iterator[None]:
    """Within the context each signal calls its handler; at the end the earlier handlers are set again.

    Python sets handlers in the main thread alone: ValueError in any other.
    """
    earlier = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def sigterm_as_interrupt() -> AbstractContextManager[None]:
    """Within the context SIGTERM raises KeyboardInterrupt, as Ctrl-C does, so that a cancelled job can clean up."""
    return handling_signals({signal.SIGTERM: signal.default_int_handler})
