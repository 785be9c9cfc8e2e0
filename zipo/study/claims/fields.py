"""Fields that several kinds of claims have: measures, selectors of settings, bounds and smallest effects."""

import math
import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from zipo.parameters import ParameterValues
from zipo.shared.section import Section

SCORES = ["silhouette", "ari", "nmi"]
"""Columns of the clusters table, which zipo.study.claims.tables adds to the runs table."""
ADDED = ["first_layer_share"]
"""Columns that zipo.study.claims.tables computes from those of the runs table."""
MEASURES = [
    "test_nll", "test_nll_observed_library", "test_mse_rates", "test_mse_means", "test_mean_zero_probability",
    "test_library_error", "test_nll_gene_poisson", "test_total_ratio", "test_median_cell_ratio", "training_nll",
    "validation_nll", "penalty_z", "penalty_w", "penalty_w_unweighted", "penalty_theta", "penalty_rate",
    "epochs", "best_epoch", "compute_seconds", "cells_per_second", "peak_memory_mb", "weights",
    *SCORES, *ADDED,
]  # fmt: skip
"""Columns with a number of each run."""
PRUNED = r"pruned_[0-9.e-]+_(kept|test_nll|test_mse_rates)"
SHAPE = ["first_layer", "latents", "depth"]  # columns of the runs table that an encoder's widths give
COLUMNS = [*ParameterValues.model_fields, *SHAPE, "method", "variant"]
"""Columns of the runs table that describe a setting."""


def check_columns(selector: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    """The selector; ValueError if it names a column that is not among these."""
    for name in selector:
        if name not in columns:
            close = get_close_matches(name, columns, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise ValueError(f"unknown column {name!r}; {hint}known are {', '.join(columns)}")
    return selector


def _check_measure(name: str) -> str:
    if name not in MEASURES and not re.fullmatch(PRUNED, name):
        close = get_close_matches(name, MEASURES, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(
            f"unknown measure; {hint}known are {', '.join(MEASURES)} and pruned_<threshold>_kept, _test_nll, "
            "_test_mse_rates"
        )
    return name


def _check_run_columns(selector: dict[str, Any]) -> dict[str, Any]:
    return check_columns(selector, COLUMNS)


class Bounds(Section):
    """Values of a numeric column between two bounds, both included."""

    at_least: float | None = None
    """Lower bound; none if absent."""
    at_most: float | None = None
    """Upper bound; none if absent."""

    @property
    def ends(self) -> tuple[float, float]:
        """Both bounds, infinite where there is none."""
        low, high = self.at_least, self.at_most
        return -math.inf if low is None else low, math.inf if high is None else high


class SmallestEffect(Section):
    """The smallest effect that matters: give one of the two."""

    relative: Annotated[float, Field(gt=0)] | None = None
    """As a share, 0.01 being one per cent; effects are then ratios, and tests are made on logarithms."""
    absolute: Annotated[float, Field(gt=0)] | None = None
    """In the units of the measure."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.relative is None) == (self.absolute is None):
            raise ValueError("expected either relative or absolute, and not both")
        return self

    @property
    def is_relative(self) -> bool:
        """Whether effects are ratios."""
        return self.relative is not None

    @property
    def margin(self) -> float:
        """The effect on the scale of the tests: the logarithm of its ratio if relative."""
        return math.log1p(self.relative) if self.relative is not None else float(self.absolute or 0)


Measure = Annotated[
    str,
    AfterValidator(_check_measure),
    WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(MEASURES)}|{PRUNED})$"}),
]


class Level(Section):
    """A level that a measure must have."""

    measure: Measure
    """Column of the runs table, such as a share of weights kept."""
    within: Bounds
    """The bounds between which its mean over seeds must lie."""

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if all(map(math.isinf, self.within.ends)):
            raise ValueError("within: expected at_least, at_most or both")
        return self


Value = int | float | str
Selector = Annotated[
    dict[str, Value | list[Value] | Bounds],
    AfterValidator(_check_run_columns),
    Field(json_schema_extra={"propertyNames": {"enum": COLUMNS}}),
]
"""Settings of an experiment by columns of the runs table."""
Direction = Literal["less", "greater"]


def sign(direction: str) -> int:
    """The sign of the effects that a direction claims, or allows: +1 for greater and no_less, -1 for the others."""
    return 1 if direction in ("greater", "no_less") else -1
