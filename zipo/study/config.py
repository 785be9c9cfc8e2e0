"""The configuration of a study: its file, and the entries that it names of the catalogues in config/."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from zipo.benchmark.plan import START_MINUTES, Benchmark, Row, resolve_rows
from zipo.datasets.catalogue import Dataset, Filters
from zipo.parameters import Parameters, ParameterValues
from zipo.shared.errors import InputError
from zipo.shared.section import EachOnce, Form, Section
from zipo.shared.validation import check
from zipo.shared.yaml_files import dump_yaml, read_yaml
from zipo.study.experiments import Experiment, ExperimentChoice, Name, Readings, merged
from zipo.study.readings.catalogue import Question, load_questions
from zipo.study.search.space import SEARCHED, Tuning

RESERVED = {
    "slurm": "the logs of SLURM's jobs",
    "downloads": "what is fetched",
    "environments": "the environments of methods",
}
"""Folders of results/ that belong to no study, and what they hold."""


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"results/{name} holds {RESERVED[name]}; give the study another name, such as my_study")
    return name


StudyName = Annotated[
    str,
    Form("[a-z0-9][a-z0-9_-]*", "a name of small letters, digits, _ and - alone, such as my_study"),
    AfterValidator(_not_reserved),
]
PlaceOf = Callable[..., str]
"""Gives the place in errors, such as a file, of what stands at a path of keys."""


class DatasetChoice(Section):
    """A data set as a study uses it."""

    filters: Filters | None = None
    """Filters in place of the catalogue's."""


class StudyFile(Section):
    """A study: which experiments run, on which data sets, at what size."""

    study: StudyName
    """Name of the study and of its folder under results."""
    title: str
    """What it is, for the report."""
    datasets: Annotated[dict[Name, DatasetChoice], Field(min_length=1)]
    """Data sets of config/datasets.yaml, by name."""
    default_dataset: Name
    """Data set of the experiments that name none."""
    experiments: dict[Name, ExperimentChoice] = {}
    """Experiments of config/experiments.yaml, by name; none in a study that is a benchmark alone."""
    readings: Readings | None = None
    """Readings of what the paper leaves open; the study's own alone if absent."""
    benchmark: Benchmark | None = None
    """Methods compared with each other; none if absent."""
    parameters: ParameterValues = ParameterValues()
    """Base setting; what it leaves out is ZiPo's default."""
    seeds: Annotated[int, Field(ge=1)] = 12
    """Number of seeds, 1 to this; each fixes split, initial weights and order of batches."""
    seeds_per_job: Annotated[int, Field(ge=1)] | None = None
    """Seeds that one job trains in turn; all if absent."""
    prune_thresholds: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=1), EachOnce()] = [1e-4]
    """Sizes, relative to a neuron's largest weight, below which first-layer weights are pruned for scoring."""
    tuning: Tuning | None = None
    """Search for hyper-parameters; none if absent."""
    threads: Annotated[int, Field(ge=1)] = 1
    """Threads of a training job."""
    max_minutes: Annotated[int, Field(ge=1)] | None = None
    """Longest time limit that a job asks a cluster for, that of its partition; no bound if absent. A training that it
    cuts off goes on from its checkpoint when it is tried again, or by the same command."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where a training job runs; auto takes a GPU where there is one."""
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 300
    """Seconds between two checkpoints of a training, each of which a job that was cut off goes on from."""
    geo_url: Annotated[
        str, Form("(https?|ftp)://.*[^/]", "an address without / at its end, such as http://host:8000/geo")
    ] = "https://ftp.ncbi.nlm.nih.gov/geo"
    """Root of the Gene Expression Omnibus, or of a mirror or local copy with the same folders."""
    connections: Annotated[int, Field(ge=1)] = 4
    """Connections at once to one host."""
    lock: str | None = None
    """File that records the checksum of each download at its first fetch, to be verified ever after;
    config/data.lock.tsv of the repository if absent."""
    update_lock: bool = False
    """Record what a download is now, where it differs from the lock."""

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if not (self.experiments or self.benchmark):
            raise ValueError("a study needs experiments or a benchmark; name at least one experiment")
        return self

    @model_validator(mode="after")
    def _methods_end_by_themselves(self) -> Self:
        if self.max_minutes and self.benchmark and self.max_minutes < self.benchmark.minutes:
            raise ValueError(
                f"max_minutes: {self.max_minutes} would cut off runs of benchmark, which may take "
                f"{self.benchmark.minutes} (its seconds and {START_MINUTES} minutes to start); lower benchmark.seconds"
            )
        return self


