"""Claims that compare settings pair by pair: the common base of differences, equivalences and spreads."""

from abc import abstractmethod
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, Self

from pydantic import model_validator

from zipo.study.claims.claim import EffectClaim, RunsClaim
from zipo.study.claims.fields import Level, Measure, Selector, SmallestEffect
from zipo.study.claims.source import NotRunError, Source

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from zipo.study.claims.evidence import Evidence


class Comparison(RunsClaim, EffectClaim):
    """A measure of some settings compared with that of others, over the seeds of both.

    A run that diverged has the worst loss of all; where another measure is compared, its seed is left out.
    """

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
    provided: Level | None = None
    """A level that the settings of `of` must have as well, without which the claim would be empty."""

    @model_validator(mode="after")
    def _one_reference(self) -> Self:
        if self.than and self.than_measure:
            raise ValueError("give than or than_measure, and not both: than_measure compares within a setting")
        return self

    @abstractmethod
    def p_values(self, first: "np.ndarray", second: "np.ndarray") -> dict[str, Any]:
        """p for and against the claim and p_welch, as fields of Evidence; arguments are numbers paired by seed."""

    def compared(self, values: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
        """Numbers of a setting's seeds as they are tested, and those whose mean is reported."""
        from zipo.study.claims.evidence import on_scale

        return on_scale(values, self.smallest_effect, self.measure), values

    def evaluate(self, source: Source) -> "Evidence":
        """The weakest of the comparisons of each setting with each that it is compared with."""
        from zipo.study.claims.evidence import weakest
        from zipo.study.claims.selection import column, matching, runs_by_setting

        runs = source.rows[matching(source.rows, self.where, source.base)]
        groups = runs_by_setting(runs, self.of, source.base, self.than)
        for name in filter(None, (self.measure, self.than_measure)):
            column(runs, name)
        if self.than_measure:
            pairs = [((label, group), (f"{self.than_measure} there", group)) for label, group in groups.items()]
        else:
            others = runs if self.than else runs[~runs["setting"].isin([_setting(group) for group in groups.values()])]
            references = runs_by_setting(others, self.than, source.base, self.of)
            pairs = [
                (first, second)
                for first, second in product(groups.items(), references.items())
                if _setting(first[1]) != _setting(second[1])
            ]
            if not pairs:
                raise NotRunError("there is no second setting to compare with")
        levels = (
            [self._required(label, group, self.provided) for label, group in groups.items()] if self.provided else []
        )
        return weakest([self._compare(first, second) for first, second in pairs] + levels)

    def _required(self, label: str, runs: "pd.DataFrame", required: Level) -> "Evidence":
        """The tests of the level that a setting must have."""
        from zipo.study.claims.evidence import level

        return replace(level(label, runs, required.measure, required.within.ends), level=required.measure)

    def numbers(self, evidence: "Evidence") -> str:
        """The two means and how they differ, or the level that is missed besides."""
        from zipo.study.claims.evidence import bounds_in_words

        if not (evidence.level and self.provided):
            return super().numbers(evidence)
        bounds = bounds_in_words(self.provided.within.ends)
        level = f"{evidence.level} at {evidence.of} is {evidence.mean_of:.3g}"
        return f"{level}, which the claim requires to be {bounds}"

    def _compare(self, first: "tuple[str, pd.DataFrame]", second: "tuple[str, pd.DataFrame]") -> "Evidence":
        """The tests of two settings, each a label and its runs indexed by seed."""
        import numpy as np

        from zipo.study.claims.evidence import Evidence, mean, summary, unless_cut_off
        from zipo.study.claims.numbers import facts, numbers

        (label, runs), (other_label, others) = first, second
        seeds = runs.index.intersection(others.index)
        runs, others = runs.loc[seeds], others.loc[seeds]
        values, other_values = numbers(runs, self.measure), numbers(others, self.than_measure or self.measure)
        measured = (values.notna() & other_values.notna()).to_numpy()
        both = [runs] if self.than_measure else [runs, others]
        with np.errstate(invalid="ignore"):  # where both diverged, which is worse is not known: NaN
            x, shown = self.compared(values.to_numpy()[measured])
            y, others_shown = self.compared(other_values.to_numpy()[measured])
            return unless_cut_off(
                Evidence(
                    label, other_label, relative=self.smallest_effect.is_relative, margin=self.smallest_effect.margin,
                    mean_of=mean(shown), mean_than=mean(others_shown), **facts(*both, measure=self.measure),
                    **summary(x - y), **self.p_values(x, y),
                )
            )  # fmt: skip


def _setting(runs: "pd.DataFrame") -> str:
    return runs["setting"].iloc[0]
