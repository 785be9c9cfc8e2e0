"""Methods of the benchmark: one file each, discovered by its name."""

from pkgutil import iter_modules


def known() -> list[str]:
    """Names of the methods in this folder; finding them imports none."""
    return sorted(module.name for module in iter_modules(__path__))
