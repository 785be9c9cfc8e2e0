"""The evidence on one claim and one data set, and what several kinds of claims compute of it."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from zipo.study.claims import t_tests
from zipo.study.claims.fields import SmallestEffect, sign
from zipo.study.claims.source import NotRunError


@dataclass(frozen=True)
class Evidence:
    """One test of a claim. What is compared is on the scale of the test: logarithms for relative effects."""

    of: str
    """The settings of which the claim speaks, in words."""
    than: str
    """Those that they are compared with; empty where they are compared with a bound."""
    count: int
    """Numbers that were tested: one a seed; or trials, cells or genes."""
    estimate: float
    """Their mean difference, change along a grid or level; or a number that describes them."""
    spread: float
    """Their standard deviation, NaN where more of them cannot be had."""
    interval: tuple[float, float]
    """95 % confidence interval of the estimate."""
    relative: bool = False
    """Whether the scale is that of logarithms."""
    margin: float = math.nan
    """The smallest effect that matters, or the bound."""
    mean_of: float = math.nan
    """Mean of the first settings, on the measure's own scale."""
    mean_than: float = math.nan
    """Mean of those they are compared with, on the measure's own scale."""
    p: float = math.nan
    """For the claim."""
    p_against: float = math.nan
    """Against it."""
    opposite: bool = False
    """Whether what is against it is the opposite, more than an effect too small to matter."""
    p_welch: float = math.nan
    """For the claim, by Welch's test, which pairs no seeds."""
    runs: int = 0
    """Runs or trials, those that diverged included."""
    diverged: int = 0
    """Runs or trials that diverged, which are not counted in `count`."""
    tests: int = 1
    """Settings, or pairs of settings, that had to hold the claim; this is the weakest of them."""
    remark: str = ""
    """A sentence more, or none."""

    @property
    def effect(self) -> float:
        """The estimate as tables and sentences give it."""
        return self.scaled(self.estimate)

    def scaled(self, value: float) -> float:
        """From the scale of the test to that of tables and sentences: a ratio less one for relative effects."""
        return math.expm1(value) if self.relative else value

    def amount(self, value: float) -> str:
        """An effect in words, with its sign; in per cent if relative."""
        return f"{100 * value:+.3g} %" if self.relative else f"{value:+.3g}"

    @property
    def interval_in_words(self) -> str:
        """The confidence interval: of an effect with signs, of a level without."""
        low, high = (self.scaled(end) for end in self.interval)
        return f"{self.amount(low)} to {self.amount(high)}" if self.than else f"{low:.3g} to {high:.3g}"

    @property
    def means(self) -> str:
        """Both means in words."""
        return f"{self.mean_of:.4g} at {self.of} and {self.mean_than:.4g} at {self.than}"

    @property
    def weakest(self) -> str:
        """A clause on the number of comparisons, empty for one."""
        return f", the weakest of {self.tests} comparisons" if self.tests > 1 else ""


def weakest(tests: list[Evidence]) -> Evidence:
    """The one piece of evidence on several settings that must all hold a claim.

    That all hold it is shown by the largest p, without correction; that one fails by the smallest, times their number.
    """
    p = float(np.max([test.p for test in tests]))
    against = min(1.0, len(tests) * float(np.min([test.p_against for test in tests])))
    untested = [test for test in tests if math.isnan(test.p)]
    if untested:
        shown = untested[0]
    elif against <= t_tests.LEVEL:
        shown = min(tests, key=lambda test: test.p_against)
    else:
        shown = max(tests, key=lambda test: test.p)
    return replace(shown, p=p, p_against=against, tests=len(tests))


def summary(values: np.ndarray) -> dict[str, Any]:
    """Count, mean, standard deviation and confidence interval of numbers, one a seed, as fields of Evidence."""
    count = len(values)
    spread = float(np.std(values, ddof=1)) if count > 1 else math.nan
    return {"count": count, "estimate": mean(values), "spread": spread, "interval": t_tests.interval(values)}


def directed(values: np.ndarray, margin: float, direction: str) -> dict[str, Any]:
    """p for and against a mean that is less or greater than none, as fields of Evidence.

    Refuted by the opposite, or by an effect too small to matter; either alone implies that the effect falls short of
    the smallest that matters, so taking the smaller p needs no correction.
    """
    signed = sign(direction) * values
    opposite, too_small = t_tests.p_greater(-signed), t_tests.p_equivalent(values, margin)
    against = {"p_against": min(opposite, too_small), "opposite": opposite <= too_small}
    return {"p": t_tests.p_greater(signed), **against}


def directed_pairs(first: np.ndarray, second: np.ndarray, margin: float, direction: str) -> dict[str, Any]:
    """`directed` of the differences of numbers paired by seed, and p_welch of the numbers without their pairs."""
    side = sign(direction)
    return directed(first - second, margin, direction) | {"p_welch": t_tests.p_welch(side * first, side * second)}


def seeds_to_decide(evidence: Evidence, level: float, shown: float, refuted: list[float]) -> int | None:
    """The fewest seeds, more than there are, that show a claim or refute it; None if none do.

    `shown` is how far the estimate lies on the side that shows the claim, `refuted` on those that refute it; negative
    where it lies on the other side. Refutation is corrected for the number of tests.
    """
    candidates = [t_tests.seeds_needed(shown, evidence.spread, level)]
    candidates += [t_tests.seeds_needed(distance, evidence.spread, level / evidence.tests) for distance in refuted]
    enough = [count for count in candidates if count]
    return max(evidence.count + 1, min(enough)) if enough else None


def on_scale(values: np.ndarray, effect: SmallestEffect, measure: str) -> np.ndarray:
    """Values as they are, or their logarithms for relative effects. Raises NotRunError if there is none."""
    if not effect.is_relative:
        return values
    if (values <= 0).any():
        raise NotRunError(f"{measure} has values that are not positive, of which no ratio can be taken")
    return np.log(values)


def mean(values: np.ndarray) -> float:
    """The mean; NaN without any value."""
    return float(np.mean(values)) if len(values) else math.nan


def diverged(*runs: pd.DataFrame) -> int:
    """The number of runs that diverged."""
    return sum(int((table["status"] == "diverged").sum()) for table in runs)
