"""Which rows of a table a claim speaks of: a selector's values, lists, ranges and words, and how they are told."""

from typing import Any

import numpy as np
import pandas as pd

from zipo.study.claims.catalogue import Range

MOST_LISTED = 15


class NotRunError(Exception):
    """What a claim needs and the tables lack, as a clause."""


def column_of(runs: pd.DataFrame, name: str) -> pd.Series:
    """A column of a table; NotRunError if it is absent or has no number at all."""
    if name not in runs or (len(runs) and runs[name].isna().all() and (runs["status"] == "ok").any()):
        threshold = name.split("_")[1] if name.startswith("pruned_") else None
        why = f"{threshold} is not among the study's prune_thresholds" if threshold else f"no run has {name}"
        raise NotRunError(why)
    return runs[name]


def chosen(runs: pd.DataFrame, selector: dict[str, Any], base: dict[str, Any]) -> pd.Series:
    """Which rows a selector picks; `base` is the study's base setting. NotRunError if it picks none."""
    mask = pd.Series(True, index=runs.index)
    for column, wanted in selector.items():
        values = column_of(runs, column)
        found = _matches(values, wanted, column, base)
        if not found.any():
            present = sorted(values.unique())
            listed = ", ".join(told(value) for value in present)
            there = listed if len(present) <= MOST_LISTED else f"{told(present[0])} to {told(present[-1])}"
            raise NotRunError(f"no run has {column} {_wish(wanted)}; there are {there}")
        mask &= found
    if not mask.any():
        wishes = ", ".join(f"{column} {_wish(wanted)}" for column, wanted in selector.items())
        raise NotRunError(f"no run has {wishes} at once")
    return mask


def _matches(values: pd.Series, wanted: Any, column: str, base: dict[str, Any]) -> pd.Series:
    if isinstance(wanted, Range):
        return values.between(*wanted.ends)
    if isinstance(wanted, str) and wanted in ("largest", "smallest"):
        return values == (values.max() if wanted == "largest" else values.min())
    if wanted == "base":
        wanted = base[column]
    wishes = wanted if isinstance(wanted, list) else [wanted]
    if pd.api.types.is_numeric_dtype(values):
        return values.isin([float(wish) for wish in wishes])
    return values.astype(str).isin([str(wish) for wish in wishes])


def told(value: Any) -> str:
    """A value of a column in words."""
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value)


def _wish(wanted: Any) -> str:
    if isinstance(wanted, Range):
        return " and ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in wanted if value is not None)
    return " or ".join(told(wish) for wish in wanted) if isinstance(wanted, list) else told(wanted)
