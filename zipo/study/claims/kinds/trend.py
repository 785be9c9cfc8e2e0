"""Claims that a measure falls, or rises, along a grid."""

from typing import TYPE_CHECKING, Literal

from zipo.study.claims.claim import EffectClaim, RunsClaim
from zipo.study.claims.fields import Direction, Measure, SmallestEffect
from zipo.study.claims.source import NotRunError, Source

if TYPE_CHECKING:
    from zipo.study.claims.evidence import Evidence


class TrendClaim(RunsClaim, EffectClaim):
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

    def evaluate(self, source: Source) -> "Evidence":
        """Each seed's least-squares change from one end of the grid to the other, tested against none."""
        import numpy as np

        from zipo.study.claims.evidence import Evidence, directed, mean, on_scale, summary, unless_cut_off
        from zipo.study.claims.numbers import facts, numbers
        from zipo.study.claims.selection import column, in_words, matching

        runs = source.rows[matching(source.rows, self.where, source.base)]
        values, _ = numbers(runs, self.measure), column(runs, self.over)
        table = runs.assign(value=values).pivot_table(index="seed", columns=self.over, values="value", dropna=False)
        grid = sorted(table.columns)
        if len(grid) < 3:
            raise NotRunError(f"a trend needs at least 3 values of {self.over}; there are {len(grid)}")
        complete = table[grid].dropna().to_numpy(float)  # (seeds, values of the grid)
        steps = np.arange(len(grid)) - (len(grid) - 1) / 2
        scaled = on_scale(complete, self.smallest_effect, self.measure)
        with np.errstate(invalid="ignore"):  # no slope is known where runs diverged in the middle or at both ends: NaN
            changes = scaled @ steps / (steps @ steps) * (len(grid) - 1)
        margin = self.smallest_effect.margin
        return unless_cut_off(
            Evidence(
                f"{self.over} {in_words(grid[-1])}", f"{self.over} {in_words(grid[0])}",
                relative=self.smallest_effect.is_relative, margin=margin, mean_of=mean(complete[:, -1]),
                mean_than=mean(complete[:, 0]), **facts(runs, measure=self.measure), **summary(changes),
                **directed(changes, margin, self.direction),
            )
        )  # fmt: skip

    def numbers(self, evidence: "Evidence") -> str:
        """The means at both ends of the grid, and the change that was fitted."""
        means = f"{self.subject} is {evidence.means}"
        return means if evidence.count < 2 else f"{means}, with a fitted change of {evidence.amount(evidence.effect)}"
