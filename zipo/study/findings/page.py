"""The published page of findings, made from the tables in its folder alone."""

import math
from pathlib import Path

import pandas as pd

from zipo import figures
from zipo.shared.verdicts import SIGNS
from zipo.study.findings.summary import answers
from zipo.study.findings.tables import (
    NONE,
    READINGS,
    Findings,
    by_figure,
    counts,
    dataset_name,
    effect,
    figure_name,
    to_settle,
)
from zipo.study.published_page import markdown

OF_READINGS = "figure-21.png"
CLASS = "the readings together"


def picture_of(figure: float) -> str:
    """The file of a picture of the study that shows what a figure of the paper does."""
    return "" if math.isnan(figure) else f"figure-{figure:02.0f}.png"


def text(folder: Path) -> str:
    """The page index.md, from the tables and pictures in its folder alone."""
    findings = Findings.read(folder)
    lines = "\n".join(f"- **{each.question}** {' '.join(each.lines)}" for each in answers(findings))
    sections = "\n\n".join(_section(figure, claims, findings, folder) for figure, claims in by_figure(findings.claims))
    return f"""# Findings

What the study *{findings.facts["title"]}* found on the paper's claims, in a page that `zipo study findings` makes from
the tables beside it: {counts(findings.claims)}, counting each data set by itself.

## In short

{lines}

## By figure of the paper

{markdown(_overview(findings.claims))}

A verdict is of a test at 5 % with Holm's correction within a figure; [statistics](../statistics.md) has the rules.
Effects are as in [claims.tsv](claims.tsv), with the 95 % confidence interval over seeds. Data sets in parentheses are
not those of which the paper says it.

{sections}

## Under other readings of the paper

{_readings(findings, folder)}

## Where it ran

{markdown(_provenance(findings))}

The tables: [claims.tsv](claims.tsv){", [readings.tsv](readings.tsv)" if len(findings.readings) else ""} and
[provenance.json](provenance.json).
"""


def _overview(claims: pd.DataFrame) -> pd.DataFrame:
    """For each figure the number of claims by verdict, with a link to its section."""
    rows = []
    for figure, part in by_figure(claims):
        name, numbers = figure_name(figure), part["verdict"].value_counts()
        link = f"[{name}](#{name.lower().replace(' ', '-')})"
        rows.append({"figure": link} | {verdict: int(numbers.get(verdict, 0)) for verdict in SIGNS})
    return pd.DataFrame(rows)


def _section(figure: float, claims: pd.DataFrame, findings: Findings, folder: Path) -> str:
    """A figure of the paper: its picture in the study, and a table of what the paper says of it and what was found."""
    picture = picture_of(figure)
    title = figures.load(Path(picture).stem).title if picture else "what the text alone says"
    rows = [
        {
            "the paper says": f"{claim.claim} ({claim.section})",
            "data set": dataset_name(claim) or NONE,
            "verdict": f"{SIGNS[claim.verdict][0]} {claim.verdict}",
            "effect (95 % interval)": effect(claim),
            "found": claim.sentence if claim.verdict != "not run" else NONE,
            "missing to settle it": to_settle(claim, findings),
        }
        for claim in claims.itertuples()
    ]
    shown = f"\n![{figure_name(figure)}: {title}]({picture})\n" if picture and (folder / picture).is_file() else ""
    return f"""### {figure_name(figure)}

{title[0].upper()}{title[1:]}: {counts(claims)}.
{shown}
{markdown(pd.DataFrame(rows))}"""


def _readings(findings: Findings, folder: Path) -> str:
    """The verdict on each claim under each reading, and the questions that the readings answer."""
    table = findings.readings
    if table.empty:
        return "The study tries no other reading of what the [paper leaves open](../paper.rst)."
    names = [name.removesuffix(" verdict") for name in table.columns if name.endswith(" verdict")]
    rows = []
    for row in table.to_dict("records"):
        because = f": {row['because_of']}" if row["because_of"] else ""
        verdicts = {f"`{name}`": SIGNS[row[f"{name} verdict"] or "not run"][0] for name in names}
        rows.append(
            {"claim": row["id"].replace("_", " "), "data set": row["dataset"]}
            | verdicts
            | {CLASS: f"{row['class']}{because}"}
        )
    signs = ", ".join(f"{sign} {verdict}" for verdict, (sign, *_) in SIGNS.items())
    questions = "\n".join(f"- `{name}`: {question}" for name, question in findings.facts["questions"].items())
    picture = f"\n![Claims under readings]({OF_READINGS})\n" if (folder / OF_READINGS).is_file() else ""
    return f"""Verdicts with one reading of what the [paper leaves open](../paper.rst) changed at a time; `as_run` is
the study's own ([readings](../readings.md) has the rules). {signs}.

{questions}
{picture}
{markdown(pd.DataFrame(rows))}

Numbers are in [{READINGS}]({READINGS})."""


def _provenance(findings: Findings) -> pd.DataFrame:
    rows = list(findings.facts["ran"].items())
    return pd.DataFrame(rows, columns=["name", "value"])
