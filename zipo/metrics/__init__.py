"""Metrics of the benchmark: one file each, discovered by its name.

A metric file has

- `title`: what is measured, in a few words;
- `measures`: the names of its numbers, each with "low" or "high", whichever is better;
- `needs`: what a case must have for it, of the words in `zipo.metrics.shared.case.Case.has`;
- `score(case)`: the numbers by their names; NaN where a number does not exist for these data;
- optionally `purpose`: the measure to choose a method by, with what it is good for, in words that follow "if you want";
- optionally `unranked`: those of its measures by which methods are shown and not ranked, each with the reason.

What several metrics share is in the folder `shared`. Denoised counts come on the scale of the counts that were
denoised, and are compared on it: held-out counts normalised to log1p(CP10k) would rank all zeros above the truth.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Literal

from zipo.metrics.shared.case import Case


def known() -> list[str]:
    """Names of the metrics in this folder; finding them imports none."""
    return sorted(module.name for module in iter_modules(__path__) if not module.ispkg)


def discover() -> dict[str, ModuleType]:
    """The metric modules by name; importing them loads neither scanpy nor sklearn."""
    return {name: import_module(f"{__name__}.{name}") for name in known()}


def measures() -> dict[str, Literal["low", "high"]]:
    """The names of all numbers, each with which end of it is better."""
    return {measure: better for module in discover().values() for measure, better in module.measures.items()}


def purposes() -> dict[str, str]:
    """For every metric, the measure to choose a method by and what for: by default its first, and its title."""
    found: dict[str, str] = {}
    for module in discover().values():
        found |= getattr(module, "purpose", None) or {next(iter(module.measures)): module.title}
    return found


def unranked() -> dict[str, str]:
    """The numbers that rank no method, each with the reason."""
    return {name: why for module in discover().values() for name, why in getattr(module, "unranked", {}).items()}


def allowed(case: Case) -> dict[str, ModuleType]:
    """The metrics for which the case has all they need; permuted counts are for metrics that ask for them alone."""
    return {
        name: module
        for name, module in discover().items()
        if case.has.issuperset(module.needs) and case.permuted == ("permuted" in module.needs)
    }


def scores(case: Case) -> dict[str, float]:
    """The numbers of all metrics that the case allows, by the names of the measures."""
    return {measure: value for module in allowed(case).values() for measure, value in module.score(case).items()}
