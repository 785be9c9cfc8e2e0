"""The plan of a study's benchmark: which rows run on which data sets, and the files of each run."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from zipo.benchmark.plan import SHALLOW_SHARE, Benchmark, MethodRun, Row, method_runs
from zipo.study.config import Study
from zipo.study.paths import Paths, environment_file, result_of


@dataclass(frozen=True)
class RunFiles:
    """A run of a method with its files, as zipo.benchmark.scores takes it."""

    method: str
    """Row of the leaderboard."""
    dataset: str
    folder: str
    """Where the run leaves its result."""
    counts: str
    """The counts that the method denoises."""
    held_out: str
    """The molecules that it does not see; empty where they are of no use."""
    kind: str
    """What the counts are; see zipo.benchmark.plan.MethodRun."""
    share: float
    """Share of the molecules that the counts have."""
    split: int
    seed: int


@dataclass(frozen=True)
class BenchmarkPlan:
    """Rows of the leaderboard, the data sets that they run on, and the files of their runs."""

    benchmark: Benchmark
    """The study's benchmark, or that of all defaults where it has none."""
    rows: dict[str, Row]
    """Rows by name; none where the study has no benchmark."""
    simulated: dict[str, bool]
    """The data sets of the benchmark, each with whether its counts are simulated, so that the truth is known."""
    paths: Paths

    @classmethod
    def of(cls, study: Study, paths: Paths) -> Self:
        """The plan of a study's benchmark; InputError for a method or parameter that will not do."""
        simulated = {name: study.datasets[name].source.has_truth for name in study.compared_on}
        benchmark = study.file.benchmark or Benchmark()
        to_be_had = {name: other for name, other in benchmark.other_donors.items() if other in study.datasets}
        return cls(benchmark.model_copy(update={"other_donors": to_be_had}), study.rows, simulated, paths)

    def runs(self, row: str, dataset: str) -> list[RunFiles]:
        """The runs of a row on a data set."""
        runs = method_runs(self.benchmark, self.rows[row], dataset, self.simulated[dataset])
        return [self._files(row, dataset, run) for run in runs]

    def _files(self, row: str, dataset: str, run: MethodRun) -> RunFiles:
        return RunFiles(
            method=row,
            dataset=dataset,
            folder=self.paths.method_run(row, dataset, run.name),
            counts=self.paths.counts(dataset, run.counts),
            held_out=self.paths.held_out(dataset, run.counts) if run.kind in ("split", "shallow") else "",
            kind=run.kind,
            share=self.share_of(run.kind),
            split=run.split,
            seed=run.seed,
        )

    def share_of(self, kind: str) -> float:
        """Share of the molecules that counts of a kind have."""
        return SHALLOW_SHARE if kind == "shallow" else self.benchmark.share

    def other_donors(self, dataset: str) -> list[str]:
        """The file of the counts of other donors that a data set is compared with, if there are any."""
        name = self.benchmark.other_donors.get(dataset)
        return [self.paths.data(name)] if name else []

    @property
    def comparisons(self) -> list[tuple[str, str]]:
        """Every row with every data set that it runs on."""
        return [(row, dataset) for row in self.rows for dataset in self.simulated if self.runs(row, dataset)]

    @property
    def first_runs(self) -> list[RunFiles]:
        """The first run of each row on each data set, which figures show."""
        return [self.runs(row, dataset)[0] for row, dataset in self.comparisons]

    @property
    def score_files(self) -> list[str]:
        """The scores of every row on every data set that it runs on."""
        return [self.paths.scores(row, dataset) for row, dataset in self.comparisons]

    @property
    def environments(self) -> set[str]:
        """Names of the environments that methods run in, but for ours."""
        return {row.method.env for row in self.rows.values() if row.method.env}

    def environment_files(self, row: str) -> list[str]:
        """What must be there before a row runs: the file of its environment, unless that is ours."""
        name = self.rows[row].method.env
        return [environment_file(name)] if name else []

    def code_modules(self, row: str) -> list[str | Path]:
        """The modules and files that a row's runs depend on beside the modules that its command imports."""
        method = self.rows[row].method
        return ["zipo.benchmark.running.runner", method.file, *method.companions]


def files_of_runs(runs: Iterable[RunFiles]) -> list[str]:
    """The files that scores of runs are made from, each once."""
    files = {name for run in runs for name in (result_of(run.folder), run.counts)}
    return sorted(files | {run.held_out for run in runs if run.held_out})


def runs_as_json(runs: Iterable[RunFiles]) -> str:
    """Runs as the commands of the benchmark take them."""
    return json.dumps([asdict(run) for run in runs])
