"""Publishes the leaderboard of a finished benchmark: its small tables, where it ran, and a page made from them."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from zipo.benchmark import answers
from zipo.benchmark.openproblems import NOTE
from zipo.benchmark.running.launch import Result
from zipo.shared.errors import InputError
from zipo.shared.tables import write_tsv
from zipo.study.code_version import git_commit
from zipo.study.paths import Paths, result_of

NEEDED = ("scores.parquet", "leaderboard.parquet", "leaderboard.json", "ranks.tsv")
COPIED = ("leaderboard.json", "ranks.tsv")
PICTURE = "figure-17.png"
MOST_BYTES = 2_000_000
"""Limit of all files together, which a repository and a site keep for ever."""


def publish(results: Path, target: Path) -> None:
    """Write the tables, the picture of quality against time, provenance and index.md into the folder `target`.

    `results` is the folder of a study whose leaderboard is made, as results/benchmark. Raises InputError where a file
    of it is missing or the files are too large; then `target` stays as it was.
    """
    for name in NEEDED:
        if not (results / name).is_file():
            raise InputError(f"{results / name}: not there; make it by snakemake's target leaderboard of the study")
    scores = pd.read_parquet(results / "scores.parquet")
    table = pd.read_parquet(results / "leaderboard.parquet")
    with TemporaryDirectory() as made:
        folder = Path(made)
        for name in COPIED:
            shutil.copyfile(results / name, folder / name)
        scores.to_parquet(folder / "scores.parquet", compression="zstd")
        table.to_parquet(folder / "leaderboard.parquet", compression="zstd")
        table.to_csv(folder / "leaderboard.tsv", sep="\t", index=False, na_rep="NA", float_format="%.4g")
        write_tsv(provenance(scores, Paths(str(results))), folder / "provenance.tsv")
        if (picture := results / "figures" / PICTURE).is_file():
            shutil.copyfile(picture, folder / PICTURE)
        (folder / "index.md").write_text(text(folder), encoding="utf-8")
        size = sum(file.stat().st_size for file in folder.iterdir())
        if size > MOST_BYTES:
            raise InputError(
                f"{results}: its tables and picture take {size:,} bytes; at most {MOST_BYTES:,} are published"
            )
        target.mkdir(parents=True, exist_ok=True)
        for file in folder.iterdir():
            shutil.copyfile(file, target / file.name)


def provenance(scores: pd.DataFrame, paths: Paths) -> pd.DataFrame:
    """Rows of name and value: runs and how they ended, hardware, time, memory, versions, date and commit."""
    runs = scores.drop_duplicates(["method", "dataset", "kind", "split", "seed"])
    folders = [
        paths.method_run(run.method, run.dataset, f"{run.kind}-{run.split}-seed-{run.seed}")
        for run in runs.itertuples()
    ]
    for file in map(result_of, folders):
        if not Path(file).is_file():
            raise InputError(f"{file}: not there; it says where and with which versions a method ran")
    results = [Result.read(Path(folder)) for folder in folders]
    versions: dict[str, str] = {}
    for row, result in zip(runs["method"], results, strict=True):
        if result.versions:
            versions[f"versions of {row}"] = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    rows = [
        ("rows of the leaderboard", runs["method"].nunique()),
        ("data sets", runs["dataset"].nunique()),
        ("runs", len(runs)),
        *((f"runs that are {status}", number) for status, number in runs["status"].value_counts().items()),
        ("processor", _each([result.processor for result in results])),
        ("threads of a run", _each([str(result.threads) for result in results])),
        ("denoising, hours in all", round(runs["seconds"].sum() / 3600, 3)),
        ("longest run, minutes", round(runs["seconds"].max() / 60, 2)),
        ("peak memory of a run, MB", round(runs["peak_mb"].max()) if runs["peak_mb"].notna().any() else "NA"),
        ("last run ended", max(result.finished for result in results)),
        ("commit of the code that published", git_commit()),
        *versions.items(),
    ]
    return pd.DataFrame(rows, columns=["name", "value"])


def text(folder: Path) -> str:
    """The page index.md, from the published tables in its folder alone."""
    table = pd.read_parquet(folder / "leaderboard.parquet")
    ranks = pd.read_csv(folder / "ranks.tsv", sep="\t", na_values=["NA"], float_precision="round_trip")
    benchmark = json.loads((folder / "leaderboard.json").read_text(encoding="utf-8"))
    where = pd.read_csv(folder / "provenance.tsv", sep="\t", keep_default_na=False)
    picture = f"\n![Quality of the methods against the time that they took]({PICTURE})\n"
    return f"""# Leaderboard

Results of the study *{benchmark["title"]}*, in a page that `zipo study publish-leaderboard` makes from the tables
beside it.

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
[ranks.tsv](ranks.tsv) and [scores.parquet](scores.parquet), a row per run and measure; what their columns are is in the
[schema](../leaderboard-schema.md).

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


def _each(values: list[str]) -> str:
    """The different values, in order."""
    return ", ".join(sorted({value for value in values if value})) or "not known"
