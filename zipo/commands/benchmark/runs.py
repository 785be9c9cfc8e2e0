"""Runs of the method and of the controls, and their scores, each kept until something that it depends on changes."""

import json
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from zipo import metrics
from zipo.benchmark.running import environment
from zipo.benchmark.running.launch import Result
from zipo.benchmark.running.launch import run as run_method
from zipo.benchmark.scores import read_scores, scores_of
from zipo.commands.benchmark.counts import make_counts
from zipo.commands.benchmark.kept import Kept
from zipo.commands.benchmark.setup import Setup
from zipo.methods import Method
from zipo.shared.digest import digest
from zipo.shared.tables import write_tsv
from zipo.study.benchmark_plan import RunFiles

STUDY = "here"
"""Name of the study in scores of runs that were made here, by which they are told from stored ones."""


@dataclass(frozen=True)
class Finished:
    """A run with its scores."""

    result: Result
    scores: pd.DataFrame
    kept: bool
    """Whether an earlier call had run it."""
    seconds: float
    """Time that this call spent on it."""


def finish(setup: Setup, run: RunFiles, kept: Kept) -> Finished:
    """Run a method on some counts and score it, as far as that was not done before.

    What went wrong is run again, but for a run that took too long under the same limit.
    """
    started = time.perf_counter()
    method, benchmark, folder = setup.plan.rows[run.method].method, setup.benchmark, Path(run.folder)
    settings = {"counts": make_counts(setup, run, kept), "seed": run.seed, "threads": benchmark.threads}
    made_from = digest(files_of(method), settings)
    made_within = digest([], [made_from, benchmark.seconds])
    again = not (kept.has(folder, made_from) or kept.has(folder, made_within))
    if again:
        result = run_method(
            method,
            Path(run.counts),
            folder,
            seed=run.seed,
            threads=benchmark.threads,
            seconds=benchmark.seconds,
        )
        kept.add(folder, {"ok": made_from, "timeout": made_within}.get(result.status, ""))
    scores = _scores(setup, run, kept, again)
    return Finished(Result.read(folder), scores, not again, time.perf_counter() - started)


def files_of(method: Method) -> list[Path]:
    """The files that a method's results depend on: its own, its pins, and those beside it that it names."""
    pins = environment.pins_of(method.env, method.file.parent) if method.env else []
    return list(dict.fromkeys([method.file, *pins, *method.companions]))


def _scores(setup: Setup, run: RunFiles, kept: Kept, again: bool) -> pd.DataFrame:
    """The scores of a run, taken anew where it ran again or where a metric has changed."""
    target = Path(setup.plan.paths.file(f"benchmark/scores/{run.method}/{run.dataset}/{Path(run.folder).name}.tsv"))
    made_from = digest(sorted(Path(metrics.__file__).parent.rglob("*.py")), [])
    if again or not kept.has(target, made_from):
        donors = "".join(setup.plan.other_donors(run.dataset))
        row = {"study": STUDY, "dataset": run.dataset, "method": run.method, "other_donors": donors}
        try:
            scores = scores_of(row, [asdict(run)])
        except Exception as error:  # of a metric, over values that it was not made for
            traceback.print_exc()
            _mark_unscored(Path(run.folder), error)
            scores = scores_of(row, [asdict(run)])
        write_tsv(scores, target)
        kept.add(target, made_from)
    return read_scores(target)


def _mark_unscored(folder: Path, error: Exception) -> None:
    """Note in result.json that the answer of a run could not be scored."""
    result = Result.read(folder)
    result.status, result.reason = "failed", f"its answer could not be scored: {type(error).__name__}: {error}"
    (folder / "result.json").write_text(json.dumps(asdict(result), indent=2) + "\n")
