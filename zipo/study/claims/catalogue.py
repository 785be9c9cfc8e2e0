"""What a claim of the paper is in config/claims.yaml: its kind says which table decides it, and by which test."""

import math
import re
from difflib import get_close_matches
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, WithJsonSchema, model_validator

from zipo.parameters import ParameterValues
from zipo.shared.section import NAME, Section
from zipo.study.search.space import SEARCHED

MEASURES = [
    "test_nll", "test_nll_observed_library", "test_mse_rates", "test_mse_means", "test_mean_zero_probability",
    "training_nll", "validation_nll", "penalty_z", "penalty_w", "penalty_theta", "penalty_rate",
    "epochs", "best_epoch", "seconds", "seconds_per_epoch", "cells_per_second", "peak_memory_mb", "weights",
    "silhouette", "ari", "nmi", "first_layer_share", "penalty_w_unweighted",
]  # fmt: skip
"""Columns with a number of each run; zipo.study.claims.tables adds the last five."""
PRUNED = r"pruned_[0-9.e-]+_(kept|test_nll|test_mse_rates)"
DERIVED = ["first_layer", "latents", "depth"]  # columns of the runs table that an encoder's widths give
COLUMNS = [*ParameterValues.model_fields, *DERIVED, "method", "variant"]
TRIAL_COLUMNS = [*SEARCHED, *DERIVED]


def _measure(name: str) -> str:
    if name not in MEASURES and not re.fullmatch(PRUNED, name):
        close = get_close_matches(name, MEASURES, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(
            f"unknown measure; {hint}known are {', '.join(MEASURES)} and pruned_<threshold>_kept, _test_nll, "
            "_test_mse_rates"
        )
    return name


def _columns(selector: dict, columns: list[str] = COLUMNS) -> dict:
    for name in selector:
        if name not in columns:
            close = get_close_matches(name, columns, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise ValueError(f"unknown column {name!r}; {hint}known are {', '.join(columns)}")
    return selector


def _trial_columns(selector: dict) -> dict:
    if "base" in selector.values():
        raise ValueError("a search has no base setting; expected a value, a list, a range, largest or smallest")
    return _columns(selector, TRIAL_COLUMNS)


class Range(Section):
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


Measure = Annotated[
    str, AfterValidator(_measure), WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(MEASURES)}|{PRUNED})$"})
]
Value = int | float | str
Selector = Annotated[
    dict[str, Value | list[Value] | Range],
    AfterValidator(_columns),
    Field(json_schema_extra={"propertyNames": {"enum": COLUMNS}}),
]
TrialSelector = Annotated[
    dict[str, Value | list[Value] | Range],
    Field(min_length=1, json_schema_extra={"propertyNames": {"enum": TRIAL_COLUMNS}}),
    AfterValidator(_trial_columns),
]
Direction = Literal["less", "greater"]


class _Claim(Section):
    figure: Annotated[int, Field(ge=1)] | None = None
    """Figure of the paper that shows it; p-values are corrected within a figure. None: the text alone."""
    section: str
    """Section of the paper where it is said."""
    claim: str
    """What the paper says, in one sentence of our own."""
    dataset: str | None = None
    """Data set that decides it; each that there is by itself if absent."""


class _RunsClaim(_Claim):
    """A claim that the runs of an experiment decide."""

    experiment: str
    """Experiment of config/experiments.yaml whose runs decide it."""
    where: Selector = {}
    """Settings of the experiment that are looked at: columns of the runs table and their values, a value, a
    list, a range, or largest, smallest or base, the study's base setting. All if absent."""


class _Comparison(_RunsClaim):
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


class SpreadClaim(_Comparison):
    """Seeds scatter less, or more, in one setting than in another.

    A one-sided paired t test of the seeds' distances from the median: the test of Brown and Forsythe (1974,
    10.1080/01621459.1974.10482955) for pairs.
    """

    kind: Literal["spread"]
    """A difference in scatter; with a relative smallest effect, distances are of logarithms."""
    direction: Direction
    """Whether the seeds of `of` scatter less or more."""


class TrendClaim(_RunsClaim):
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


class ShareClaim(_RunsClaim):
    """A measure lies below, or above, a bound: a one-sided one-sample t test, which needs two seeds."""

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


class DivergenceClaim(_RunsClaim):
    """Runs do not converge: an exact binomial test of the share of diverged runs."""

    kind: Literal["divergence"]
    """Failure to converge."""
    of: Selector
    """Settings of which the claim speaks; every one of them must hold it."""
    bound: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The claim holds if more than this share of the runs diverges."""


class TrialsClaim(_Claim):
    """Some trials of the search do better than others, or as well: one-sided Welch t tests, or two for `equal`.

    Trials have no seeds to pair them by. They depend on each other, as the search looks where it found good ones, so
    that p is a guide only.
    """

    kind: Literal["trials"]
    """A comparison among the trials of the search that came to their ends."""
    measure: Literal["validation_nll", "test_nll", "test_mse_rates", "test_mse_means", "epochs", "weights", "seconds"]
    """Column of the trials table that is compared."""
    of: TrialSelector
    """Trials of which the claim speaks, compared with all others."""
    each: Literal["encoder"] | None = None
    """Compare with the trials of each other encoder by itself, and hold the claim for every one of them."""
    direction: Literal["less", "greater", "equal"]
    """Whether the measure of `of` is less or greater, or neither by what matters."""
    smallest_effect: SmallestEffect
    """The smallest effect that matters."""


class DistributionClaim(_Claim):
    """A number that describes the totals of a data set lies below, or above, a bound: a bootstrap over cells or genes.

    It says how the number would vary among cells or genes of the same kind, and nothing on other data sets.
    """

    kind: Literal["distribution"]
    """The shape of the distribution of totals; totals of zero are left out, and all is done on log10."""
    totals: Literal["cell", "gene"]
    """Library sizes of cells, or totals of genes."""
    statistic: Literal["orders_of_magnitude", "low_outliers", "share_within", "bimodality"]
    """The number; see zipo/study/claims/totals.py."""
    within: Range | None = None
    """For share_within: the totals that are counted, in counts."""
    direction: Direction
    """Whether the number is less or greater than the bound."""
    bound: float
    """The bound."""

    @model_validator(mode="after")
    def _within_for_its_share(self) -> Self:
        if (self.within is None) == (self.statistic == "share_within"):
            raise ValueError("expected within, the totals to count, with statistic share_within and with no other")
        return self


OfRuns = DifferenceClaim | EquivalenceClaim | SpreadClaim | TrendClaim | ShareClaim | DivergenceClaim
Claim = Annotated[OfRuns | TrialsClaim | DistributionClaim, Field(discriminator="kind")]
CLAIMS = TypeAdapter(dict[Annotated[str, NAME], Claim])
