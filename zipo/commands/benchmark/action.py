"""`zipo benchmark` from its options to its files: data, runs of the controls and of the method, comparison."""

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from zipo.benchmark.running import environment
from zipo.benchmark.scores import read_scores
from zipo.commands.benchmark import report
from zipo.commands.benchmark.counts import prepare_data
from zipo.commands.benchmark.kept import Kept
from zipo.commands.benchmark.runs import Finished, finish
from zipo.commands.benchmark.setup import CONTROLS, Setup, method_of, setup_of
from zipo.commands.benchmark.stored import comparable
from zipo.methods import Method
from zipo.shared.errors import InputError
from zipo.shared.locks import exclusive_lock

NEEDED = ("scanpy", "igraph", "pyarrow")
"""Packages that metrics and tables need, of the study extra."""


def benchmark(
    file: Path, names: Sequence[str], changes: Mapping[str, Any], against: Path | None, target: Path | None
) -> bool:
    """Run a method file on data sets and compare it; whether anything of it could be scored.

    See `zipo.commands.benchmark.setup.setup_of` for the arguments; by default the files go to benchmark-NAME. Raises
    InputError for what makes a comparison impossible from the start.
    """
    for package in NEEDED:
        if not find_spec(package):
            raise InputError(
                f"benchmark: {package} is not installed here, which metrics need; install zipo with its study extra, "
                "as by pip install '.[study]'"
            )
    method = method_of(file)
    folder = target or Path(f"benchmark-{method.name}")
    setup = setup_of(method, names, changes, against, folder)
    stored = read_scores(setup.stored) if setup.stored else None
    _make_environment(method)
    with exclusive_lock(folder / "lock", f"another process works in {folder}"):
        kept = Kept(folder)
        for name in setup.datasets:
            prepare_data(setup, name, downloads(), kept)
        here = _run_all(setup, kept)
        remarks = ["no stored scores at hand: the controls that ran here are all that there is to compare with"]
        rows = here.iloc[:0]
        if stored is not None:
            rows, remarks = comparable(stored, here, CONTROLS)
        table = report.leaderboard_of(setup, here, rows)
        report.write(setup, table, here, folder)
    if text := report.chief_measures(setup, table):
        print(f"\n{text}")
    if setup.stored and len(rows):
        print(f"\nStored scores of {', '.join(rows['method'].unique())}: {setup.stored}")
    for sentence in [*remarks, *report.outcome(setup, here)]:
        print(f"note: {sentence}", file=sys.stderr)
    print(f"\n{folder}: scores.tsv, leaderboard.tsv, leaderboard.html")
    return bool((here.loc[here["method"] == method.name, "status"] == "ok").any())


def downloads() -> Path:
    """The folder of this user's downloads, which all benchmarks share."""
    return environment.default_folder().with_name("downloads")


def _make_environment(method: Method) -> None:
    """Make the environment of a method unless it is there; InputError if it cannot be made."""
    if method.env is None:
        return
    place = environment.default_folder() / method.env
    print(f"{method.name}: its environment is {place}, which is made unless it is there", file=sys.stderr)
    made = environment.make(method.env, place, method.file.parent)
    if made.status != "ok":
        raise InputError(f"{method.file}: its environment {method.env!r} could not be made: {made.reason}")


def _run_all(setup: Setup, kept: Kept) -> pd.DataFrame:
    """The scores of all runs, those of the method first; a line for each run as it ends."""
    plan = setup.plan
    runs = [run for dataset in plan.simulated for row in plan.rows for run in plan.runs(row, dataset)]
    scores = []
    for number, run in enumerate(runs, 1):
        finished = finish(setup, run, kept)
        scores.append(finished.scores)
        place = f"[{number:{len(str(len(runs)))}}/{len(runs)}] {run.dataset} {Path(run.folder).name} {run.method}"
        print(f"{place}: {_ending(finished)}", file=sys.stderr, flush=True)
    return pd.concat(scores, ignore_index=True)


def _ending(finished: Finished) -> str:
    result = finished.result
    seconds = "" if result.seconds is None else f", {result.seconds:.1f} s"
    rest = ", kept from before" if finished.kept else f", {finished.seconds:.0f} s in all"
    return f"{result.status}{seconds}{rest}{f': {result.reason}' if result.reason else ''}"
