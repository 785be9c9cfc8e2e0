"""What came of a benchmark of one method: its leaderboard as files, and its chief measures as text."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from zipo import methods
from zipo.benchmark.answers import NONE, purposes
from zipo.benchmark.leaderboard import leaderboard
from zipo.benchmark.page import write_page
from zipo.benchmark.plan import Benchmark, Row
from zipo.benchmark.ranks import ranks
from zipo.commands.benchmark.runs import STUDY
from zipo.commands.benchmark.setup import CONTROLS, Setup
from zipo.metrics import cost
from zipo.shared.tables import write_tsv
from zipo.study.facts import LeaderboardFacts, describe

MOST_NAMES = 6
"""Methods that a line names at most."""
BARS = ("no_denoising", "shrinkage")
"""Controls that a method has to beat first, whose numbers stand beside its own."""


def leaderboard_of(setup: Setup, here: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """The leaderboard of runs made here and of stored scores; the column `origin` says which a row is of.

    Differences are those of the other methods from the one that is tried.
    """
    scores = pd.concat([here, stored], ignore_index=True)
    table = leaderboard(scores, setup.method.name, _controls(scores))
    ran_here = table["method"].isin(here["method"].unique())
    return table.assign(origin=ran_here.map({True: STUDY, False: "stored"}))


def _controls(scores: pd.DataFrame) -> list[str]:
    """Names of the controls among the methods of some scores."""
    known = methods.known()
    names = scores["method"].unique()
    return [name for name in names if name in CONTROLS or (name in known and methods.method(name).control)]


def write(setup: Setup, table: pd.DataFrame, scores: pd.DataFrame, target: Path) -> None:
    """Write scores.tsv of the runs made here, and leaderboard.tsv and leaderboard.html."""
    write_tsv(scores, target / "scores.tsv")
    write_tsv(table, target / "leaderboard.tsv")
    names = list(dict.fromkeys(table["method"]))
    facts = LeaderboardFacts(
        title=f"{setup.method.name} beside {setup.study.title}",
        reference=setup.method.name,
        datasets={name: setup.datasets[name].title for name in setup.plan.simulated},
        controls=_controls(table),
        bounds=[name for name in _controls(table) if _row(setup, name).method.sees_truth],
        how=setup.benchmark.model_dump(include={"share", "splits", "first_split", "seeds", "threads", "seconds"}),
        rows={name: describe(_row(setup, name)) for name in names},
    )
    places = ranks(table, facts.controls)
    write_page(table, places, asdict(facts), target / "leaderboard.html")


def _row(setup: Setup, name: str) -> Row:
    """A row of the leaderboard as the study configures it; of a method that is not known here there is only a name."""
    if name in setup.plan.rows:
        return setup.plan.rows[name]
    benchmark = setup.study.benchmark or Benchmark()
    choice = ((benchmark.methods or {}) | benchmark.variants).get(name)
    method_name = (choice and choice.method) or name
    known = method_name in methods.known()
    method = methods.method(method_name) if known else methods.Method(method_name, Path(), scale="not known here")
    return Row(name, method, choice.parameters if choice else {})


def chief_measures(setup: Setup, table: pd.DataFrame) -> str:
    """A table for each data set: chief measures with rank, the best method, and what the method that is tried beats."""
    parts = []
    for dataset in setup.plan.simulated:
        part = table[(table["dataset"] == dataset) & (table["status"] == "ok")]
        rows = [_line(setup.method.name, part[part["metric"] == measure]) for measure in purposes()]
        rows = [row for row in rows if row]
        if not rows:
            continue
        head = ["measure", "better", setup.method.name, *BARS, "rank", "best", "beats"]
        widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *rows]]
        title = f"{setup.datasets[dataset].title} ({dataset})"
        parts.append("\n".join([title, *(line.rstrip() for line in lines)]))
    return "\n\n".join(parts)


def _line(name: str, scored: pd.DataFrame) -> list[str]:
    """The cells of a measure's line; none where the method was not scored by it."""
    own = scored[scored["method"] == name]
    if own.empty:
        return []
    row = own.iloc[0]
    sign = 1 if row["better"] == "low" else -1
    ranked = scored[scored["rank"].notna()].sort_values(["rank", "method"])
    beaten = ranked[sign * ranked["mean"] > sign * row["mean"]]["method"]
    beats = [*filter(None, row["beats"].split(", ")), *(other for other in beaten if other != name)]
    rest = f" and {len(beats) - MOST_NAMES} more" if len(beats) > MOST_NAMES else ""
    alone = len(ranked) < 2
    means = scored.set_index("method")["mean"]
    return [
        row["metric"].replace("_", " "),
        row["better"],
        f"{row['mean']:.4g}",
        *(f"{means[bar]:.4g}" if bar in means else NONE for bar in BARS),
        NONE if alone else f"{row['rank']} of {row['ranked']}",
        NONE if alone else f"{ranked['method'].iloc[0]} {ranked['mean'].iloc[0]:.4g}",
        (", ".join(beats[:MOST_NAMES]) or "none") + rest if row["metric"] not in cost.measures else "",
    ]


def outcome(setup: Setup, here: pd.DataFrame) -> list[str]:
    """A sentence for each thing that went wrong with the runs made here."""
    bad = here[here["status"] != "ok"]
    sentences = []
    for (method, dataset, status, reason), rows in bad.groupby(["method", "dataset", "status", "reason"], sort=False):
        runs = [f"{row.kind}-{row.split}-seed-{row.seed}" for row in rows.itertuples()]
        log = Path(setup.plan.paths.method_run(method, dataset, runs[0])) / "log.txt"
        where = f"; its output is in {log}" if log.exists() and log.stat().st_size else ""
        sentences.append(f"{method} on {dataset} ({', '.join(runs)}): {status}: {reason}{where}")
    return sentences
