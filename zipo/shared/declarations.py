"""Loading of modules that are found by their files' names, and of which anyone may add one, such as figures."""

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from zipo.shared.errors import InputError


def load_declaring(module: str, required: Iterable[str]) -> ModuleType:
    """A module by its full name; InputError if its file cannot be imported or lacks a name that is required of it."""
    spec = find_spec(module)
    try:
        loaded = import_module(module)
    except Exception as error:  # whatever a file does when it is imported
        if spec is None:
            raise
        raise InputError(
            f"{spec.origin}: cannot be imported ({type(error).__name__}: {error}); correct the file, or move it away"
        ) from None
    if missing := [name for name in required if not hasattr(loaded, name)]:
        raise InputError(f"{loaded.__file__}: there is no {missing[0]}; expected {', '.join(required)} in it")
    return loaded
