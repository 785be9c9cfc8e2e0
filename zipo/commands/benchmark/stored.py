"""Stored scores of other methods: those that are of the same counts as the runs that were made here.

The controls that ran here tell: where they score as they did when the scores were stored, then data, filters, splits
and metrics are the same.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from zipo.benchmark.answers import purposes
from zipo.metrics import cost

EQUAL = 1e-5
"""Relative difference up to which a control's numbers are the same: rounding on another machine."""
MOST = 0.5
"""Share of the controls' numbers that are the same where counts are; clusters may differ by rounding."""
CLOSE = 0.05
"""Relative difference of every control's numbers from which a measure was taken in another way."""


def comparable(stored: pd.DataFrame, here: pd.DataFrame, controls: Collection[str]) -> tuple[pd.DataFrame, list[str]]:
    """The stored scores of the same counts, splits and seeds, and in sentences what is left out and why.

    Left out are also the methods that ran here, and what a denoising costs, which depends on the machine.
    """
    parts, remarks = [], []
    others: set[str] = set()  # data sets of other counts, from which all kinds are made
    for (dataset, kind), own in here.groupby(["dataset", "kind"], sort=False):
        if dataset in others:
            continue
        place = f"{dataset}, {kind} counts"
        same_counts = stored[(stored["dataset"] == dataset) & (stored["kind"] == kind)]
        if same_counts.empty:
            remarks.append(f"{place}: no stored scores")
            continue
        if absent := sorted(set(own["split"]) - set(same_counts["split"])):
            remarks.append(
                f"{place}: the stored scores are of the splits {_list(same_counts['split'])} and not of "
                f"{_list(absent)}; choose among them by --first-split and --splits"
            )
            continue
        part = same_counts[same_counts["split"].isin(own["split"]) & same_counts["seed"].isin(own["seed"])]
        part = part[~part["metric"].isin(list(cost.measures))]
        different, reason = _different_measures(part, own, controls)
        if reason:
            remarks.append(f"{place}: {reason}, so nothing stored is compared with")
            others.add(dataset)
            continue
        remarks += [f"{place}: {measure} is left out of the stored scores: {why}" for measure, why in different.items()]
        parts.append(part[~part["metric"].isin(list(different)) & ~part["method"].isin(own["method"].unique())])
    return (pd.concat(parts, ignore_index=True) if parts else stored.iloc[:0]), remarks


def _different_measures(
    stored: pd.DataFrame, here: pd.DataFrame, controls: Collection[str]
) -> tuple[dict[str, str], str]:
    """Measures that were taken in another way, with reasons; and why the counts are not the same, "" if they are."""
    run = ["method", "split", "seed", "metric"]
    both = stored.merge(here[here["method"].isin(controls)], on=run, suffixes=("_stored", "_here"))
    both = both.dropna(subset=["value_stored", "value_here"])
    if both.empty:
        return (
            {},
            f"none of the controls ({', '.join(controls)}) is in the stored scores to tell that data are the same",
        )
    size = np.maximum(both["value_here"].abs(), both["value_stored"].abs())
    both["gap"] = (both["value_here"] - both["value_stored"]).abs() / size.where(size > 0, 1)
    if (both.loc[size > 0, "gap"] <= EQUAL).mean() < MOST:  # zeros on both sides tell nothing
        chief = both["metric"].map({measure: place for place, measure in enumerate(purposes())})
        example = both[both["gap"] > EQUAL].assign(chief=chief).sort_values("chief").iloc[0]
        return {}, f"{_gap_of(example)}: these are other counts (data, filters, share of molecules or version)"
    # a control that makes all cells alike has clusters of rounding alone, so the closest one counts
    widest = both.sort_values("gap").drop_duplicates(["metric", "method"], keep="last")
    closest = widest.drop_duplicates("metric")
    return {row["metric"]: _gap_of(row) for _, row in closest[closest["gap"] > CLOSE].iterrows()}, ""


def _gap_of(row: pd.Series) -> str:
    values = f"{row['value_here']:.4g} here and of {row['value_stored']:.4g} in the stored scores"
    return f"{row['method']} has a {row['metric']} of {values}"


def _list(splits: Collection[int]) -> str:
    return ", ".join(map(str, sorted(set(splits))))
