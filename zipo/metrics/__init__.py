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

from pkgutil import iter_modules
from types import ModuleType
from typing import Literal

from zipo.metrics.shared.case import KINDS, Case
from zipo.shared.declarations import OF_METRICS, load_declaring


def known() -> list[str]:
    """Names of the metrics in this folder; finding them imports none."""
    return sorted(module.name for module in iter_modules(__path__) if not module.ispkg)


def discover() -> dict[str, ModuleType]:
    """The metric modules by name, loaded without scanpy and sklearn; InputError for a file with a fault."""
    return {name: load_declaring(f"{__name__}.{name}", OF_METRICS) for name in known()}


def measures() -> dict[str, Literal["low", "high"]]:
    """All measures by name, each with whether low or high values are better."""
    return {measure: better for module in discover().values() for measure, better in module.measures.items()}


def purposes() -> dict[str, str]:
    """The measures to choose a method by, each with what it is good for.

    A metric without `purpose` gives its first measure, with its title.
    """
    by_measure: dict[str, str] = {}
    for module in discover().values():
        by_measure |= getattr(module, "purpose", None) or {next(iter(module.measures)): module.title}
    return by_measure


def unranked() -> dict[str, str]:
    """The measures that are shown but rank no method, each with the reason."""
    return {name: why for module in discover().values() for name, why in getattr(module, "unranked", {}).items()}


def costs() -> list[str]:
    """The measures of what a denoising costs, which say nothing of its quality."""
    return [measure for module in discover().values() if "cost" in module.needs for measure in module.measures]


def kind_of(module: ModuleType) -> str:
    """The kind of counts that a metric scores: the one of KINDS that it needs, else split."""
    return next((kind for kind in KINDS if kind in module.needs), "split")


def kinds() -> dict[str, str]:
    """All measures, each with the kind of counts that it is scored on."""
    return {measure: kind_of(module) for module in discover().values() for measure in module.measures}


def allowed(case: Case) -> dict[str, ModuleType]:
    """The metrics whose needs the case meets; counts of KINDS are scored only by metrics that need them."""
    return {
        name: module
        for name, module in discover().items()
        if case.has.issuperset(module.needs) and case.kind == kind_of(module)
    }


def scores(case: Case) -> dict[str, float]:
    """Values of all metrics that the case allows, by measure."""
    return {measure: value for module in allowed(case).values() for measure, value in module.score(case).items()}
