"""Experiments as a catalogue describes them and a study chooses them: the settings that each compares."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from zipo.parameters import ParameterValues
from zipo.shared.section import NAME, EachOnce, Form, Section

Name = Annotated[str, NAME]
Names = Annotated[list[Name], Field(min_length=1), EachOnce()]
Values = Annotated[list[Any], Field(min_length=1)]
Grid = Annotated[
    dict[str, Values],
    Field(json_schema_extra={"propertyNames": {"enum": list(ParameterValues.model_fields)}}),
]


def _changes_widths(factor: float) -> float:
    if f"{factor:g}" == "1":
        raise ValueError("it is the width of the study's own settings, which are compared anyway; leave it out")
    return factor


Factor = Annotated[float, Field(gt=0), AfterValidator(_changes_widths)]


class Point(ParameterValues):
    """A setting of an experiment by the hyper-parameters that make it, perhaps with a name."""

    name: Annotated[str, Form("[^,]*", "a name without commas, such as no penalty")] = ""
    """Name in tables and figures."""


class Points(Section):
    """The settings that are compared: all combinations of `grid`, or the `points` one by one."""

    grid: Grid = {}
    """Hyper-parameters and the values of each; every combination is trained."""
    points: list[Point] = []
    """Settings one by one, where a full grid would hold senseless ones."""
    set: ParameterValues = ParameterValues()
    """Hyper-parameters that the whole experiment fixes."""

    @field_validator("grid")
    @classmethod
    def _grid_of_parameters(cls, grid: dict[str, list]) -> dict[str, list]:
        return {
            name: [getattr(ParameterValues(**{name: value}), name) for value in values] for name, values in grid.items()
        }


class _OverBase(Points):
    """Settings over the study's base setting or another."""

    base: str | None = None
    """File of hyper-parameters over the study's base setting, such as the best.yaml of a finished search."""


class Experiment(_OverBase):
    """One experiment of the catalogue: what is varied, everything else being the study's base setting."""

    title: str
    """What is investigated."""
    section: str = ""
    """Section of the paper."""
    method: Literal["zipo"] = "zipo"
    """Method that is trained: runs with losses over seeds are ZiPo's alone."""
    keep_latents: bool = False
    """Draw the latents of its settings in two dimensions and compare their clusters with the cell types."""


class ExperimentChoice(_OverBase):
    """An experiment as a study runs it: what is set here replaces what the catalogue has."""

    datasets: Names | None = None
    """Data sets to run it on; the study's default if absent."""
    seeds: Annotated[int, Field(ge=1)] | None = None
    """Number of seeds; the study's if absent."""


class ReadExperiment(Points):
    """An experiment of the study as it is repeated under each reading: what is set here replaces what the study has."""

    datasets: Names | None = None
    """Data sets to repeat it on; the study's default if absent."""


class Readings(Section):
    """Claims decided anew under each reading of what the paper leaves open, one reading changed at a time."""

    questions: Annotated[list[Name], EachOnce()] | None = None
    """Questions of config/readings.yaml; all if absent, none if empty."""
    widths: Annotated[list[Factor], EachOnce()] = []
    """Factors of the widths of all hidden layers of encoder and decoder under which claims are decided, too."""
    experiments: Annotated[dict[Name, ReadExperiment], Field(min_length=1)]
    """Experiments of the study whose claims are decided, by name."""
    claims: Names | None = None
    """Claims of config/claims.yaml that are shown; all of these experiments if absent."""
    seeds: Annotated[int, Field(ge=1)] | None = None
    """Number of seeds; the study's if absent."""

    @model_validator(mode="after")
    def _something_to_change(self) -> Self:
        if self.questions == [] and not self.widths:
            raise ValueError("nothing is changed: name questions or widths")
        return self


def merged(experiment: Experiment, choice: ExperimentChoice | ReadExperiment) -> Experiment:
    """An experiment of the catalogue with a study's own points and values."""
    base = choice.base if isinstance(choice, ExperimentChoice) else None
    update: dict[str, Any] = {"base": base or experiment.base}
    if choice.grid or choice.points:  # either replaces both
        update |= {"grid": choice.grid, "points": choice.points}
    values = experiment.set.model_dump(exclude_unset=True) | choice.set.model_dump(exclude_unset=True)
    return experiment.model_copy(update=update | {"set": ParameterValues(**values)})
