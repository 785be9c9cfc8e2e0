"""Claims that a measure lies below, or above, a bound."""

from typing import TYPE_CHECKING, Literal

from zipo.study.claims.claim import RunsClaim
from zipo.study.claims.fields import Direction, Measure, Selector, sign
from zipo.study.claims.source import Source

if TYPE_CHECKING:
    import pandas as pd

    from zipo.study.claims.evidence import Evidence


class ShareClaim(RunsClaim):
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

    def evaluate(self, source: Source) -> "Evidence":
        """The weakest of the tests of each setting."""
        from zipo.study.claims.evidence import weakest
        from zipo.study.claims.selection import matching, runs_by_setting

        runs = source.rows[matching(source.rows, self.where, source.base)]
        levels = [self._level(label, group) for label, group in runs_by_setting(runs, self.of, source.base).items()]
        # the first is shown if none can be tested
        return weakest(sorted(levels, key=lambda level: sign(self.direction) * level.estimate))

    def _level(self, label: str, runs: "pd.DataFrame") -> "Evidence":
        """A one-sample test over the seeds that converged and were measured; of latents, one seed is."""
        from zipo.study.claims.evidence import Evidence, diverged, mean, summary
        from zipo.study.claims.selection import column
        from zipo.study.claims.t_tests import p_greater

        values = column(runs, self.measure)[runs["status"] == "ok"].dropna().to_numpy(float)
        above, below = p_greater(values, self.bound), p_greater(-values, -self.bound)
        p, against = (above, below) if self.direction == "greater" else (below, above)
        return Evidence(
            label, "", margin=self.bound, mean_of=mean(values), p=p, p_against=against, runs=len(runs),
            diverged=diverged(runs), **summary(values),
        )  # fmt: skip

    @property
    def measured(self) -> str:
        """The column that is compared with the bound."""
        return self.measure

    def numbers(self, evidence: "Evidence") -> str:
        """The mean, and the bound."""
        level = f"{self.measure} at {evidence.of} is {evidence.mean_of:.3g}"
        return f"{level}{evidence.weakest}, to be {self.direction} than {self.bound:g}"

    def seeds_as_observed(self, evidence: "Evidence", level: float) -> int | None:
        """The seeds that would show on which side of the bound the mean lies."""
        from zipo.study.claims.evidence import seeds_to_decide

        shown = sign(self.direction) * (evidence.estimate - evidence.margin)
        return seeds_to_decide(evidence, level, shown, [-shown])
