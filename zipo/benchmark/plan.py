"""The benchmark of a study: the methods that it compares, on which data sets, and how often each runs."""

import math
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from zipo import methods
from zipo.methods import Method
from zipo.parameters import Parameters, ParameterValues
from zipo.presets import DEFAULT, PRESETS
from zipo.shared.errors import InputError
from zipo.shared.section import EachOnce, Form, Section
from zipo.shared.validation import check

Name = Annotated[
    str, Form("[a-z][a-z0-9_]*", "a name of small letters, digits and _ alone, a letter first, such as my_method")
]

SHALLOW_SHARE = 0.1
"""Share of the molecules of shallow counts."""
START_MINUTES = 10
"""For Python, reading and writing, beside the method's own time."""


class MethodChoice(Section):
    """A row of the leaderboard: a method with parameters of its own."""

    method: Name | None = None
    """Method, the name of a file in zipo/methods; the row's own name if absent."""
    parameters: dict[str, Any] = {}
    """Parameters that differ from the method's defaults."""


class Benchmark(Section):
    """Methods that denoise the training molecules of every data set and are scored on all that they did not see."""

    methods: Annotated[dict[Name, MethodChoice], Field(min_length=1)] | None = None
    """Rows of the leaderboard by name; every method in zipo/methods at its defaults if absent."""
    variants: dict[Name, MethodChoice] = {}
    """More rows; one that has the name of another takes its place."""
    datasets: Annotated[list[Name], Field(min_length=1), EachOnce()] | None = None
    """Data sets of the study; all if absent."""
    splits: Annotated[int, Field(ge=1)] = 5
    """Number of random splits of the molecules into training and held-out ones."""
    first_split: Annotated[int, Field(ge=1)] = 1
    """Number of the first split, which is the seed of its draw: one compares finally on splits by which no method or
    parameter was chosen."""
    seeds: Annotated[int, Field(ge=1)] = 1
    """Number of the methods' seeds for each split; a method without randomness runs once."""
    permuted: Annotated[int, Field(ge=0)] = 1
    """Number of splits that are denoised once more with genes permuted within cell types, or among all cells where no
    types are known, for false correlations."""
    shallow: Annotated[list[Name], EachOnce()] = []
    """Data sets deep enough that a tenth of their molecules is denoised as well, and compared with the rest."""
    rare: dict[Name, str] = {}
    """Cell types by data set that are denoised once more with their cells down-sampled to 1 % of all."""
    other_donors: dict[Name, Name] = {}
    """Data sets of other donors, by the data set whose differential expression is compared with theirs."""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """Share of the molecules that methods are given."""
    seconds: Annotated[float, Field(gt=0)] = 1800
    """Time limit of a method's run; one that takes longer is ended, and marked in the leaderboard."""
    threads: Annotated[int, Field(ge=1)] = 1
    """Threads of a method's run."""
    reference: Name = "zipo"
    """Row that the others are compared with, split by split."""

    def named_datasets(self) -> dict[str, list[str]]:
        """The data sets that keys name for further checks, by key."""
        return {
            "shallow": self.shallow,
            "rare": list(self.rare),
            "other_donors": [*self.other_donors, *self.other_donors.values()],
        }

    @property
    def minutes(self) -> int:
        """Time limit of a job that runs a method once."""
        return START_MINUTES + math.ceil(self.seconds / 60)


@dataclass(frozen=True)
class Row:
    """A row of the leaderboard: a method with its parameters, all of them checked."""

    name: str
    method: Method
    parameters: dict[str, Any]
    """Those that differ from the method's defaults."""

    @property
    def control(self) -> bool:
        """Whether it is no method to choose but a bound: shown, and not ranked."""
        return self.method.control


@dataclass(frozen=True)
class MethodRun:
    """One run of a row on a data set: the counts that the method denoises, and its seed."""

    kind: str
    """split, or one of the kinds of counts in zipo.metrics.shared.case.KINDS."""
    split: int
    seed: int

    @property
    def counts(self) -> str:
        """Name of the counts, as in split-1."""
        return f"{self.kind}-{self.split}"

    @property
    def name(self) -> str:
        """Name of the run, as in split-1-seed-2."""
        return f"{self.counts}-seed-{self.seed}"


def resolve_rows(benchmark: Benchmark, place: str) -> dict[str, Row]:
    """The rows of a benchmark by name; `place` names its section of the configuration in errors.

    Raises InputError for a method, parameter or reference that is unknown; a method file with a fault is a row that
    fails.
    """
    choices = benchmark.methods or {name: MethodChoice() for name in methods.known()}
    rows = {}
    for name, choice in (choices | benchmark.variants).items():
        method_name = choice.method or name
        try:
            method = methods.method(method_name)
        except InputError as error:
            raise InputError(
                f"{place}.methods: {name}: {error}; a row of another name gives its method by method:"
            ) from None
        unknown = sorted(choice.parameters.keys() - method.parameters.keys())
        if unknown and not method.fault:
            names = ", ".join(method.parameters) or "none"
            raise InputError(
                f"{place}.methods: {name}.parameters: {unknown[0]!r} is no parameter of {method_name}; it has {names}"
            )
        _check_values(method, choice.parameters, f"{place}.methods: {name}.parameters")
        rows[name] = Row(name, method, choice.parameters)
    if benchmark.reference not in rows:
        raise InputError(
            f"{place}: reference: {benchmark.reference!r} is none of the rows; there are {', '.join(rows)}"
        )
    return rows


def _check_values(method: Method, parameters: dict[str, Any], place: str) -> None:
    """Raises InputError for a value that the method cannot use, as far as can be known without running it."""
    if method.name == "zipo" and not method.fault:
        own = {name: value for name, value in parameters.items() if name != "preset"}
        # without an encoder it is not known yet what fits it
        check(TypeAdapter(Parameters if own.get("encoder") else ParameterValues), own, place)
        if (preset := parameters.get("preset", DEFAULT)) not in PRESETS:
            raise InputError(f"{place}.preset: {preset!r} will not do: expected {', '.join(PRESETS)}")
    for name, value in parameters.items():
        default = method.parameters.get(name)
        if _is_number(default) and not _is_number(value):
            raise InputError(f"{place}.{name}: {value!r} will not do: expected a number, as the default {default} is")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def method_runs(benchmark: Benchmark, row: Row, dataset: str, simulated: bool) -> list[MethodRun]:
    """The runs of a row on a data set; a control that is given the truth has none on real counts.

    What is denoised beside the training molecules of all splits is denoised once, on the first split.
    """
    if row.method.sees_truth and not simulated:
        return []
    seeds = range(1, 1 + (benchmark.seeds if row.method.seeded else 1))
    splits = range(benchmark.first_split, benchmark.first_split + benchmark.splits)
    runs = [MethodRun("split", split, seed) for split in splits for seed in seeds]
    if row.method.sees_truth:  # what follows leaves no truth
        return runs
    runs += [MethodRun("permuted", split, 1) for split in splits[: benchmark.permuted]]
    if dataset in benchmark.shallow:
        runs.append(MethodRun("shallow", splits[0], 1))
    if dataset in benchmark.rare:
        runs.append(MethodRun("rare", splits[0], 1))
    return runs
