"""The plan of a study, which the rule files ask: what it makes, from which runs, and what its jobs need."""

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Self

from zipo import figures
from zipo.shared.errors import InputError
from zipo.study import resources
from zipo.study.benchmark_plan import BenchmarkPlan
from zipo.study.config import Study, parameters_of
from zipo.study.pages import Page, pages_of
from zipo.study.paths import Paths
from zipo.study.readings.planning import all_settings
from zipo.study.search.space import Tuning
from zipo.study.settings import Setting, block_name, blocks_of

PICTURE_KINDS = ("png", "pdf", "tsv", "html")
"""Endings of a figure's files: two pictures, the numbers behind them, and its page."""
SEARCH_PICTURES = ("history", "importances")
LEAST_MEMORY_MB = 2000
"""On a cluster, two processes of Snakemake stand beside the training."""
GREATEST_GROWTH = 4
"""How many times its first request a job that failed asks for in the end."""
CHIEF_FIGURES = ("figure-21", "figure-17", "figure-11", "figure-05", "figure-13")
"""Figures of the report's first page in order of importance: the first FIRST_PAGE of those that a study draws."""
FIRST_PAGE = 3


@dataclass(frozen=True)
class Plan:
    """A study's settings, benchmark, tables, figures and pages, with the files of each and the needs of its jobs.

    Names of files are relative to the working folder. Raises InputError for a part that the study does not make.
    """

    study: Study
    root: Path
    """Root of the repository."""
    paths: Paths
    settings: dict[str, Setting]
    benchmark: BenchmarkPlan
    tuning: Tuning | None
    """The search for hyper-parameters."""

    @classmethod
    def of(cls, study: Study, root: Path) -> Self:
        """The plan of a study. Raises InputError for settings or rows of the leaderboard that will not do."""
        paths = Paths(f"results/{study.file.study}")
        return cls(study, root, paths, all_settings(study), BenchmarkPlan.of(study, paths), study.tuning)

    # what there is

    @cached_property
    def tables(self) -> list[str]:
        """Names of the tables that figures may be drawn from."""
        tables = ["runs"] if self.settings else []
        tables += ["embeddings", "clusters"] if self.latent_pairs else []
        tables += ["totals"]
        tables += ["trials"] if self.tuning else []
        if readings := self.study.file.readings:
            tables += ["readings", *(["scale"] if readings.widths else [])]
        return tables + (["leaderboard", "zeros", "places"] if self.benchmark.rows else [])

    @property
    def claim_tables(self) -> list[str]:
        """Files of the tables that claims are decided from."""
        return [self.paths.table(name) for name in ("runs", "totals", "clusters", "trials") if name in self.tables]

    @cached_property
    def figures(self) -> dict[str, ModuleType]:
        """The figures that the study's experiments and tables allow, by name, as figure-08."""
        return figures.drawable(set(self.study.experiments), self.tables)

    @property
    def pages(self) -> dict[str, Page]:
        """Pages of the report beside those of figures, claims and leaderboard."""
        open_questions = os.path.relpath(self.root / "docs" / "open-questions.rst")
        return pages_of(self.paths, open_questions, has_runs=bool(self.settings), has_search=bool(self.tuning))

    @property
    def latent_pairs(self) -> list[tuple[str, str]]:
        """Files of data set and latents, block by block, of every setting whose latents an experiment looks at."""
        return [
            (self.paths.data(setting.dataset), self.paths.latents(name, block))
            for name, setting in self.settings.items()
            if setting.keep_latents
            for block in self.blocks(name)
        ]

    # files

    def blocks(self, setting: str) -> list[str]:
        """Names of a setting's blocks of seeds, as in 1-12."""
        return [block_name(seeds) for seeds in blocks_of(self.settings[setting].seeds, self.study.file.seeds_per_job)]

    @property
    def data_files(self) -> list[str]:
        """The data sets."""
        return [self.paths.data(dataset) for dataset in self.study.datasets]

    @property
    def row_files(self) -> list[str]:
        """Files of rows of every setting and block of seeds."""
        return [self.paths.rows(setting, block) for setting in self.settings for block in self.blocks(setting)]

    @property
    def runs_files(self) -> list[str]:
        """The table of runs, as a reader and as other steps read it; none without experiments."""
        return [self.paths.table("runs"), self.paths.file("runs.tsv")] if self.settings else []

    @property
    def claims_files(self) -> list[str]:
        """The verdicts on the paper's claims, as a table and as a page; none without experiments."""
        return [self.paths.file("claims.tsv"), self.paths.file("claims.html")] if self.settings else []

    @property
    def readings_files(self) -> list[str]:
        """The verdicts under each reading, as a table and as a page; none without other readings."""
        names = ["readings.tsv", "readings.html"]
        return [self.paths.file(name) for name in names if "readings" in self.tables]

    @property
    def tuning_files(self) -> list[str]:
        """What the search for hyper-parameters leaves for a reader; none without one."""
        if not self.tuning:
            return []
        pictures = [self.paths.figure("png", f"tuning-{name}") for name in SEARCH_PICTURES]
        return [self.paths.file("trials.tsv"), self.paths.file("best.yaml"), *pictures]

    @property
    def benchmark_files(self) -> list[str]:
        """What the comparison of methods leaves for a reader; none without one."""
        names = ["scores.tsv", "leaderboard.tsv", "ranks.tsv", "leaderboard.html"]
        return [self.paths.file(name) for name in names if self.benchmark.rows]

    def files_of_figure(self, name: str) -> list[str]:
        """The files of a figure. Raises InputError where the study does not draw it."""
        if name not in self.figures:
            figure = figures.load(name)
            missing = [f"experiment {name}" for name in figure.experiments if name not in self.study.experiments]
            missing = missing or [f"table {table}" for table in figures.tables_of(figure) if table not in self.tables]
            raise InputError(
                f"{name}: the study {self.study.file.study} has no {', no '.join(missing)}, from which it is drawn; "
                f"its figures are {', '.join(self.figures)}"
            )
        return [self.paths.figure(kind, name) for kind in PICTURE_KINDS]

    @property
    def figure_files(self) -> list[str]:
        """All files of all figures."""
        return [file for name in self.figures for file in self.files_of_figure(name)]

    def inputs_of_target(self, name: str) -> list[str]:
        """What Snakemake's target of a name asks for: runs, claims, readings, leaderboard, or a figure, as figure-08.

        Raises InputError where the study does not make it.
        """
        parts = {
            "runs": ("experiments", self.settings, self.runs_files),
            "claims": ("experiments", self.settings, self.claim_tables),
            "readings": ("readings", self.readings_files, [self.paths.table("runs")]),
            "leaderboard": ("benchmark", self.benchmark.rows, [self.paths.table("scores")]),
        }
        if name not in parts:
            return self.files_of_figure(name)
        section, is_made, files = parts[name]
        if not is_made:
            raise InputError(f"{name}: the study {self.study.file.study} has no {section}, so there is none")
        return files

    @property
    def report_files(self) -> list[str]:
        """Files of the pages that the report is made of, with the pictures and numbers of figures."""
        of_claims, leaderboard = [*self.claims_files, *self.readings_files], self.benchmark_files[-1:]
        return [*self.figure_files, *of_claims, *leaderboard, *map(self.paths.page, self.pages)]

    @property
    def front_files(self) -> list[str]:
        """Tables and pictures that the report's first page is made of."""
        tables = [*self.claims_files[:1], *self.readings_files[:1]]
        tables += [self.paths.file(name) for name in ("ranks.tsv", "leaderboard.json") if self.benchmark.rows]
        shown = [name for name in CHIEF_FIGURES if name in self.figures][:FIRST_PAGE]
        return [*tables, *(self.paths.figure("png", name) for name in shown)]

    # what jobs need

    @property
    def searched_settings(self) -> list[Setting]:
        """A setting for each encoder that the search may choose, as its trials need memory and time."""
        if not (tuning := self.tuning):
            return []
        assert tuning.dataset
        shared = tuning.set.model_dump(exclude_unset=True)
        return [
            Setting(tuning.dataset, "zipo", parameters_of(shared | {"encoder": encoder}, encoder))
            for encoder in tuning.encoders
        ]

    def memory_mb(self, settings: Iterable[Setting], attempt: int) -> int:
        """MB that a job asks for which trains one of some settings, at an attempt counted from 1.

        Raises FileNotFoundError while the size of a data set is not known yet, at which Snakemake asks again later.
        """
        needed = max(resources.memory_mb(self._size(setting), setting.parameters, self._gpu) for setting in settings)
        return max(LEAST_MEMORY_MB, needed) * self._growth(attempt)

    def minutes(self, settings: Iterable[Setting], runs: int, attempt: int) -> int:
        """Minutes that a job asks for which trains one of some settings so many times; errors as in memory_mb."""
        threads = self.study.file.threads
        needed = max(
            resources.minutes(self._size(setting), setting.parameters, runs, self._gpu, threads) for setting in settings
        )
        return self.within_limit(needed * self._growth(attempt))

    def within_limit(self, minutes: int) -> int:
        """Minutes that a job asks for, at most the study's max_minutes."""
        return min(minutes, self.study.file.max_minutes or minutes)

    @property
    def trials_of_worker(self) -> int:
        """Trials of the search that one worker trains, if all work alike."""
        assert self.tuning
        return math.ceil(self.tuning.trials / self.tuning.workers)

    def _growth(self, attempt: int) -> int:
        """How many times its first request a job asks for at an attempt: twice as much as before, up to a limit."""
        return min(2 ** (attempt - 1), GREATEST_GROWTH)

    @property
    def _gpu(self) -> bool:
        return self.study.file.device != "cpu"

    def _size(self, setting: Setting) -> resources.Size:
        return resources.size_of(self.study.datasets[setting.dataset], Path(self.paths.data(setting.dataset)))
