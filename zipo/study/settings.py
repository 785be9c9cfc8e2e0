"""Settings of a study: every combination of hyper-parameters of its experiments, each named and trained once."""

import hashlib
import json
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from zipo.parameters import Parameters
from zipo.shared.errors import InputError
from zipo.shared.runs import variant
from zipo.study.config import Experiment, Study, parameters_of


@dataclass
class Setting:
    """A data set, a method and all its hyper-parameters, with the seeds to train it at."""

    dataset: str
    method: str
    parameters: Parameters
    seeds: list[int] = field(default_factory=list)
    experiments: list[str] = field(default_factory=list)
    """Names of the experiments that compare it with others."""
    names: dict[str, str] = field(default_factory=dict)
    """Name in tables and figures by experiment, where one gives any."""
    keep_latents: bool = False
    """Whether an experiment looks at its latents."""

    @property
    def resolved(self) -> dict[str, Any]:
        """Data set, method and all hyper-parameters as one flat dictionary, from which `id` is made."""
        return {"dataset": self.dataset, "method": self.method, **self.parameters.model_dump(mode="json")}

    @property
    def id(self) -> str:
        """A short readable name and a hash of the resolved values, as in zipo-2048x128-3f9a1c."""
        digest = hashlib.sha256(json.dumps(self.resolved, sort_keys=True).encode()).hexdigest()
        widths = self.parameters.encoder_widths
        return f"{self.method}-{widths[0]}x{widths[-1]}-{digest[:6]}"

    @property
    def variant(self) -> str:
        """Its names as the runs table has them."""
        return variant([self.names.get(experiment, "") for experiment in self.experiments])


def settings_of(study: Study) -> dict[str, Setting]:
    """The settings of a study by id, each with the experiments that share it and the most seeds that any of them needs.

    Raises InputError where the hyper-parameters of a point do not fit together, and where two settings or
    two names of one setting cannot be told apart.
    """
    settings: dict[str, Setting] = {}
    for name, experiment in study.experiments.items():
        base = study.base_of(name)
        file = study.place_of("experiments", name)
        for name_of_point, point in points_of(experiment):
            place = f"{file}: experiments.{name} at {point or 'its only point'}"
            parameters = parameters_of(base | experiment.set.model_dump(exclude_unset=True) | point, place)
            for dataset in study.datasets_of(name):
                setting = planned_once(settings, Setting(dataset, experiment.method, parameters), place)
                setting.seeds = max(setting.seeds, study.seeds_of(name), key=len)
                _give_name(setting, name, name_of_point, place)
                setting.keep_latents |= experiment.keep_latents
                if name not in setting.experiments:
                    setting.experiments.append(name)
    return settings


def planned_once(settings: dict[str, Setting], setting: Setting, place: str) -> Setting:
    """The setting of a plan that has the values of this one, which is added where there is none.

    Raises InputError where another setting has its id.
    """
    known = settings.setdefault(setting.id, setting)
    if others := [f"{name} {value}" for name, value in known.resolved.items() if setting.resolved[name] != value]:
        raise InputError(
            f"{place}: its id {setting.id} is by chance that of the setting with {', '.join(others)}; change a value a "
            "little, such as one more digit"
        )
    return known


def _give_name(setting: Setting, experiment: str, name: str, place: str) -> None:
    """Name a setting in an experiment; InputError where another point of the experiment has given it another name."""
    known = setting.names.get(experiment, "")
    if known and name and known != name:
        raise InputError(
            f"{place}: {name!r} is the same setting as {known!r}, which is trained once and would need both names; "
            "leave one of these points out"
        )
    setting.names[experiment] = known or name


def base_settings(study: Study) -> dict[str, dict[str, Any]]:
    """For each experiment all hyper-parameters before its points vary some, named as columns of the runs table."""
    bases = {}
    for name, experiment in study.experiments.items():
        values = study.base_of(name) | experiment.set.model_dump(exclude_unset=True)
        parameters = parameters_of(values, f"{study.place_of('experiments', name)}: experiments.{name}")
        bases[name] = parameters.columns
    return bases


def points_of(experiment: Experiment) -> list[tuple[str, dict[str, Any]]]:
    """The points of an experiment: a name, or "" where the point has none, and the hyper-parameters that it sets."""
    listed = [(point.name, point.model_dump(exclude_unset=True, exclude={"name"})) for point in experiment.points]
    if experiment.grid or not listed:
        combinations = product(*experiment.grid.values())
        listed += [("", dict(zip(experiment.grid, values, strict=True))) for values in combinations]
    return listed


def blocks_of(seeds: list[int], per_job: int | None) -> list[list[int]]:
    """Seeds in blocks that one job each trains: `per_job` seeds a block, or all in one."""
    size = per_job or len(seeds)
    return [seeds[start : start + size] for start in range(0, len(seeds), size)]


def block_name(seeds: list[int]) -> str:
    """The name of a block of consecutive seeds in names of files, as in 1-12, or 3 for a single seed."""
    return f"{seeds[0]}-{seeds[-1]}" if len(seeds) > 1 else str(seeds[0])


def seeds_of_block(name: str) -> list[int]:
    """The seeds of a block by its name."""
    first, _, last = name.partition("-")
    return list(range(int(first), int(last or first) + 1))
