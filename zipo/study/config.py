"""The configuration of a study: a study file, over catalogues of data sets and experiments."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator, model_validator

from zipo.datasets.catalogue import Dataset, Filters, Section, SynapseSource
from zipo.errors import InputError
from zipo.messages import first_problem
from zipo.parameters import Parameters, ParameterValues
from zipo.study.benchmark import Benchmark, Row, rows
from zipo.study.claim import CLAIMS, Claim
from zipo.study.tuning import SEARCHED, Tuning

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
Values = Annotated[list[Any], Field(min_length=1)]
Grid = Annotated[
    dict[str, Values],
    Field(json_schema_extra={"propertyNames": {"enum": list(ParameterValues.model_fields)}}),
]


class Point(ParameterValues):
    """A setting of an experiment by the hyper-parameters that make it, perhaps with a name."""

    name: str = ""
    """Name in tables and figures."""


class Points(Section):
    """The settings an experiment compares: all combinations of `grid`, or the `points` one by one."""

    grid: Grid = {}
    """Hyper-parameters and the values of each; every combination is trained."""
    points: list[Point] = []
    """Settings one by one, where a full grid would hold senseless ones."""
    set: ParameterValues = ParameterValues()
    """Hyper-parameters that the whole experiment fixes."""
    base: str | None = None
    """File of hyper-parameters over the study's base setting, such as the best.yaml of a finished search."""

    @field_validator("grid")
    @classmethod
    def _grid_of_parameters(cls, grid: dict[str, list]) -> dict[str, list]:
        return {
            name: [getattr(ParameterValues(**{name: value}), name) for value in values] for name, values in grid.items()
        }


class Experiment(Points):
    """One experiment of the catalogue: what is varied, everything else being the study's base setting."""

    title: str
    """What is investigated."""
    section: str = ""
    """Section of the paper."""
    method: Literal["zipo"] = "zipo"
    """Method that is trained: runs with losses over seeds are ZiPo's alone."""


class ExperimentChoice(Points):
    """An experiment as a study runs it: what it gives here replaces what the catalogue says."""

    datasets: Annotated[list[Name], Field(min_length=1)] | None = None
    """Data sets to run it on; the study's default if absent."""
    seeds: Annotated[int, Field(ge=1)] | None = None
    """Number of seeds; the study's if absent."""


class DatasetChoice(Section):
    """A data set as a study uses it."""

    filters: Filters | None = None
    """Filters in place of the catalogue's."""


class StudyFile(Section):
    """A study: which experiments run, on which data sets, at what size."""

    study: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    """Name of the study and of its folder under results."""
    title: str
    """What it is, for the report."""
    datasets: Annotated[dict[Name, DatasetChoice], Field(min_length=1)]
    """Data sets of config/datasets.yaml, by name."""
    default_dataset: Name
    """Data set of the experiments that name none."""
    experiments: dict[Name, ExperimentChoice] = {}
    """Experiments of config/experiments.yaml, by name; none in a study that is a benchmark alone."""
    benchmark: Benchmark | None = None
    """Methods compared with each other; none if absent."""
    parameters: ParameterValues = ParameterValues()
    """Base setting; what it leaves out is ZiPo's default."""
    seeds: Annotated[int, Field(ge=1)] = 12
    """Number of seeds, 1 to this; each fixes split, initial weights and order of batches."""
    seeds_per_job: Annotated[int, Field(ge=1)] | None = None
    """Seeds that one job trains in turn; all if absent."""
    prune_thresholds: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=1)] = [1e-4]
    """Sizes, relative to a neuron's largest weight, below which first-layer weights are pruned for scoring."""
    tuning: Tuning | None = None
    """Search for hyper-parameters; none if absent."""
    threads: Annotated[int, Field(ge=1)] = 1
    """Threads of a training job."""
    device: Annotated[str, Field(pattern="^(auto|cpu|cuda)$")] = "auto"
    """Where a training job runs; auto takes a GPU where there is one."""
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 300
    """Seconds between two checkpoints of a training, each of which a job that was cut off goes on from."""
    geo_url: Annotated[str, Field(pattern="^(https?|ftp)://.*[^/]$")] = "https://ftp.ncbi.nlm.nih.gov/geo"
    """Root of the Gene Expression Omnibus, or of a mirror or local copy with the same folders."""
    connections: Annotated[int, Field(ge=1)] = 4
    """Connections at once to one host."""
    lock: str = "config/data.lock.tsv"
    """File that records the checksum of each download at its first fetch, to be verified ever after."""
    update_lock: bool = False
    """Record what a download is now, where it differs from the lock."""

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if not (self.experiments or self.benchmark):
            raise ValueError("a study needs experiments or a benchmark; name at least one experiment")
        return self


