"""Signals that a process sends itself, answered within a context and as before after it."""

import os
import signal

import pytest

from zipo.shared.signals import handling_signals, sigterm_as_interrupt

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def handlers() -> list:
    return [signal.getsignal(number) for number in NUMBERS]


def test_signals_call_their_handlers_within_the_context_alone():
    before, received = handlers(), []
    with handling_signals({number: lambda number, frame: received.append(number) for number in NUMBERS[1:]}):
        assert signal.getsignal(signal.SIGINT) == before[0]
        for number in NUMBERS[1:]:
            os.kill(os.getpid(), number)
    assert received == [signal.SIGTERM, signal.SIGUSR1]
    assert handlers() == before


def test_contexts_within_each_other_end_one_by_one():
    received = []
    with handling_signals({signal.SIGUSR1: lambda *_: received.append("outer")}):
        with handling_signals({signal.SIGUSR1: lambda *_: received.append("inner")}):
            os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR1)
    assert received == ["inner", "outer"]


def test_sigterm_interrupts_as_ctrl_c_does_and_the_earlier_handler_returns():
    before = handlers()
    with pytest.raises(KeyboardInterrupt), sigterm_as_interrupt():
        os.kill(os.getpid(), signal.SIGTERM)
    assert handlers() == before
