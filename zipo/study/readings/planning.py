"""Settings under each reading of what the paper leaves open and at other widths, one thing changed at a time."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from zipo.parameters import Parameters
from zipo.shared.errors import InputError
from zipo.study.config import Study, parameters_of
from zipo.study.experiments import Experiment
from zipo.study.readings.catalogue import Reading
from zipo.study.settings import Setting, planned_once, points_of, settings_of

AS_RUN = "as_run"
"""Name of the study's own reading."""
EXPERIMENT = "readings"
"""Name in the runs table of what is trained for the readings."""
WIDTHS = "widths"
"""Name, in place of that of a question, of what is trained with hidden layers of other widths."""
OF_OVERDISPERSED = {"dispersion", "dispersion_start", "alpha_theta", "alpha_rate", "rate_penalty"}
"""Hyper-parameters of the likelihoods with an extra parameter; others keep theirs, so that they train once."""


@dataclass(frozen=True)
class UnderReading:
    """The experiments of a study under one reading."""

    name: str
    """As in reduction=sum; AS_RUN for the study's own."""
    question: str
    """Name of the question that it answers; empty for the study's own."""
    settings: dict[str, list[Setting]]
    """The settings of each experiment."""
    bases: dict[str, Parameters]
    """The setting of each experiment before its points vary some."""
    widths: float = 1
    """Factor of the widths of hidden layers."""

    def ids(self, experiment: str) -> set[str]:
        """The ids of an experiment's settings."""
        return {setting.id for setting in self.settings[experiment]}


def readings_of(study: Study) -> list[UnderReading]:
    """The study's own reading, then each other that changes a setting of an experiment, then other widths.

    None without `readings`.

    Raises InputError where the hyper-parameters of a point do not fit together under a reading.
    """
    if not study.file.readings:
        return []
    own = _under(study, AS_RUN, "", Reading(), study.read_experiments)
    readings = [own]
    for question, entry in study.questions.items():
        concerned = entry.experiments or study.read_experiments
        for answer, reading in entry.readings.items():
            changed = _under(study, f"{question}={answer}", question, reading, concerned)
            if any(changed.ids(name) != own.ids(name) for name in study.read_experiments):
                readings.append(changed)
    for factor in study.file.readings.widths:
        name = f"{WIDTHS}={factor:g}"
        readings.append(_under(study, name, WIDTHS, Reading(), study.read_experiments, factor))
    return readings


def all_settings(study: Study) -> dict[str, Setting]:
    """The settings of a study by id, those under readings among them; what several need is trained once."""
    settings = settings_of(study)
    for reading in readings_of(study):
        for planned in [setting for each in reading.settings.values() for setting in each]:
            place = f"{study.place_of('readings')}: readings under {reading.name}"
            setting = planned_once(settings, planned, place)
            setting.seeds = max(setting.seeds, planned.seeds, key=len)
            if EXPERIMENT not in setting.experiments:
                setting.experiments.append(EXPERIMENT)
    return settings


def check_claims(study: Study, claims: Collection[str], source: str) -> None:
    """Raises InputError for a claim that the study's readings name and the catalogue of claims lacks."""
    for name in (study.file.readings and study.file.readings.claims) or []:
        if name not in claims:
            raise InputError(f"{study.place_of('readings', 'claims')}: readings.claims: {name!r} is not in {source}")


def _under(
    study: Study, name: str, question: str, reading: Reading, concerned: Iterable[str], widths: float = 1
) -> UnderReading:
    settings, bases = {}, {}
    for experiment in study.read_experiments:
        of_experiment = reading if experiment in concerned else Reading()
        bases[experiment], settings[experiment] = _base_and_settings(study, experiment, name, of_experiment, widths)
    return UnderReading(name, question, settings, bases, widths)


def _base_and_settings(
    study: Study, experiment: str, reading_name: str, reading: Reading, widths: float
) -> tuple[Parameters, list[Setting]]:
    """The base setting of an experiment under a reading, and the settings of its points."""
    base = study.base_of(experiment)
    place = f"{study.place_of('readings')}: readings: {experiment} under {reading_name}"
    own = parameters_of(base, place)
    repeated = study.read_experiments[experiment]
    seeds = list(range(1, study.read_seeds + 1))
    changes_of_all = reading.set.model_dump(exclude_unset=True)

    def changed(name: str, values: dict[str, Any]) -> Parameters:
        parameters = parameters_of(base | values, place)
        changes = {
            key: value
            for key, value in changes_of_all.items()
            if getattr(parameters, key) == getattr(own, key)
            and (parameters.overdispersed or key not in OF_OVERDISPERSED)
        }
        if name in reading.points:
            changes |= reading.points[name].model_dump(exclude_unset=True)
        point = f"{place} at {name or values or 'its only point'}"
        return parameters_of(parameters.model_dump() | changes, point).with_widths(widths)

    points = [(name, changed(name, values)) for name, values in _points(repeated)]
    settings = [
        Setting(dataset, repeated.method, parameters, seeds, [EXPERIMENT], {EXPERIMENT: name})
        for name, parameters in points
        for dataset in study.read_datasets_of(experiment)
    ]
    # the base has the reading's values also where its own likelihood lacks them: claims find other points by them
    values = base | repeated.set.model_dump(exclude_unset=True) | changes_of_all
    return parameters_of(values, place).with_widths(widths), settings


def _points(experiment: Experiment) -> Iterable[tuple[str, dict[str, Any]]]:
    """Name and hyper-parameters of each point, those that the whole experiment fixes among them."""
    fixed = experiment.set.model_dump(exclude_unset=True)
    return ((name, fixed | point) for name, point in points_of(experiment))