@dataclass(frozen=True)
class Study:
    """A study with its catalogues' entries filled in and everything checked."""

    file: StudyFile
    datasets: dict[str, Dataset]
    """The data sets that can be had, by name."""
    experiments: dict[str, Experiment]
    """The experiments of the study by name, with its own points and values in place of the catalogue's."""
    place_of: PlaceOf
    """Gives the file or option that a path of keys is from, for errors."""
    left_out: list[str] = field(default_factory=list)
    """Data sets that cannot be had here: access to them is controlled, and there is no token."""
    questions: dict[str, Question] = field(default_factory=dict)
    """What the paper leaves open, by name, as far as the study tries other readings of it."""
    read_experiments: dict[str, Experiment] = field(default_factory=dict)
    """The experiments that are repeated under each reading, by name."""

    @property
    def left_out_in_words(self) -> str:
        """Which data sets are left out and why, as a sentence; empty if none are."""
        if not self.left_out:
            return ""
        return f"Left out: {', '.join(self.left_out)}, since access is controlled and SYNAPSE_AUTH_TOKEN is not set."

    def datasets_of(self, experiment: str) -> list[str]:
        """The data sets an experiment runs on, of those that can be had."""
        names = self.file.experiments[experiment].datasets or [self.file.default_dataset]
        return [name for name in names if name in self.datasets]

    def base_of(self, experiment: str) -> dict[str, Any]:
        """The hyper-parameters that an experiment starts from. Raises InputError if its file will not do."""
        base = self.file.parameters.model_dump(exclude_unset=True)
        if (file := self.experiments[experiment].base) is None:
            return base
        place = f"{self.place_of('experiments', experiment, 'base')}: experiments.{experiment}.base: {file}"
        if not Path(file).is_file():
            raise InputError(
                f"{place}: no such file; a search for hyper-parameters writes it, so leave the experiment out until "
                "its study has run"
            )
        return base | check(TypeAdapter(ParameterValues), read_yaml(Path(file)), place).model_dump(exclude_unset=True)

    @property
    def tuning(self) -> Tuning | None:
        """The search with its data set and, in `set`, the base setting; None if there is none or no data to be had."""
        tuning = self.file.tuning
        dataset = tuning and (tuning.dataset or self.file.default_dataset)
        if tuning is None or dataset not in self.datasets:
            return None
        base = self.file.parameters.model_dump(exclude_unset=True, exclude=set(SEARCHED))
        shared = ParameterValues(**base | tuning.set.model_dump(exclude_unset=True))
        return tuning.model_copy(update={"dataset": dataset, "set": shared})

    @property
    def rows(self) -> dict[str, Row]:
        """The rows of the benchmark; none without one."""
        benchmark = self.file.benchmark
        return resolve_rows(benchmark, f"{self.place_of('benchmark')}: benchmark") if benchmark else {}

    @property
    def compared_on(self) -> list[str]:
        """The data sets of the benchmark, of those that can be had."""
        if not (benchmark := self.file.benchmark):
            return []
        return [name for name in benchmark.datasets or self.datasets if name in self.datasets]

    @property
    def read_seeds(self) -> int:
        """The number of seeds under each reading."""
        return (self.file.readings and self.file.readings.seeds) or self.file.seeds

    def read_datasets_of(self, experiment: str) -> list[str]:
        """The data sets that an experiment is repeated on under each reading, of those that can be had."""
        assert self.file.readings
        names = self.file.readings.experiments[experiment].datasets or [self.file.default_dataset]
        return [name for name in names if name in self.datasets]

    def seeds_of(self, experiment: str) -> list[int]:
        """The seeds of an experiment, from 1."""
        return list(range(1, (self.file.experiments[experiment].seeds or self.file.seeds) + 1))


DATASETS = TypeAdapter(dict[Name, Dataset])
EXPERIMENTS = TypeAdapter(dict[Name, Experiment])
STUDY_FILE = TypeAdapter(StudyFile)


