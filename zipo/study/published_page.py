"""The page of a published leaderboard, made from the tables in its folder alone."""

import json
from pathlib import Path

import pandas as pd

from zipo.benchmark import answers
from zipo.benchmark.openproblems import NOTE

RUNS = "runs.tsv"
PICTURE = "figure-17.png"


def text(folder: Path) -> str:
    """The page index.md, from the published tables in its folder alone."""
    table = pd.read_parquet(folder / "leaderboard.parquet")
    ranks = pd.read_csv(folder / "ranks.tsv", sep="\t", na_values=["NA"], float_precision="round_trip")
    benchmark = json.loads((folder / "leaderboard.json").read_text(encoding="utf-8"))
    where = provenance(read_runs(folder), benchmark)
    picture = f"\n![Quality of the methods against the time that they took]({PICTURE})\n"
    return f"""# Leaderboard: {benchmark["title"]}

In a page that `zipo study publish-leaderboard` makes from the tables beside it.

{answers.how_it_ran(benchmark["how"])} Controls, which are shown and never ranked: {", ".join(benchmark["controls"])}.

Data sets: {"; ".join(f"`{name}`, {title}" for name, title in benchmark["datasets"].items())}.

## Which method for what

{answers.headline(ranks, benchmark)}

Mean ranks over data sets, with the standard deviation where there are several. A method without a number, as it failed,
took too long or was refused, has the place after the last.

{markdown(answers.by_purpose(table, ranks, benchmark))}
{picture if (folder / PICTURE).is_file() else ""}
## Where each method fails

Chief measures of quality and data sets by which a method is no better, in the mean, than the best control that does not
see the truth. A control may be hard to beat by construction: one that makes all cells alike makes up nothing.

{markdown(answers.fails(table, ranks, benchmark))}

## Cost beside quality

{markdown(answers.cost(table, ranks))}

## Beside openproblems

{NOTE}

## The tables

[leaderboard.parquet](leaderboard.parquet), [leaderboard.tsv](leaderboard.tsv) with four digits,
[ranks.tsv](ranks.tsv), [scores.parquet](scores.parquet), a row per run and measure, and [runs.tsv](runs.tsv), a row per
run; what their columns are is in the [schema](../leaderboard-schema.md).

## Where it ran

{markdown(where)}
"""


def markdown(frame: pd.DataFrame) -> str:
    """A table in Markdown, with numbers to three digits."""
    rows = [list(frame.columns), ["---"] * len(frame.columns), *frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join(map(_cell, row)) + " |" for row in rows)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return answers.NONE if pd.isna(value) else f"{value:.3g}"
    return str(value).replace("|", "\\|")


def read_runs(folder: Path) -> pd.DataFrame:
    """The published runs: each with its status, cost, processor, date and commit."""
    return pd.read_csv(folder / RUNS, sep="\t", na_values=["NA"], keep_default_na=False)


def provenance(runs: pd.DataFrame, benchmark: dict) -> pd.DataFrame:
    """Rows of name and value: runs and how they ended, hardware, time, memory, dates, commits and versions."""
    rows = [
        ("rows of the leaderboard", runs["method"].nunique()),
        ("data sets", runs["dataset"].nunique()),
        ("runs", len(runs)),
        *((f"runs that are {status}", number) for status, number in runs["status"].value_counts().items()),
        ("processor", _each(runs["processor"])),
        ("threads of a run", _each(runs["threads"].astype(str))),
        ("denoising, hours in all", round(runs["seconds"].sum() / 3600, 3)),
        ("longest run, minutes", round(runs["seconds"].max() / 60, 2)),
        ("peak memory of a run, MB", round(runs["peak_mb"].max()) if runs["peak_mb"].notna().any() else "NA"),
        ("ended on", _each(runs["finished"])),
        ("commit", _each(runs["commit"])),
    ]
    rows += [(f"versions of {name}", row["versions"]) for name, row in benchmark["rows"].items() if row.get("versions")]
    return pd.DataFrame(rows, columns=["name", "value"])


def _each(values: pd.Series) -> str:
    """The different values, in order."""
    return ", ".join(sorted({value for value in values if value})) or "not known"
