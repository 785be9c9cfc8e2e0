"""Kinds of claims: one file each, discovered by its name.

A file `<kind>.py` has one class derived from zipo.study.claims.claim.Claim, with

- `kind: Literal["<kind>"]` and the further fields that a claim of this kind has in config/claims.yaml;
- `source`: the table whose rows decide it (RunsClaim has that of an experiment's runs);
- `evaluate`: estimate, interval and p-values of one data set's rows, as Evidence;
- `measured` and `numbers`: what is tested, and its numbers as the beginning of a sentence;
- `seeds_as_observed` and `seeds_for_smallest`: how many seeds an undecided claim would need, if more can be had.

EffectClaim has the last two for a claim that something is less or greater by what matters, and Comparison has all but
`p_values` for one that compares settings. Planning a study loads these files, so that they import numpy, pandas and
scipy in the methods that compute, and no other kind. `zipo study schemas workflow/schemas` writes the new schema.
"""

from importlib import import_module
from pkgutil import iter_modules

from zipo.study.claims.claim import Claim


def discover() -> dict[str, type[Claim]]:
    """The class of each kind of claim, by the name of its file; loads no heavy package."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: _class_of(f"{__name__}.{name}") for name in names}


def _class_of(name: str) -> type[Claim]:
    members = [member for member in vars(import_module(name)).values() if isinstance(member, type)]
    classes = [member for member in members if issubclass(member, Claim) and member.__module__ == name]
    if len(classes) != 1:
        raise ValueError(f"{name}: expected one class derived from Claim, not {len(classes)}")
    return classes[0]
