"""Rows of a table by a claim's selectors: values, lists, ranges and words."""

from typing import Any

import numpy as np
import pandas as pd

from zipo.study.claims.fields import Bounds
from zipo.study.claims.source import NotRunError

MOST_LISTED = 15


def column(table: pd.DataFrame, name: str) -> pd.Series:
    """A column of a table; NotRunError if it is absent or has no number at all."""
    if name not in table or (len(table) and table[name].isna().all() and (table["status"] == "ok").any()):
        threshold = name.split("_")[1] if name.startswith("pruned_") else None
        why = f"{threshold} is not among the study's prune_thresholds" if threshold else f"no run has {name}"
        raise NotRunError(why)
    return table[name]


def matching(table: pd.DataFrame, selector: dict[str, Any], base: dict[str, Any]) -> pd.Series:
    """Which rows match a selector, as truth values; `base` is the study's base setting. NotRunError if none does."""
    mask = pd.Series(True, index=table.index)
    for name, wanted in selector.items():
        values = column(table, name)
        matches = _matches(values, wanted, name, base)
        if not matches.any():
            raise NotRunError(f"no run has {name} {wanted_in_words(wanted)}; there are {_listed(values)}")
        mask &= matches
    if not mask.any():
        both = ", ".join(f"{name} {wanted_in_words(wanted)}" for name, wanted in selector.items())
        raise NotRunError(f"no run has {both} at once")
    return mask


def runs_by_setting(
    runs: pd.DataFrame, selector: dict[str, Any], base: dict[str, Any], named: dict[str, Any] | None = None
) -> dict[str, pd.DataFrame]:
    """The runs of each setting that matches a selector, indexed by seed, by a label.

    A label gives the values of the selector's columns; without any, those of the columns of `named`.
    """
    columns = list(selector or named or {})
    groups: dict[str, pd.DataFrame] = {}
    for setting, group in runs[matching(runs, selector, base)].groupby("setting", sort=False):
        label = ", ".join(f"{name} {in_words(group[name].iloc[0])}" for name in columns) or str(setting)
        # settings that differ in what the claim does not name are told apart by their ids
        label = f"{label} ({setting})" if label in groups else label
        groups[label] = group.set_index("seed").sort_index()
    return groups


def in_words(value: object) -> str:
    """A value of a column in words."""
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value)


def _matches(values: pd.Series, wanted: Any, name: str, base: dict[str, Any]) -> pd.Series:
    if isinstance(wanted, Bounds):
        return values.between(*wanted.ends)
    if isinstance(wanted, str) and wanted in ("largest", "smallest"):
        return values == (values.max() if wanted == "largest" else values.min())
    if wanted == "base":
        wanted = base[name]
    choices = wanted if isinstance(wanted, list) else [wanted]
    if pd.api.types.is_numeric_dtype(values):
        return values.isin([float(choice) for choice in choices])
    return values.astype(str).isin([str(choice) for choice in choices])


def _listed(values: pd.Series) -> str:
    """All values of a column, or the first and the last of many."""
    present = sorted(values.unique())
    if len(present) > MOST_LISTED:
        return f"{in_words(present[0])} to {in_words(present[-1])}"
    return ", ".join(in_words(value) for value in present)


def wanted_in_words(wanted: Any) -> str:
    """What a selector asks of a column, in words."""
    if isinstance(wanted, Bounds):
        return " and ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in wanted if value is not None)
    return " or ".join(in_words(choice) for choice in wanted) if isinstance(wanted, list) else in_words(wanted)
