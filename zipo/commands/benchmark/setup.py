"""What a benchmark of one method compares: the published benchmark with other data sets, splits and limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from zipo import methods
from zipo.benchmark.plan import Benchmark, Row
from zipo.datasets.catalogue import Dataset
from zipo.methods import Method
from zipo.shared.errors import InputError
from zipo.shared.validation import check
from zipo.shared.yaml_files import read_yaml
from zipo.study.benchmark_plan import BenchmarkPlan
from zipo.study.code_version import ROOT
from zipo.study.config import DATASETS, STUDY_FILE, StudyFile
from zipo.study.paths import Paths

PUBLISHED = ROOT / "zipo" / "study" / "published"
"""Folder with the catalogue of data sets and the configuration of the published benchmark."""
STORED = [folder / f"scores.{kind}" for folder in (ROOT / "docs/leaderboard", PUBLISHED) for kind in ("parquet", "tsv")]
"""Where the published scores are, if this clone or package has them."""
CONTROLS = ("no_denoising", "gene_mean", "shrinkage")
"""Controls that run beside the method: they take seconds, and their scores tell whether stored ones are comparable."""


@dataclass(frozen=True)
class Setup:
    """A method file with all that it is compared on."""

    method: Method
    plan: BenchmarkPlan
    """Rows, data sets and files of the runs, as in a study."""
    datasets: dict[str, Dataset]
    """The data sets to run on, and those of other donors, by name."""
    study: StudyFile
    """The published benchmark, or the study whose scores are compared with."""
    stored: Path | None
    """Its table of scores."""

    @property
    def benchmark(self) -> Benchmark:
        """Splits, kinds of counts and limits of the runs."""
        return self.plan.benchmark


def method_of(file: Path) -> Method:
    """The method of a file; InputError in one sentence if it cannot be used."""
    if not file.is_file():
        raise InputError(f"{file}: no such file; `zipo new-method NAME` writes a method to fill in")
    method = methods.method_of_file(file.absolute())
    if method.fault:
        raise InputError(f"{file}: {method.fault}; docs/extending.md says what a method file declares")
    if method.name in CONTROLS:
        raise InputError(f"{file}: {method.name} is a control that runs beside the method; give it another name")
    return method


def setup_of(
    method: Method, names: Sequence[str], changes: Mapping[str, Any], against: Path | None, target: Path
) -> Setup:
    """What a method is compared on.

    - `names`: data sets of the catalogue; the study's default if there are none.
    - `changes`: values in place of those of the study's benchmark, such as splits; None leaves one as it is.
    - `against`: table of scores to compare with, by default the published one; a config.yaml beside it says how they
      were made, else the configuration of the published benchmark does.
    - `target`: folder for all files.

    Raises InputError for a data set that is not in the catalogue, and for a file that is missing.
    """
    if against and not against.is_file():
        raise InputError(f"--against: {against}: no such file; give the scores.tsv or scores.parquet of a study")
    stored = against or next(filter(Path.is_file, STORED), None)
    beside = stored.with_name("config.yaml") if stored else PUBLISHED / "config.yaml"
    study_file = beside if beside.is_file() else PUBLISHED / "config.yaml"
    study: StudyFile = check(STUDY_FILE, read_yaml(study_file), str(study_file))
    published = study.benchmark or Benchmark()
    benchmark = check(
        TypeAdapter(Benchmark),
        published.model_dump(exclude_unset=True)
        | {name: value for name, value in changes.items() if value is not None},
        str(study_file),
    )
    catalogue = check(DATASETS, read_yaml(PUBLISHED / "datasets.yaml"), str(PUBLISHED / "datasets.yaml"))
    chosen = list(dict.fromkeys(names)) or [study.default_dataset]
    others = [benchmark.other_donors[name] for name in chosen if name in benchmark.other_donors]
    datasets = {name: _dataset(name, catalogue, study) for name in [*chosen, *others]}
    # the method first: what is wrong with it shows at once
    rows = {method.name: Row(method.name, method, {})} | {
        name: Row(name, methods.method(name), {}) for name in CONTROLS
    }
    simulated = {name: datasets[name].source.kind == "simulated" for name in chosen}
    return Setup(method, BenchmarkPlan(benchmark, rows, simulated, Paths(str(target))), datasets, study, stored)


def _dataset(name: str, catalogue: dict[str, Dataset], study: StudyFile) -> Dataset:
    """A data set of the catalogue, with the filters that the study gives it."""
    if name not in catalogue:
        close = get_close_matches(name, catalogue, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise InputError(f"--datasets: {name!r} is not in the catalogue; there are {', '.join(catalogue)}{hint}")
    choice = study.datasets.get(name)
    return catalogue[name].model_copy(update={"filters": choice.filters} if choice and choice.filters else {})
