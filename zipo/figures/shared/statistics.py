"""Means over seeds with the paper's error bars (section II-H)."""

import math
from statistics import NormalDist

import pandas as pd

BAR = NormalDist().inv_cdf(0.99) / math.sqrt(2)
"""Length of an error bar in standard errors of the mean, 1.645: bars of two means that do not overlap
differ at the 1 % level of a one-sided z test."""


def summary(runs: pd.DataFrame, by: list[str], measure: str) -> pd.DataFrame:
    """Mean over seeds of one column for each group: columns of `by`, mean, sem, bar = 1.645 sem, runs, diverged.

    Diverged runs count as such and are no part of the mean. One run has no standard error: NaN.
    """
    groups = runs.groupby(by, sort=False, dropna=False, observed=True)
    converged = runs[runs["status"] == "ok"].groupby(by, sort=False, dropna=False, observed=True)[measure]
    table = pd.DataFrame({"mean": converged.mean(), "sem": converged.sem()}).reindex(groups.size().index)
    table["bar"] = BAR * table["sem"]
    table["runs"] = groups.size()
    table["diverged"] = groups["status"].agg(lambda status: int((status == "diverged").sum()))
    return table.reset_index()
