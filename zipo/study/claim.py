"""What a claim of the paper is in config/claims.yaml: the comparison over the runs table that decides it."""

import re
from difflib import get_close_matches
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, WithJsonSchema, model_validator

from zipo.datasets.catalogue import Section
from zipo.parameters import ParameterValues

MEASURES = [
    "test_nll", "test_nll_observed_library", "test_mse_rates", "test_mse_means", "test_mean_zero_probability",
    "training_nll", "validation_nll", "penalty_z", "penalty_w", "penalty_theta", "penalty_rate",
    "epochs", "best_epoch", "seconds", "seconds_per_epoch", "cells_per_second", "peak_memory_mb", "weights",
    "silhouette", "ari", "nmi",
]  # fmt: skip
PRUNED = r"pruned_[0-9.e-]+_(kept|test_nll|test_mse_rates)"
DERIVED = ["first_layer", "latents", "depth"]  # columns of the runs table that an encoder's widths give
COLUMNS = [*ParameterValues.model_fields, *DERIVED, "method", "variant"]


def _measure(name: str) -> str:
    """A column of the runs table with a number of each run."""
    if name not in MEASURES and not re.fullmatch(PRUNED, name):
        close = get_close_matches(name, MEASURES, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(
            f"unknown measure; {hint}known are {', '.join(MEASURES)} and pruned_<threshold>_kept, _test_nll, "
            "_test_mse_rates"
        )
    return name


def _columns(selector: dict) -> dict:
    for name in selector:
        if name not in COLUMNS:
            close = get_close_matches(name, COLUMNS, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise ValueError(f"unknown column {name!r}; {hint}known are {', '.join(COLUMNS)}")
    return selector


class Range(Section):
    """Values of a numeric column between two bounds, both included."""

    at_least: float | None = None
    """Lower bound; none if absent."""
    at_most: float | None = None
    """Upper bound; none if absent."""


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


Measure = Annotated[
    str, AfterValidator(_measure), WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(MEASURES)}|{PRUNED})$"})
]
Value = int | float | str
Selector = Annotated[
    dict[str, Value | list[Value] | Range],
    AfterValidator(_columns),
    Field(json_schema_extra={"propertyNames": {"enum": COLUMNS}}),
]
Direction = Literal["less", "greater"]


class _Claim(Section):
    figure: Annotated[int, Field(ge=1)] | None = None
    """Figure of the paper that shows it; p-values are corrected within a figure. None: the text alone."""
    section: str
    """Section of the paper where it is said."""
    claim: str
    """What the paper says, in one sentence of our own."""
    experiment: str
    """Experiment of config/experiments.yaml whose runs decide it."""
    dataset: str | None = None
    """Data set that decides it; each data set of the experiment by itself if absent."""
    where: Selector = {}
    """Settings of the experiment that are looked at: columns of the runs table and their values, a value, a
    list, a range, or largest, smallest or base, the study's base setting. All if absent."""


class _Comparison(_Claim):
    measure: Measure
    """Column of the runs table that is compared."""
    of: Selector
    """Settings of which the claim speaks; every one of them must hold it."""
    than: Selector = {}
    """Settings they are compared with, every one of them; all others if absent."""
    than_measure: Measure | None = None
    """Compare with this column of the same setting instead, as after pruning with before."""
    smallest_effect: SmallestEffect
    """The smallest effect that matters."""

    @model_validator(mode="after")
    def _one_reference(self) -> Self:
        if self.than and self.than_measure:
            raise ValueError("give than or than_measure, and not both: than_measure compares within a setting")
        return self


class DifferenceClaim(_Comparison):
    """One setting's measure is less, or greater, than another's: a one-sided paired t test."""

    kind: Literal["difference"]
    """A difference."""
    direction: Direction
    """Whether the measure of `of` is less or greater."""


class EquivalenceClaim(_Comparison):
    """Two settings differ by less than matters: two one-sided paired t tests, or one of them."""

    kind: Literal["equivalence"]
    """No difference that matters."""
    direction: Literal["equal", "no_less", "no_greater"] = "equal"
    """Whether the measure of `of` is neither less nor greater by what matters, or only not less, or not greater."""


class TrendClaim(_Claim):
    """A measure falls, or rises, along a grid: a t test of the seeds' slopes."""

    kind: Literal["trend"]
    """A trend."""
    measure: Measure
    """Column of the runs table that follows the grid."""
    over: Literal["first_layer", "latents", "depth", "alpha_z", "alpha_w", "alpha_theta", "alpha_rate"]
    """Column that the grid varies; its values count by rank, as steps of equal size."""
    direction: Direction
    """Whether the measure becomes less or greater as the grid's value grows."""
    smallest_effect: SmallestEffect
    """The smallest change from one end of the grid to the other that matters."""


class ShareClaim(_Claim):
    """A measure lies below, or above, a bound: a one-sided one-sample t test."""

    kind: Literal["share"]
    """A level."""
    measure: Measure
    """Column of the runs table, such as a share of weights kept."""
    of: Selector
    """Settings of which the claim speaks; every one of them must hold it."""
    direction: Direction
    """Whether the measure is less or greater than the bound."""
    bound: float
    """The bound, in the units of the measure."""


class DivergenceClaim(_Claim):
    """Runs do not converge: an exact binomial test of the share of diverged runs."""

    kind: Literal["divergence"]
    """Failure to converge."""
    of: Selector
    """Settings of which the claim speaks; every one of them must hold it."""
    bound: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The claim holds if more than this share of the runs diverges."""


Claim = Annotated[
    DifferenceClaim | EquivalenceClaim | TrendClaim | ShareClaim | DivergenceClaim,
    Field(discriminator="kind"),
]
CLAIMS = TypeAdapter(dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")], Claim])
