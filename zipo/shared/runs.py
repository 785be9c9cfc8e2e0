"""Experiments in the runs table, in which a setting that several of them share has one row a seed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # planning a study imports this, and reads no table
    import pandas as pd


def variant(names: Sequence[str]) -> str:
    """The column `variant` of a setting from the name in each of its experiments, empty where one gives none.

    One name where those that give any agree; otherwise all, joined by commas as the experiments are.
    """
    given = set(names) - {""}
    return ",".join(names) if len(given) > 1 else "".join(given)


def runs_of(runs: "pd.DataFrame", experiment: str) -> "pd.DataFrame":
    """The runs of an experiment, by its own names in `variant`; one that several experiments share belongs to each."""
    lists = [experiments for experiments in runs["experiments"].unique() if experiment in experiments.split(",")]
    rows = runs[runs["experiments"].isin(lists)]
    if "variant" not in rows:
        return rows
    pairs = zip(rows["experiments"], rows["variant"], strict=True)
    return rows.assign(variant=[_name_in(experiment, experiments, names) for experiments, names in pairs])


def _name_in(experiment: str, experiments: str, names: str) -> str:
    """The name of a setting in one of its experiments, from the columns `experiments` and `variant`."""
    sharing, given = experiments.split(","), names.split(",")
    return given[sharing.index(experiment)] if len(given) == len(sharing) else names
