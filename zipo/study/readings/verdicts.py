"""Verdicts on claims under each reading, and what the readings together say of a claim."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from zipo.shared.runs import variant
from zipo.study.claims.catalogue import Catalogue
from zipo.study.claims.claim import RunsClaim
from zipo.study.claims.verdicts import decide

ROBUST = "robust"
HANGS = "hangs on"
FAILS = "fails under every reading"
UNDECIDED = "undecided"
NOT_COMPARED = "not compared"
DECIDED = ("reproduced", "not reproduced")
KEY = ["id", "dataset"]
"""What tells the rows of the table apart."""
IDENTITY = ["id", "figure", "section", "claim", "dataset", "class", "because_of", "measure", "scale"]
"""Columns of the wide table before those of the readings."""
SHOWN = ["verdict", "effect", "ci_low", "ci_high", "pairs", "diverged", "same_runs"]
"""Columns of each reading in the wide table."""


def classify(verdicts: dict[str, str]) -> tuple[str, list[str]]:
    """The class of a claim from its verdicts by reading, the study's own first, and the readings that change it.

    Readings under which it was not run are left out. A claim hangs on readings where it is reproduced under some and
    not reproduced under others: on those whose verdict, of these two, is another than the study's own.
    """
    run = {name: verdict for name, verdict in verdicts.items() if verdict != "not run"}
    if len(run) < 2:
        return NOT_COMPARED, []
    present = set(run.values())
    if set(DECIDED) <= present:
        own = verdicts[next(iter(verdicts))]
        return HANGS, [name for name, verdict in run.items() if verdict in DECIDED and verdict != own]
    if present == {"reproduced"}:
        return ROBUST, []
    if present == {"not reproduced"}:
        return FAILS, []
    return UNDECIDED, [name for name, verdict in run.items() if verdict == "undecided"]


def decide_under_readings(runs: pd.DataFrame, study: dict[str, Any], claims: Catalogue) -> pd.DataFrame:
    """A row per claim, data set and reading: the columns of claims.tsv, the class, and the readings it is due to.

    `runs` is the runs table of zipo.study.claims.tables; `study` are zipo.study.readings.facts.ReadingFacts as a
    dictionary. Each reading is a study of its own to zipo.study.claims.verdicts.decide. A claim whose settings are the
    same as in the study's own reading is marked in `same_runs`, and its verdict counts for the class once.
    """
    experiments = {name: claim.experiment for name, claim in claims.items() if isinstance(claim, RunsClaim)}
    repeated = study["readings"][0]["experiments"]
    of_runs = {name: claims[name] for name, experiment in experiments.items() if experiment in repeated}
    tables = []
    for reading in study["readings"]:
        of_reading = {"experiments": reading["experiments"], "left_out": study["left_out"]}
        table = decide({"runs": _runs_under(runs, reading, study["seeds"])}, of_reading, of_runs)
        same = table["id"].map(experiments).isin(reading["same_as_run"])
        tables.append(
            table.assign(reading=reading["name"], question=reading["question"], text=reading["text"], same_runs=same)
        )
    table = pd.concat(tables, ignore_index=True)
    return classified(table[table["id"].isin(study["claims"] or of_runs)])


def classified(table: pd.DataFrame) -> pd.DataFrame:
    """A table of verdicts by claim, data set and reading, with the class of each claim; without claims never run."""
    classes = []
    for key, rows in table.groupby(KEY, sort=False):
        if (rows["verdict"] == "not run").all():
            continue
        counted = rows[~rows["same_runs"]]
        name, changing = classify(dict(zip(counted["reading"], counted["verdict"], strict=True)))
        classes.append((*key, name, ", ".join(changing)))
    return table.merge(pd.DataFrame(classes, columns=[*KEY, "class", "because_of"]), on=KEY)


def wide(table: pd.DataFrame) -> pd.DataFrame:
    """A row per claim and data set, with verdict, effect and its 95 % confidence interval under each reading."""
    first = table.groupby(KEY, sort=False)[[name for name in IDENTITY if name not in KEY]].first().reset_index()
    first = first[IDENTITY]
    for reading, rows in table.groupby("reading", sort=False):
        columns = rows.set_index(KEY)[SHOWN].rename(columns=lambda name: f"{reading} {name}")  # noqa: B023
        first = first.merge(columns, how="left", left_on=KEY, right_index=True)
    return first


def long(table: pd.DataFrame) -> pd.DataFrame:
    """A row per claim, data set and reading, from a table of `wide` as a file has it."""
    identity = table[IDENTITY].astype({"figure": "Int64"})
    parts = []
    for reading in readings_in(table):
        shown = table[[f"{reading} {name}" for name in SHOWN]].set_axis(SHOWN, axis="columns")
        parts.append(pd.concat([identity, shown], axis="columns").assign(reading=reading))
    return pd.concat(parts, ignore_index=True)


def readings_in(columns: Iterable[str]) -> list[str]:
    """The names of the readings by the columns of a table of `wide`, in its order."""
    return [name.removesuffix(" verdict") for name in columns if name.endswith(" verdict")]


def _runs_under(runs: pd.DataFrame, reading: dict[str, Any], seeds: int) -> pd.DataFrame:
    """The runs of a reading's settings, with the experiments and names that the settings have under it."""
    experiments: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    for experiment, settings in reading["settings"].items():
        for setting, name in settings.items():
            experiments.setdefault(setting, []).append(experiment)
            names.setdefault(setting, []).append(name)
    chosen = runs[runs["setting"].isin(experiments) & (runs["seed"] <= seeds)]
    return chosen.assign(
        experiments=[",".join(experiments[setting]) for setting in chosen["setting"]],
        variant=[variant(names[setting]) for setting in chosen["setting"]],
    )
