"""Claims that a measure lies below, or above, a bound, or between two."""

import math
from typing import TYPE_CHECKING, Literal, Self

from pydantic import model_validator

from zipo.study.claims.claim import RunsClaim
from zipo.study.claims.fields import Bounds, Direction, Measure, Selector, sign
from zipo.study.claims.source import Source

if TYPE_CHECKING:
    from zipo.study.claims.evidence import Evidence


class ShareClaim(RunsClaim):
    """A measure lies below a bound, above it, or between two: one-sided one-sample t tests, which need two seeds."""

    kind: Literal["share"]
    """A level."""
    measure: Measure
    """Column of the runs table, such as a share of weights kept."""
    of: Selector
    """Settings of which the claim speaks; every one of them must hold it."""
    direction: Direction | None = None
    """Whether the measure is less or greater than the bound."""
    bound: float | None = None
    """The bound, in the units of the measure."""
    within: Bounds | None = None
    """Two bounds between which the measure lies, in place of direction and bound."""

    @model_validator(mode="after")
    def _one_bound_or_two(self) -> Self:
        one = self.direction is not None and self.bound is not None
        if one == (self.within is not None) or (self.within and (self.direction or self.bound is not None)):
            raise ValueError("expected either direction and bound, or within")
        if self.within and not all(map(math.isfinite, self.within.ends)):
            raise ValueError("within: expected at_least and at_most; for one bound give direction and bound")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """The bounds, one of them infinite for a claim of one."""
        if self.within:
            return self.within.ends
        bound = float(self.bound or 0)
        return (bound, math.inf) if self.direction == "greater" else (-math.inf, bound)

    def evaluate(self, source: Source) -> "Evidence":
        """The weakest of the tests of each setting."""
        from zipo.study.claims.evidence import level, weakest
        from zipo.study.claims.selection import matching, runs_by_setting

        runs = source.rows[matching(source.rows, self.where, source.base)]
        groups = runs_by_setting(runs, self.of, source.base)
        levels = [level(label, group, self.measure, self.ends) for label, group in groups.items()]
        # the first is shown if none can be tested
        return weakest(sorted(levels, key=lambda level: sign(self.direction or "less") * level.estimate))

    @property
    def measured(self) -> str:
        """The column that is compared with the bound."""
        return self.measure

    def numbers(self, evidence: "Evidence") -> str:
        """The mean, and the bound."""
        from zipo.study.claims.evidence import bounds_in_words

        level = f"{self.measure} at {evidence.of} is {evidence.mean_of:.3g}"
        return f"{level}{evidence.weakest}, to be {bounds_in_words(self.ends)}"

    def seeds_as_observed(self, evidence: "Evidence", level: float) -> int | None:
        """The seeds that would show on which side of the bounds the mean lies."""
        from zipo.study.claims.evidence import seeds_to_decide

        shown = min(evidence.estimate - self.ends[0], self.ends[1] - evidence.estimate)
        return seeds_to_decide(evidence, level, shown, [-shown])
