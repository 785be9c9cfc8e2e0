"""Section `tuning` of a study file: the search for hyper-parameters (paper, section III-H)."""

import json
import math
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from zipo.parameters import ParameterValues, Widths
from zipo.shared.section import EachOnce, Section

Weight = Annotated[float, Field(gt=0)]


def _ascending(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] >= ends[1]:
        raise ValueError("expected the lower end, then the upper end")
    return ends


Range = Annotated[tuple[Weight, Weight], AfterValidator(_ascending)]
SEARCHED = ("encoder", "alpha_z", "alpha_w")


class Tuning(Section):
    """A search by Optuna for the encoder and penalties of the lowest validation NLL; the defaults are the paper's."""

    dataset: str | None = None
    """Data set that is searched on; the study's default if absent."""
    trials: Annotated[int, Field(ge=1)] = 96
    """Settings that are tried; more than before continue a finished search."""
    workers: Annotated[int, Field(ge=1)] = 1
    """Jobs that share the trials."""
    encoders: Annotated[list[Widths], Field(min_length=1), EachOnce()] = [
        "2048-1024-512-256-128",
        "1024-512-256-128",
        "1024-512-256-128-64",
        "512-256-128",
        "512-256-128-64",
    ]
    """Encoders to choose from."""
    alpha_z: Range = (0.01, 1.0)
    """Ends of the range of alpha_z, which is searched on a logarithmic scale."""
    alpha_w: Range = (0.01, 1.0)
    """Ends of the range of alpha_w, which is searched on a logarithmic scale."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Seed of the search, and of the split, initial weights and order of batches that all trials share."""
    prune: bool = True
    """End a trial whose validation NLL is worse than the median of the earlier ones at the same epoch."""
    set: ParameterValues = ParameterValues()
    """Hyper-parameters that all trials share, over the study's base setting."""

    def as_json(self) -> str:
        """The search as a command of the workflow takes it, without the number of its workers."""
        shared = self.set.model_dump(mode="json", exclude_unset=True)
        return json.dumps(self.model_dump(mode="json", exclude={"workers", "set"}) | {"set": shared})

    @model_validator(mode="after")
    def _searched_are_not_set(self) -> Self:
        for name in SEARCHED:
            if name in self.set.model_fields_set:
                raise ValueError(f"{name} is searched for, so it cannot stand in set; narrow its choices instead")
        return self


def warm_up(parameters: ParameterValues) -> int:
    """Epochs until the learning rate's decay has reached its floor; before that, curves of trials cross at random."""
    rate, decay, floor = parameters.learning_rate, parameters.learning_rate_decay, parameters.learning_rate_floor
    return 0 if decay == 1 or rate <= floor else math.ceil(math.log(floor / rate) / math.log(decay))
