"""Invented runs and claims on them."""

import math

import numpy as np
import pandas as pd
from scipy import stats

from zipo.study.claims.catalogue import CLAIMS
from zipo.study.claims.claim import Claim
from zipo.study.claims.evidence import Evidence
from zipo.study.claims.source import Source
from zipo.study.claims.verdicts import decide
from zipo.study.config import check

HIGH = [2.0, 3.1, 2.5, 4.0, 3.3, 2.2]  # seeds differ by far more than settings: only pairs can tell
NOISE = np.array([0.01, -0.02, 0.005, 0.015, -0.01, 0.0])
STUDY = {"title": "t", "experiments": {"alpha_z": {"datasets": ["a"], "base": {"alpha_z": 0.1}}}, "left_out": []}
LESS = {
    "figure": 8, "section": "III-D", "claim": "One is less.", "data": ["a"], "experiment": "alpha_z",
    "kind": "difference", "measure": "test_nll", "of": {"alpha_z": 1}, "direction": "less", "than": {"alpha_z": 0.1},
    "smallest_effect": {"absolute": 0.1},
}  # fmt: skip
SAME = {key: value for key, value in LESS.items() if key != "direction"} | {"kind": "equivalence"}
TREND = {
    "figure": 8, "section": "III-D", "claim": "It falls.", "data": ["a"], "experiment": "alpha_z", "kind": "trend",
    "measure": "test_nll", "over": "alpha_z", "direction": "less", "smallest_effect": {"absolute": 0.1},
}  # fmt: skip
SHARE = {
    "figure": 10, "section": "III-E", "claim": "Few are kept.", "data": ["a"], "experiment": "alpha_z", "kind": "share",
    "measure": "pruned_0.0001_kept", "of": {"alpha_z": 1}, "direction": "less", "bound": 0.05,
}  # fmt: skip
DIVERGES = {
    "figure": 7, "section": "III-C", "claim": "It diverges.", "data": ["a"], "experiment": "alpha_z",
    "kind": "divergence", "of": {"alpha_z": 1},
}  # fmt: skip


def claims(**entries) -> dict[str, Claim]:
    return check(CLAIMS, entries, "claims.yaml")


def runs(measure: str = "test_nll", dataset: str = "a", **settings) -> pd.DataFrame:
    """A table of one experiment: for each value of alpha_z, written a0.1 or a1, its numbers by seed; None diverged.

    A quarter of the cells that are trained on is tested.
    """
    rows = [
        {
            "experiments": "first_layer,alpha_z", "dataset": dataset, "setting": name, "alpha_z": float(name[1:]),
            "likelihood": "zip", "seed": seed, "status": "diverged" if value is None else "ok",
            measure: math.nan if value is None else value, "stopped_by": "patience", "training_cells": 40,
            "test_cells": 10,
        }
        for name, values in settings.items()
        for seed, value in enumerate(values, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def evaluate(table: pd.DataFrame, **entry) -> Evidence:
    """The evidence of a claim on a table of one data set."""
    return claims(it=entry)["it"].evaluate(Source("the table", table, ["a"], {"alpha_z": 0.1}))


def verdict(table: pd.DataFrame, **entry) -> pd.Series:
    return decide({"runs": table}, STUDY, claims(it=entry)).iloc[0]


def most(count: int) -> int:
    """99.9 % of binomial counts at the stated level do not exceed this."""
    return int(stats.binom.ppf(0.999, count, 0.05))