def load(config: dict[str, Any], place: str | PlaceOf, folder: Path, synapse_token: bool = False) -> Study:
    """Check a configuration and fill in the entries that it names of datasets.yaml and experiments.yaml in `folder`.

    `place` is the name of the study's file in errors, or gives it for a path of keys. Without a token for Synapse its
    data sets are left out. Raises InputError naming file, key and value.
    """
    place_of: PlaceOf = place if callable(place) else lambda *path: place
    file = _study_file(config, place_of)
    all_datasets = check(DATASETS, read_yaml(folder / "datasets.yaml"), str(folder / "datasets.yaml"))
    catalogue = check(EXPERIMENTS, read_yaml(folder / "experiments.yaml"), str(folder / "experiments.yaml"))

    def check_names(names: Iterable[str], known: Collection[str], source: str, *path: str) -> None:
        """Raises InputError for a name at a path of keys that is not among those of its source."""
        for name in names:
            if name not in known:
                close = get_close_matches(name, known, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise InputError(
                    f"{place_of(*path, name)}: {'.'.join(path)}: {name!r} is not in {source}; there are "
                    f"{', '.join(known)}{hint}"
                )

    check_names(file.datasets, all_datasets, str(folder / "datasets.yaml"), "datasets")
    check_names(file.experiments, catalogue, str(folder / "experiments.yaml"), "experiments")
    study_datasets = (file.datasets, place_of("datasets"))
    check_names([file.default_dataset], *study_datasets, "default_dataset")
    if file.tuning and file.tuning.dataset:
        check_names([file.tuning.dataset], *study_datasets, "tuning", "dataset")
    if file.benchmark and file.benchmark.datasets:
        check_names(file.benchmark.datasets, *study_datasets, "benchmark", "datasets")
    for key, names in file.benchmark.named_datasets().items() if file.benchmark else ():
        check_names(names, *study_datasets, "benchmark", key)

    datasets = {
        name: all_datasets[name].model_copy(update={"filters": choice.filters} if choice.filters else {})
        for name, choice in file.datasets.items()
    }
    experiments = {}
    for name, choice in file.experiments.items():
        check_names(choice.datasets or [], *study_datasets, "experiments", name, "datasets")
        experiments[name] = merged(catalogue[name], choice)
    questions, read_experiments = {}, {}
    if readings := file.readings:
        questions = load_questions(folder / "readings.yaml")
        check_names(readings.questions or [], questions, str(folder / "readings.yaml"), "readings", "questions")
        chosen = questions if readings.questions is None else readings.questions
        questions = {name: questions[name] for name in chosen}
        check_names(readings.experiments, file.experiments, place_of("experiments"), "readings", "experiments")
        for name, repeated in readings.experiments.items():
            check_names(repeated.datasets or [], *study_datasets, "readings", "experiments", name, "datasets")
            read_experiments[name] = merged(experiments[name], repeated)
    left_out = [] if synapse_token else [name for name, data in datasets.items() if data.source.token]
    for name in left_out:
        del datasets[name]
    if not datasets:
        raise InputError(
            f"{place_of('datasets')}: datasets: none of {', '.join(left_out)} can be had, since access is controlled; "
            "set SYNAPSE_AUTH_TOKEN, or name another data set"
        )
    study = Study(file, datasets, experiments, place_of, left_out, questions, read_experiments)
    if tuning := study.tuning:
        for encoder in tuning.encoders:
            values = tuning.set.model_dump(exclude_unset=True) | {"encoder": encoder}
            parameters_of(values, f"{place_of('tuning', 'encoders')}: tuning.encoders at {encoder}")
    return study


def _study_file(config: dict[str, Any], place_of: PlaceOf) -> StudyFile:
    """The configuration as a study; InputError with the first problem, named by the place that it is from."""
    return check(STUDY_FILE, config, lambda path: place_of(*path))


def resolved(file: StudyFile) -> str:
    """A study's configuration as the text of one YAML file; update_lock is left out, as it is for a single call."""
    return dump_yaml(file.model_dump(mode="json", exclude_unset=True, exclude={"update_lock"}))


def parameters_of(values: dict[str, Any], place: str) -> Parameters:
    """All hyper-parameters from some, checked to fit together."""
    return check(TypeAdapter(Parameters), values, place)
