"""Kinds of sources of raw counts: one file each, discovered by its name; see `zipo.datasets.source.Source`."""

from importlib import import_module
from pkgutil import iter_modules

from zipo.datasets.source import Source


def discover() -> list[type[Source]]:
    """The class that each file of this folder defines, in the order of the files' names.

    Raises TypeError for a file that defines no subclass of Source, or several.
    """
    return [_source_of(module.name) for module in sorted(iter_modules(__path__), key=lambda module: module.name)]


def _source_of(name: str) -> type[Source]:
    module = import_module(f"{__name__}.{name}")
    defined = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Source) and value.__module__ == module.__name__
    ]
    if len(defined) != 1:
        raise TypeError(f"{module.__file__}: {len(defined)} subclasses of Source where one is expected")
    return defined[0]
