"""From experiments to settings: every combination resolved, named, and trained once however often it is asked for."""

import hashlib
import json
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from zipo.parameters import Parameters
from zipo.study.config import Experiment, Study, parameters_of


@dataclass
class Setting:
    """A data set, a method and all its hyper-parameters."""

    dataset: str
    method: str
    parameters: Parameters
    seeds: list[int] = field(default_factory=list)
    experiments: list[str] = field(default_factory=list)
    name: str = ""

    @property
    def resolved(self) -> dict[str, Any]:
        """The flat dictionary that the setting's identity is made of."""
        return {"dataset": self.dataset, "method": self.method, **self.parameters.model_dump(mode="json")}

    @property
    def id(self) -> str:
        """A short readable name and a hash of the resolved values, as in zipo-2048x128-3f9a1c."""
        digest = hashlib.sha256(json.dumps(self.resolved, sort_keys=True).encode()).hexdigest()
        widths = self.parameters.encoder_widths
        return f"{self.method}-{widths[0]}x{widths[-1]}-{digest[:6]}"


def plan(study: Study) -> dict[str, Setting]:
    """All settings of a study by id, each with the seeds and experiments that ask for it.

    Raises InputError where the hyper-parameters of a point do not fit together.
    """
    settings: dict[str, Setting] = {}
    for name, experiment in study.experiments.items():
        base = study.base_of(name)
        for name_of_point, point in points(experiment):
            where = study.place_of("experiments", name)
            place = f"{where}: experiments.{name} at {point or 'its only point'}"
            parameters = parameters_of(base | experiment.set.model_dump(exclude_unset=True) | point, place)
            for dataset in study.datasets_of(name):
                setting = Setting(dataset, experiment.method, parameters)
                setting = settings.setdefault(setting.id, setting)
                setting.seeds = max(setting.seeds, study.seeds_of(name), key=len)
                setting.name = setting.name or name_of_point
                if name not in setting.experiments:
                    setting.experiments.append(name)
    return settings


def base_settings(study: Study) -> dict[str, dict[str, Any]]:
    """For each experiment the study's base setting as columns of the runs table: what its points do not vary."""
    found = {}
    for name, experiment in study.experiments.items():
        given = study.base_of(name) | experiment.set.model_dump(exclude_unset=True)
        parameters = parameters_of(given, f"{study.place_of('experiments', name)}: experiments.{name}")
        found[name] = parameters.model_dump(mode="json") | parameters.encoder_shape
    return found


def points(experiment: Experiment) -> list[tuple[str, dict[str, Any]]]:
    """The points of an experiment: their names, where they have one, and the hyper-parameters they set."""
    listed = [(point.name, point.model_dump(exclude_unset=True, exclude={"name"})) for point in experiment.points]
    if experiment.grid or not listed:
        combinations = product(*experiment.grid.values())
        listed += [("", dict(zip(experiment.grid, values, strict=True))) for values in combinations]
    return listed


def blocks(seeds: list[int], per_job: int | None) -> list[list[int]]:
    """Seeds in blocks of one job each."""
    size = per_job or len(seeds)
    return [seeds[start : start + size] for start in range(0, len(seeds), size)]