class Study(BaseModel):
    """A study with its catalogues' entries filled in and everything checked."""

    file: StudyFile
    datasets: dict[str, Dataset]
    """The data sets that can be had, by name."""
    experiments: dict[str, Experiment]
    left_out: list[str] = []
    """Data sets that cannot be had here: access to them is controlled, and there is no token."""

    def datasets_of(self, experiment: str) -> list[str]:
        """The data sets an experiment runs on, of those that can be had."""
        asked = self.file.experiments[experiment].datasets or [self.file.default_dataset]
        return [name for name in asked if name in self.datasets]

    def base_of(self, experiment: str) -> dict[str, Any]:
        """The hyper-parameters that an experiment starts from. Raises InputError if its file will not do."""
        base = self.file.parameters.model_dump(exclude_unset=True)
        if (file := self.experiments[experiment].base) is None:
            return base
        place = f"{self.file.study}: experiments.{experiment}.base: {file}"
        if not Path(file).exists():
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
        return rows(benchmark, f"{self.file.study}: benchmark") if benchmark else {}

    @property
    def compared_on(self) -> list[str]:
        """The data sets of the benchmark, of those that can be had."""
        if not (benchmark := self.file.benchmark):
            return []
        return [name for name in benchmark.datasets or self.datasets if name in self.datasets]

    def seeds_of(self, experiment: str) -> list[int]:
        return list(range(1, (self.file.experiments[experiment].seeds or self.file.seeds) + 1))


DATASETS = TypeAdapter(dict[Name, Dataset])
EXPERIMENTS = TypeAdapter(dict[Name, Experiment])
SCHEMAS: dict[str, TypeAdapter] = {
    "study": TypeAdapter(StudyFile),
    "datasets": DATASETS,
    "experiments": EXPERIMENTS,
    "claims": CLAIMS,
}


def load(config: dict[str, Any], place: str, folder: Path, synapse_token: bool = False) -> Study:
    """The study of a configuration, with the catalogues datasets.yaml and experiments.yaml of `folder`.

    `place` is the study file's name in errors. Without a token for Synapse its data sets are left out. Raises
    InputError naming file, key and value.
    """
    file = check(SCHEMAS["study"], config, place)
    all_datasets = check(DATASETS, read_yaml(folder / "datasets.yaml"), str(folder / "datasets.yaml"))
    catalogue = check(EXPERIMENTS, read_yaml(folder / "experiments.yaml"), str(folder / "experiments.yaml"))
    _known(file.datasets, all_datasets, f"{place}: datasets", folder / "datasets.yaml")
    _known(file.experiments, catalogue, f"{place}: experiments", folder / "experiments.yaml")
    _known([file.default_dataset], file.datasets, f"{place}: default_dataset", Path(place))

    datasets = {
        name: all_datasets[name].model_copy(update={"filters": choice.filters} if choice.filters else {})
        for name, choice in file.datasets.items()
    }
    if file.tuning and file.tuning.dataset:
        _known([file.tuning.dataset], file.datasets, f"{place}: tuning.dataset", Path(place))
    if file.benchmark and file.benchmark.datasets:
        _known(file.benchmark.datasets, file.datasets, f"{place}: benchmark.datasets", Path(place))
    experiments = {}
    for name, choice in file.experiments.items():
        _known(choice.datasets or [], file.datasets, f"{place}: experiments.{name}.datasets", Path(place))
        experiments[name] = _merged(catalogue[name], choice)
    left_out = [] if synapse_token else [n for n, data in datasets.items() if isinstance(data.source, SynapseSource)]
    for name in left_out:
        del datasets[name]
    study = Study(file=file, datasets=datasets, experiments=experiments, left_out=left_out)
    if tuning := study.tuning:
        for encoder in tuning.encoders:
            values = tuning.set.model_dump(exclude_unset=True) | {"encoder": encoder}
            parameters_of(values, f"{place}: tuning.encoders at {encoder}")
    return study


def load_claims(file: Path) -> dict[str, Claim]:
    """The claims of a catalogue by id; InputError naming file, claim and key."""
    return check(CLAIMS, read_yaml(file), str(file))


def write_schemas(folder: Path) -> None:
    """Write <name>.schema.json for the study file and the catalogues."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, kind in SCHEMAS.items():
        (folder / f"{name}.schema.json").write_text(schema(kind))


def schema(kind: TypeAdapter) -> str:
    """The JSON schema of a configuration file, as text."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(draft | kind.json_schema(), indent=2) + "\n"


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; InputError if it is missing or no YAML."""
    try:
        return yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {error}") from None


def check(kind: TypeAdapter, value: Any, place: str) -> Any:
    """The value as this kind; InputError with the first problem in one sentence."""
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        raise InputError(f"{place}: {first_problem(error, kind)}") from None


def parameters_of(values: dict[str, Any], place: str) -> Parameters:
    """All hyper-parameters from some, checked to fit together."""
    try:
        return Parameters(**values)
    except ValidationError as error:
        raise InputError(f"{place}: {first_problem(error, TypeAdapter(Parameters))}") from None


def _merged(experiment: Experiment, choice: ExperimentChoice) -> Experiment:
    update: dict[str, Any] = {"base": choice.base or experiment.base}
    if choice.grid or choice.points:  # either replaces both
        update |= {"grid": choice.grid, "points": choice.points}
    values = experiment.set.model_dump(exclude_unset=True) | choice.set.model_dump(exclude_unset=True)
    return experiment.model_copy(update=update | {"set": ParameterValues(**values)})


def _known(names, known, place: str, file: Path) -> None:
    for name in names:
        if name not in known:
            raise InputError(f"{place}: {name!r} is not in {file}; there are {', '.join(known)}")
