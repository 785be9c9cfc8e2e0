"""Figures: one file each, discovered by its name, drawn from the tables alone.

A figure file has `title`, `caption`, `experiments` (those it is drawn from), `numbers(tables, study)`,
the data frame behind the picture, and `draw(tables, study)`, a matplotlib Figure. The arguments map the
names of tables to data frames, and say what the study is. A figure that needs other tables than the runs
names them: `needs = ("runs", "embeddings")`.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

PREFIX = "figure_"


def discover() -> dict[str, ModuleType]:
    """The figure modules by output name, as in figure-03; importing them loads no plotting library."""
    names = sorted(module.name for module in iter_modules(__path__) if module.name.startswith(PREFIX))
    return {name.replace("_", "-"): import_module(f"{__name__}.{name}") for name in names}


def needs(module: ModuleType) -> tuple[str, ...]:
    """Names of the tables that a figure is drawn from."""
    return getattr(module, "needs", ("runs",))


def drawable(experiments: set[str]) -> dict[str, ModuleType]:
    """The figures for which a study runs every experiment."""
    return {name: module for name, module in discover().items() if experiments.issuperset(module.experiments)}
