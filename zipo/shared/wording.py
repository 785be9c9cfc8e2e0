"""How an error names what the user can set: an option of the command line, a key of a study's file, or a keyword."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Interface = Literal["python", "command line", "study"]

_interface: ContextVar[Interface] = ContextVar("interface", default="python")


@contextmanager
def used_by(interface: Interface) -> Iterator[None]:
    """Within the context errors are worded for this interface; outside of any, for Python."""
    token = _interface.set(interface)
    try:
        yield
    finally:
        _interface.reset(token)


def setting(name: str, value: str | float) -> str:
    """Text of an argument with its value as this interface takes it.

    --empty-cells keep on the command line, empty_cells: keep in a study's file, empty_cells='keep' in Python.
    """
    if _interface.get() == "command line":
        return f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
    if _interface.get() == "study":
        return f"{name}: {value}"
    return f"{name}={value!r}"


def words(*, python: str, command_line: str, study: str) -> str:
    """Choose among texts by the interface in use."""
    return {"python": python, "command line": command_line, "study": study}[_interface.get()]
