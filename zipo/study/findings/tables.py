"""The tables behind findings, as they are read from a folder, and names and texts of their rows."""

import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import pandas as pd

from zipo.benchmark.answers import listed
from zipo.shared.verdicts import SIGNS, amount
from zipo.study.claims.power import PRACTICAL
from zipo.study.readings.verdicts import DECIDED, HANGS, NOT_COMPARED, ROBUST, UNDECIDED, readings_in

CLAIMS, READINGS, RANKS = "claims.tsv", "readings.tsv", "ranks.tsv"
LEADERBOARD, PROVENANCE = "leaderboard.json", "provenance.json"
NONE = "\N{EN DASH}"
IN_ORDER = list(SIGNS)
"""Verdicts in the order in which they are counted."""


@dataclass(frozen=True)
class Findings:
    """The tables of a study's findings; a table that the study lacks is empty."""

    claims: pd.DataFrame
    """claims.tsv of the study."""
    readings: pd.DataFrame
    """readings.tsv of the study, by claim and data set."""
    ranks: pd.DataFrame
    """ranks.tsv of a benchmark."""
    facts: dict[str, Any]
    """`questions`, the text of each question of the readings; `methods`, the rows of the benchmark that are ZiPo; and
    what provenance.json says beside: the study's `title`, where it `ran`, and where those of readings that were `added`
    did."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The tables of a folder that zipo.study.findings.publish.publish wrote."""
        readings, ranks = (read_tsv(folder / name) for name in (READINGS, RANKS))
        facts = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        return cls(read_tsv(folder / CLAIMS), readings, ranks, facts)

    @cached_property
    def on_papers_data(self) -> bool:
        """Whether the study tests any claim on data of which the paper says it."""
        tested = self.claims[self.claims["verdict"] != "not run"]
        return bool(tested["papers_data"].any())

    def dataset_name(self, claim: Any) -> str:
        """The data set of a claim, marked where others of the study alone are those of which the paper says it."""
        return f"{claim.dataset} (not the paper's)" if self.on_papers_data and not claim.papers_data else claim.dataset

    def reading_of(self, claim: Any) -> dict[str, Any] | None:
        """What the readings together say of a row of the claims; None where they do not concern it."""
        if self.readings.empty:
            return None
        chosen = self.readings[(self.readings["id"] == claim.id) & (self.readings["dataset"] == claim.dataset)]
        return None if chosen.empty else chosen.iloc[0].to_dict()

    def question(self, reading: str) -> str:
        """The question that a reading such as reduction=sum answers, as a sentence."""
        return self.facts["questions"].get(reading.split("=")[0], reading)


def read_tsv(file: Path) -> pd.DataFrame:
    """A table as zipo.shared.tables.write_tsv writes it; empty if the file is absent."""
    if not file.is_file():
        return pd.DataFrame()
    table = pd.read_csv(file, sep="\t", na_values=["NA"], keep_default_na=False, float_precision="round_trip")
    return table.fillna({name: "" for name in table if table[name].dtype == object})


def counts(claims: pd.DataFrame) -> str:
    """The number of each verdict, as in 3 reproduced, 1 undecided."""
    numbers = claims["verdict"].value_counts()
    return ", ".join(f"{numbers[name]} {name}" for name in IN_ORDER if name in numbers) or "no claim"


def by_figure(claims: pd.DataFrame) -> list[tuple[float, pd.DataFrame]]:
    """The claims of each figure of the paper in order, those of its text alone at the end."""
    figures = pd.to_numeric(claims["figure"])
    parts = [(figure, claims[figures == figure]) for figure in sorted(figures.dropna().unique())]
    return parts + ([(math.nan, claims[figures.isna()])] if figures.isna().any() else [])


def effect(claim: Any) -> str:
    """The effect of a claim with its 95 % confidence interval, if it has one; a dash where there is no effect."""
    if pd.isna(claim.effect):
        return NONE
    shown = amount(claim.effect, claim.scale)
    if pd.isna(claim.ci_low) or pd.isna(claim.ci_high):
        return shown
    return f"{shown} ({amount(claim.ci_low, claim.scale)} to {amount(claim.ci_high, claim.scale)})"


def runs_to_note(claim: Any) -> str:
    """How many trainings behind a claim diverged or were cut off by the limit of epochs; empty if none."""
    parts = [
        f"{number:.0f} of {claim.runs:.0f} trainings {words}"
        for number, words in ((claim.diverged, "diverged"), (claim.capped, "cut off by the limit of epochs"))
        if not pd.isna(number) and number > 0
    ]
    return ", ".join(parts)


def under_readings(reading: dict[str, Any] | None) -> str:
    """What the readings together say of a claim, as a clause; those that leave its settings as they are not named."""
    if reading is None or reading["class"] == NOT_COMPARED:
        return "no other reading tried"
    if reading["class"] == HANGS:
        others = [f"{name}: {reading[f'{name} verdict']}" for name in reading["because_of"].split(", ")]
        return f"hangs on the reading ({'; '.join(others)})"
    if reading["class"] == UNDECIDED:
        names = {
            verdict: [
                name
                for name in readings_in(reading)
                if reading[f"{name} verdict"] == verdict and not reading[f"{name} same_runs"]
            ]
            for verdict in DECIDED
        }
        decided = (f"{verdict} under {listed(under)}" for verdict, under in names.items() if under)
        return ", ".join(decided) or "open under every reading"
    return f"reproduced under {'every' if reading['class'] == ROBUST else 'no'} reading tried"


def to_settle(claim: Any, findings: Findings) -> str:
    """What is missing for a claim to be settled: an answer of the authors, more seeds, longer training, other data."""
    parts = []
    reading = findings.reading_of(claim)
    if reading is not None and reading["class"] == HANGS:
        others = reading["because_of"].split(", ")
        questions = dict.fromkeys(findings.question(name) for name in others)
        verdicts = ", ".join(f"{reading[f'{name} verdict']} under {name}" for name in others)
        parts.append(f"an answer of the authors ({verdicts}): {' '.join(questions)}")
    if claim.verdict == "undecided":
        if not pd.isna(claim.capped) and claim.capped > 0:
            parts.append("trainings to their own end")
        if not pd.isna(claim.seeds_needed):
            number = f"more than {PRACTICAL:,}" if claim.seeds_needed > PRACTICAL else f"about {claim.seeds_needed:.0f}"
            parts.append(f"{number} seeds")
    if claim.verdict == "not run" and claim.sentence:
        parts.append(claim.sentence.removeprefix("Not run: ").rstrip("."))
    return "; ".join(parts) or NONE


def methods_of(leaderboard: Path) -> list[str]:
    """The rows of a benchmark that are ZiPo, by its file leaderboard.json; none where it is absent."""
    if not leaderboard.is_file():
        return []
    rows = json.loads(leaderboard.read_text(encoding="utf-8"))["rows"]
    return [name for name, row in rows.items() if row["method"] == "zipo"]
