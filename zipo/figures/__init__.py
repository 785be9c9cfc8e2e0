"""Figures: one file each, discovered by its name, drawn from the tables alone.

A figure file has `title`, `caption`, `experiments` (those it is drawn from), `numbers(tables, study)`,
the data frame behind the picture, and `draw(tables, study)`, a matplotlib Figure. `tables` maps the
names of tables to data frames; `study` is the study file as a dictionary. A figure of other tables than
the runs names them in `tables`, and is drawn where the study makes them.
"""

from collections.abc import Iterable
from pkgutil import iter_modules
from types import ModuleType

from zipo.shared.declarations import load_declaring

PREFIX = "figure_"
REQUIRED = ("title", "caption", "experiments", "numbers", "draw")


def discover() -> dict[str, ModuleType]:
    """The figure modules by output name, as in figure-03; importing them loads no plotting library."""
    files = [module.name for module in iter_modules(__path__) if module.name.startswith(PREFIX)]
    return {name: load(name) for name in sorted(file.replace("_", "-") for file in files)}


def load(name: str) -> ModuleType:
    """The module of one figure, by its output name; InputError for a file that is not as above."""
    return load_declaring(f"{__name__}.{name.replace('-', '_')}", REQUIRED)


def tables_of(module: ModuleType) -> tuple[str, ...]:
    """Names of the tables that a figure is drawn from."""
    return getattr(module, "tables", ("runs",))


def drawable(experiments: set[str], tables: Iterable[str] = ("runs",)) -> dict[str, ModuleType]:
    """The figures for which a study runs every experiment and makes every table."""
    return {
        name: module
        for name, module in discover().items()
        if experiments.issuperset(module.experiments) and set(tables).issuperset(tables_of(module))
    }
