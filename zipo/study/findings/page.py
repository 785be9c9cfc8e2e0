"""The published page of findings, made from the tables in its folder alone."""

import math
import re
from pathlib import Path

import pandas as pd

from zipo import figures
from zipo.shared.verdicts import SIGNS, anchor_of, figure_name
from zipo.study.findings.summary import answers
from zipo.study.findings.tables import (
    NONE,
    READINGS,
    Findings,
    by_figure,
    counts,
    effect,
    to_settle,
)
from zipo.study.published_page import markdown
from zipo.study.readings.verdicts import readings_in

OF_READINGS = "figure-21.png"
CLASS = "the readings together"
SAME = "\N{ALMOST EQUAL TO}"


def picture_of(figure: float) -> str:
    """The file of a picture of the study that shows what a figure of the paper does."""
    return "" if math.isnan(figure) else f"figure-{figure:02.0f}.png"


def text(folder: Path) -> str:
    """The page index.md, from the tables and pictures in its folder alone."""
    findings = Findings.read(folder)
    lines = "\n".join(f"- **{each.question}** {_escaped(' '.join(each.lines))}" for each in answers(findings))
    sections = "\n\n".join(_section(figure, claims, findings, folder) for figure, claims in by_figure(findings.claims))
    return f"""# Findings

What the study *{findings.facts["title"]}* found on the paper's claims, in a page that `zipo study findings` makes from
the tables beside it: {counts(findings.claims)}, counting each data set by itself.

## In short

{lines}

## By figure of the paper

{markdown(_overview(findings.claims))}

A verdict is of a test at 5 % with Holm's correction within a figure; [statistics](../statistics.md) has the rules.
Effects are as in [claims.tsv](claims.tsv), with the 95 % confidence interval over seeds. {_whose_data(findings)}

{sections}

## Under other readings of the paper

{_readings(findings, folder)}

## Where it ran

{markdown(_provenance(findings))}

The tables: [claims.tsv](claims.tsv){", [readings.tsv](readings.tsv)" if len(findings.readings) else ""} and
[provenance.json](provenance.json).
"""


def _whose_data(findings: Findings) -> str:
    if findings.on_papers_data:
        return "Data sets\nthat are not those of which the paper says it are marked."
    return "None of the data\nsets is one of which the paper says it."


def _overview(claims: pd.DataFrame) -> pd.DataFrame:
    """For each figure the number of claims by verdict, with a link to its section."""
    rows = []
    for figure, part in by_figure(claims):
        name, numbers = figure_name(figure), part["verdict"].value_counts()
        link = f"[{name}](#{anchor_of(name)})"
        rows.append({"figure": link} | {verdict: int(numbers.get(verdict, 0)) for verdict in SIGNS})
    return pd.DataFrame(rows)


def _section(figure: float, claims: pd.DataFrame, findings: Findings, folder: Path) -> str:
    """A figure of the paper: its picture in the study, what the paper says of it and what was found."""
    picture = picture_of(figure)
    title = figures.load(Path(picture).stem).title if picture else "what the text alone says"
    claims_in_words = [_claim(rows, findings) for _, rows in claims.groupby("id", sort=False)]
    shown = f"\n![{figure_name(figure)}: {title}]({picture})\n" if picture and (folder / picture).is_file() else ""
    return f"""### {figure_name(figure)}

{title[0].upper()}{title[1:]}: {counts(claims)}.
{shown}
{chr(10).join(claims_in_words)}"""


def _claim(rows: pd.DataFrame, findings: Findings) -> str:
    """What the paper says, and for each data set the verdict with effect, numbers, and what is missing."""
    lines = [f"- {_escaped(rows['claim'].iloc[0])} ({rows['section'].iloc[0]})"]
    for claim in rows.itertuples():
        sign, missing = SIGNS[claim.verdict][0], to_settle(claim, findings)
        if claim.verdict == "not run":
            lines.append(f"  - {sign} **{claim.verdict}**: {_escaped(missing)}")
            continue
        amounts = effect(claim)
        shown = "" if amounts == NONE else f", {amounts}"
        lines.append(
            f"  - {sign} **{claim.verdict}** on {findings.dataset_name(claim)}{shown}. {_linked(claim.sentence)}"
        )
        if missing != NONE:
            lines.append(f"    *Missing to settle it:* {_escaped(missing)}{'' if missing.endswith('?') else '.'}")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Text without marks of Markdown."""
    return re.sub(r"([*<`])", r"\\\1", text)


def _linked(text: str) -> str:
    """Text without marks of Markdown, but with links to the pages of docs/ that it names."""
    return re.sub(r"\bdocs/([\w-]+)\.md", r"[\1](../\1.md)", _escaped(text))


def _readings(findings: Findings, folder: Path) -> str:
    """The verdict on each claim under each reading, and the questions that the readings answer."""
    table = findings.readings
    if table.empty:
        return "The study tries no other reading of what the [paper leaves open](../paper.rst)."
    names = readings_in(table)
    numbers = {name: str(number) for number, name in enumerate(names, 1)}
    rows = []
    for row in table.to_dict("records"):
        verdicts = {
            numbers[name]: SAME if row[f"{name} same_runs"] else SIGNS[row[f"{name} verdict"] or "not run"][0]
            for name in names
        }
        because = ", ".join(numbers[name] for name in row["because_of"].split(", ") if name)
        rows.append(
            {"claim": f"{row['id'].replace('_', ' ')}, {row['dataset']}"}
            | verdicts
            | {CLASS: f"{row['class']}{f': {because}' if because else ''}"}
        )
    signs = ", ".join(f"{sign} {verdict}" for verdict, (sign, *_) in SIGNS.items())
    signs += f", {SAME} the claim's settings are as in `as_run`"
    columns = "\n".join(
        f"{number}. `{name}`{'' if '=' not in name else f': {findings.question(name)}'}"
        for name, number in numbers.items()
    )
    picture = f"\n![Claims under readings]({OF_READINGS})\n" if (folder / OF_READINGS).is_file() else ""
    return f"""Verdicts with one reading of what the [paper leaves open](../paper.rst) changed at a time, by the numbers
of columns; `as_run` is the study's own ([readings](../readings.md) has the rules). Fewer settings and claims are
compared under readings than above, so that a verdict of `as_run` may be decided that is open there. {signs}.

{columns}
{picture}
{markdown(pd.DataFrame(rows))}

Numbers are in [{READINGS}]({READINGS})."""


def _provenance(findings: Findings) -> pd.DataFrame:
    """What the study ran on and what it cost, and beside it the same of the studies of readings that were added."""
    columns = {"value": findings.facts["ran"]}
    for added in findings.facts.get("added", []):
        columns[f"of {', '.join(f'`{name}`' for name in added['readings'])}"] = added["ran"]
    table = pd.DataFrame(columns, dtype=object).fillna("")
    return table.rename_axis("name").reset_index()
