"""What the seeds of an undecided claim can show, and how many would decide it."""

import math
from dataclasses import dataclass, replace
from typing import Self

from zipo.study.claims import t_tests
from zipo.study.claims.claim import Claim
from zipo.study.claims.evidence import Evidence

PRACTICAL = 1000
"""The most seeds that are stated as a number: nobody trains more."""


@dataclass(frozen=True)
class Power:
    """Seeds and effects at t_tests.POWER, for the Holm-corrected level that is strictest; None or NaN if unknown."""

    detectable: float = math.nan
    """The effect that as many seeds as there are would show, on the scale of the test."""
    seeds: int | None = None
    """Seeds that would decide the claim if mean and spread stay as observed."""
    fewest: int | None = None
    """The same at the lower end of the spread's 95 % confidence interval."""
    most: int | None = None
    """The same at its upper end; None also if that is beyond t_tests.MOST_SEEDS."""
    for_smallest: int | None = None
    """Seeds that would show the smallest effect that matters."""

    @classmethod
    def of(cls, claim: Claim, evidence: Evidence, level: float) -> Self:
        """That of a claim's evidence; unknown where a level that the claim requires is what leaves it undecided."""
        if evidence.level:
            return cls()
        seeds = claim.seeds_as_observed(evidence, level)
        fewest, most = None, None
        if seeds and math.isfinite(evidence.spread):
            spreads = t_tests.spread_interval(evidence.spread, evidence.count)
            fewest, most = (claim.seeds_as_observed(replace(evidence, spread=spread), level) for spread in spreads)
        detectable = t_tests.detectable(evidence.spread, evidence.count, level)
        return cls(detectable, seeds, fewest, most, claim.seeds_for_smallest(evidence, level))

    def in_words(self, claim: Claim, evidence: Evidence) -> str:
        """Sentences on it; empty where nothing is known."""
        shown = ""
        if math.isfinite(self.detectable):
            amount = evidence.amount(evidence.scaled(self.detectable)).lstrip("+")
            unit = claim.counted(evidence.count)
            shown = f" {evidence.count:,} {unit} show effects of {amount} with a power of {100 * t_tests.POWER:g} %."
        if not self.seeds:
            return shown
        if self.seeds > PRACTICAL:
            return f"{shown} If things are as seen, {PRACTICAL:,} {claim.unit}s would not decide it."
        decided = f" If things are as seen, {self.seeds:,} {claim.counted(self.seeds)} would decide it"
        if not self.fewest:
            return f"{shown}{decided}."
        most = f"{self.most:,}" if self.most and self.most <= PRACTICAL else f"more than {PRACTICAL:,}"
        return f"{shown}{decided}, or {self.fewest:,} to {most}, as the spread is no better known."
