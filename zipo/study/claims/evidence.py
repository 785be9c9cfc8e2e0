"""The evidence on one claim and one data set, and what several kinds of claims compute of it."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from zipo.study.claims import t_tests
from zipo.study.claims.fields import SmallestEffect, sign
from zipo.study.claims.numbers import facts, numbers
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
    """Runs or trials that diverged: the worst of all where a loss is tested, elsewhere left out of `count`."""
    by_rank: bool = False
    """Whether runs that diverged are among the numbers, so that medians are tested, by signs."""
    capped: int = 0
    """Runs that stopped at the cap of epochs."""
    cut_off: bool = False
    """Whether their numbers are unknown for that, as epochs are; the claim is then undecided."""
    test_share: float = math.nan
    """Test cells of a split over its training cells; NaN where there are no splits."""
    level: str = ""
    """The measure, if it is not the comparison that is tested but a level that it requires besides."""
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
    def interval_for_new_cells(self) -> tuple[float, float]:
        """The interval if seeds stood for new cells and not for new splits of the same; NaN where there are no splits.

        The standard error of Nadeau and Bengio (2003, 10.1023/A:1024068626366): splits share their training cells, for
        which the variance 1 / n of a mean of n is put at 1 / n + test cells / training cells.
        """
        if self.by_rank or not math.isfinite(self.test_share):
            return math.nan, math.nan
        factor = math.sqrt(1 + self.count * self.test_share)
        low, high = (self.estimate + factor * (end - self.estimate) for end in self.interval)
        return low, high

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
    """Count, mean, standard deviation and confidence interval of numbers, one a seed, as fields of Evidence.

    With numbers that are not finite, the median and its interval.
    """
    count, by_rank = len(values), not np.isfinite(values).all()
    known = values[~np.isnan(values)]
    estimate = float(np.median(known)) if by_rank and len(known) else mean(values)
    spread = float(np.std(values, ddof=1)) if count > 1 and not by_rank else math.nan
    interval = t_tests.interval(values)
    return {"count": count, "estimate": estimate, "spread": spread, "interval": interval, "by_rank": by_rank}


def unless_cut_off(evidence: Evidence) -> Evidence:
    """The evidence, without tests where the cap of epochs cut off what is tested."""
    if not evidence.cut_off:
        return evidence
    nan = math.nan
    return replace(evidence, p=nan, p_against=nan, p_welch=nan, interval=(nan, nan), spread=nan)


def level(label: str, runs: pd.DataFrame, measure: str, ends: tuple[float, float]) -> Evidence:
    """Whether a measure's mean over seeds lies between two bounds, of which one may be infinite.

    One-sample t tests over the seeds that were measured, of latents perhaps one; diverged runs have the worst losses.
    """
    values = numbers(runs, measure).dropna().to_numpy()
    within = [(1, ends[0])] * math.isfinite(ends[0]) + [(-1, -ends[1])] * math.isfinite(ends[1])
    p = max(t_tests.p_greater(side * values, bound) for side, bound in within)
    against = len(within) * min(t_tests.p_greater(-side * values, -bound) for side, bound in within)
    return unless_cut_off(
        Evidence(
            label, "", margin=min(ends, key=abs), mean_of=mean(values), p=p, p_against=min(1.0, against),
            **facts(runs, measure=measure), **summary(values),
        )
    )  # fmt: skip


def bounds_in_words(ends: tuple[float, float]) -> str:
    """Two bounds as a clause."""
    low, high = ends
    if math.isinf(low):
        return f"less than {high:g}"
    return f"greater than {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"


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
    """The mean of those that are finite; NaN without any."""
    finite = values[np.isfinite(values)]
    return float(np.mean(finite)) if len(finite) else math.nan
