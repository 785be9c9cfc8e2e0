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
    """Within the context errors are worded for whoever uses zipo in this way; without, for Python."""
    token = _interface.set(interface)
    try:
        yield
    finally:
        _interface.reset(token)


def setting(name: str, value: str | float) -> str:
    """A setting with its value as a user gives it: --empty-cells keep, empty_cells: keep, or empty_cells='keep'."""
    if _interface.get() == "command line":
        return f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
    if _interface.get() == "study":
        return f"{name}: {value}"
    return f"{name}={value!r}"


def words(*, python: str, command_line: str, study: str) -> str:
    """The one of three texts that is for the present user."""
    return {"python": python, "command line": command_line, "study": study}[_interface.get()]
