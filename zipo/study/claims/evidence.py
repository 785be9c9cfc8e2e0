"""What the runs table says on one claim and one data set: settings picked, runs paired by seed, tests made."""

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from zipo.study.claims import t_tests
from zipo.study.claims.catalogue import (
    DifferenceClaim,
    DivergenceClaim,
    EquivalenceClaim,
    OfRuns,
    ShareClaim,
    SmallestEffect,
    SpreadClaim,
    TrendClaim,
)
from zipo.study.claims.selection import NotRunError, chosen, column_of, told


@dataclass(frozen=True)
class Evidence:
    """One test of a claim. What is compared is on the scale of the test: logarithms for relative effects."""

    of: str
    than: str
    count: int
    """Numbers that were tested: one a seed; or trials, cells or genes."""
    estimate: float
    """Their mean difference, change along a grid or level; or a number that describes them."""
    spread: float
    """Their standard deviation, NaN where more of them cannot be had."""
    interval: tuple[float, float]
    """95 % confidence interval of the estimate."""
    relative: bool = False
    margin: float = math.nan
    """The smallest effect that matters, or the bound."""
    mean_of: float = math.nan
    mean_than: float = math.nan
    """Means as they are told, on no scale but the measure's own."""
    p: float = math.nan
    """For the claim."""
    p_against: float = math.nan
    """Against it."""
    opposite: bool = False
    """Whether what is against it is the opposite, more than an effect too small to matter."""
    p_welch: float = math.nan
    runs: int = 0
    diverged: int = 0
    """Runs or trials, and those of them that diverged, which are not counted in `count`."""
    tests: int = 1
    """Settings, or pairs of settings, that had to hold the claim; this is the weakest of them."""
    remark: str = ""
    """A sentence more, or none."""

    @property
    def effect(self) -> float:
        return self.scaled(self.estimate)

    def scaled(self, value: float) -> float:
        """From the scale of the test to what is told: a ratio less one for relative effects."""
        return math.expm1(value) if self.relative else value


def summary(values: np.ndarray) -> dict[str, Any]:
    """Count, mean, standard deviation and confidence interval of numbers, one a seed."""
    count = len(values)
    spread = float(np.std(values, ddof=1)) if count > 1 else math.nan
    return {"count": count, "estimate": mean(values), "spread": spread, "interval": t_tests.interval(values)}


def directed(values: np.ndarray, margin: float, direction: str) -> dict[str, Any]:
    """p for and against a mean that is less or greater than none.

    Refuted by the opposite, or by an effect too small to matter; either alone implies that the effect falls short of
    the smallest that matters, so taking the smaller p needs no correction.
    """
    sign = 1 if direction == "greater" else -1
    opposite, too_small = t_tests.p_greater(-sign * values), t_tests.p_equivalent(values, margin)
    against = {"p_against": min(opposite, too_small), "opposite": opposite <= too_small}
    return {"p": t_tests.p_greater(sign * values), **against}


def weigh(runs: pd.DataFrame, claim: OfRuns, base: dict[str, Any]) -> Evidence:
    """The evidence of an experiment's runs on one data set; `base` is the study's base setting.

    Raises NotRunError where a setting or a column is absent.
    """
    pool = runs[chosen(runs, claim.where, base)]
    if isinstance(claim, TrendClaim):
        return _trend(pool, claim)
    of = _picked(pool, claim.of, base, getattr(claim, "than", {}))
    if isinstance(claim, ShareClaim):
        sign = 1 if claim.direction == "greater" else -1
        levels = [_level(run, claim, label) for label, run in of.items()]
        return weakest(sorted(levels, key=lambda level: sign * level.estimate))  # the first is told if none is tested
    if isinstance(claim, DivergenceClaim):
        return weakest([_divergence(run, claim, label) for label, run in of.items()])
    for name in filter(None, (claim.measure, claim.than_measure)):
        column_of(pool, name)
    if claim.than_measure:
        pairs = [((label, run), (f"{claim.than_measure} there", run)) for label, run in of.items()]
    else:
        taken = set(pd.concat(of.values())["setting"])
        than = _picked(pool if claim.than else pool[~pool["setting"].isin(taken)], claim.than, base, claim.of)
        pairs = [pair for pair in product(of.items(), than.items()) if _setting(pair[0][1]) != _setting(pair[1][1])]
        if not pairs:
            raise NotRunError("there is no second setting to compare with")
    return weakest([_comparison(first, second, claim) for first, second in pairs])


def _setting(run: pd.DataFrame) -> str:
    return run["setting"].iloc[0]


def _picked(
    pool: pd.DataFrame, selector: dict[str, Any], base: dict[str, Any], other: dict[str, Any]
) -> dict[str, pd.DataFrame]:
    """The runs of each setting that a selector picks, indexed by seed, by a label.

    A label names the selector's columns; those of the `other` side of the comparison if it has none.
    """
    columns = list(selector or other)
    picked: dict[str, pd.DataFrame] = {}
    for setting, run in pool[chosen(pool, selector, base)].groupby("setting", sort=False):
        label = ", ".join(f"{column} {told(run[column].iloc[0])}" for column in columns) or str(setting)
        # settings that differ in what the claim does not name are told apart by their ids
        label = f"{label} ({setting})" if label in picked else label
        picked[label] = run.set_index("seed").sort_index()
    return picked


def on_scale(values: np.ndarray, effect: SmallestEffect, measure: str) -> np.ndarray:
    """Values as they are, or their logarithms for relative effects."""
    if effect.relative is None:
        return values
    if (values <= 0).any():
        raise NotRunError(f"{measure} has values that are not positive, of which no ratio can be taken")
    return np.log(values)


def margin_of(effect: SmallestEffect) -> float:
    return math.log1p(effect.relative) if effect.relative is not None else float(effect.absolute or 0)


def _comparison(
    first: tuple[str, pd.DataFrame],
    second: tuple[str, pd.DataFrame],
    claim: DifferenceClaim | EquivalenceClaim | SpreadClaim,
) -> Evidence:
    """Paired tests over the seeds at which both settings converged."""
    (of_label, of), (than_label, than) = first, second
    seeds = of.index.intersection(than.index)
    of, than = of.loc[seeds], than.loc[seeds]
    ok = ((of["status"] == "ok") & (than["status"] == "ok")).to_numpy()
    a = of[claim.measure].to_numpy(float)[ok]
    b = than[claim.than_measure or claim.measure].to_numpy(float)[ok]
    x, y = on_scale(a, claim.smallest_effect, claim.measure), on_scale(b, claim.smallest_effect, claim.measure)
    margin, relative = margin_of(claim.smallest_effect), claim.smallest_effect.relative is not None
    if isinstance(claim, SpreadClaim):
        x, y = _distances(x), _distances(y)
        a, b = (np.expm1(x), np.expm1(y)) if relative else (x, y)
    if isinstance(claim, EquivalenceClaim):
        p, against = _equivalence(x - y, margin, claim.direction)
        found: dict[str, Any] = {
            "p": p,
            "p_against": against,
            "p_welch": 2 * min(t_tests.p_welch(x, y), t_tests.p_welch(y, x)),
        }
    else:
        sign = 1 if claim.direction == "greater" else -1
        found = directed(x - y, margin, claim.direction) | {"p_welch": t_tests.p_welch(sign * x, sign * y)}
    both = [of] if claim.than_measure else [of, than]
    return Evidence(
        of_label, than_label, relative=relative, margin=margin, mean_of=mean(a), mean_than=mean(b),
        runs=len(both) * len(seeds), diverged=_diverged(*both), **summary(x - y), **found,
    )  # fmt: skip


def _distances(values: np.ndarray) -> np.ndarray:
    """How far each value is from the median of all."""
    return np.abs(values - np.median(values)) if len(values) else values


def _equivalence(differences: np.ndarray, margin: float, direction: str) -> tuple[float, float]:
    """p for and p against a difference within the margin, on both sides or on one."""
    if direction == "equal":
        return t_tests.p_equivalent(differences, margin), t_tests.p_beyond(differences, margin)
    kept = differences if direction == "no_less" else -differences
    return t_tests.p_greater(kept, -margin), t_tests.p_greater(-kept, margin)


def _trend(pool: pd.DataFrame, claim: TrendClaim) -> Evidence:
    """Each seed's least-squares change from one end of the grid to the other, tested against none."""
    values, _ = column_of(pool, claim.measure), column_of(pool, claim.over)
    table = pool.assign(value=values.where(pool["status"] == "ok")).pivot_table(
        index="seed", columns=claim.over, values="value", dropna=False
    )
    grid = sorted(table.columns)
    if len(grid) < 3:
        raise NotRunError(f"a trend needs at least 3 values of {claim.over}; there are {len(grid)}")
    whole = table[grid].dropna().to_numpy(float)
    steps = np.arange(len(grid)) - (len(grid) - 1) / 2
    scaled = on_scale(whole, claim.smallest_effect, claim.measure)
    changes = scaled @ steps / (steps @ steps) * (len(grid) - 1)
    margin = margin_of(claim.smallest_effect)
    return Evidence(
        f"{claim.over} {told(grid[-1])}", f"{claim.over} {told(grid[0])}",
        relative=claim.smallest_effect.relative is not None, margin=margin, mean_of=mean(whole[:, -1]),
        mean_than=mean(whole[:, 0]), runs=len(pool), diverged=_diverged(pool), **summary(changes),
        **directed(changes, margin, claim.direction),
    )  # fmt: skip


def _level(run: pd.DataFrame, claim: ShareClaim, label: str) -> Evidence:
    """A one-sample test over the seeds that converged and were measured; of latents, one seed is."""
    values = column_of(run, claim.measure)[run["status"] == "ok"].dropna().to_numpy(float)
    above, below = t_tests.p_greater(values, claim.bound), t_tests.p_greater(-values, -claim.bound)
    p, against = (above, below) if claim.direction == "greater" else (below, above)
    return Evidence(
        label, "", margin=claim.bound, mean_of=mean(values), p=p, p_against=against, runs=len(run),
        diverged=_diverged(run), **summary(values),
    )  # fmt: skip


def _divergence(run: pd.DataFrame, claim: DivergenceClaim, label: str) -> Evidence:
    failed, count = _diverged(run), len(run)
    exact = stats.binomtest(failed, count, claim.bound).proportion_ci(0.95)
    return Evidence(
        label, "", count=count, estimate=failed / count, spread=math.nan,
        interval=(float(exact.low), float(exact.high)), margin=claim.bound, mean_of=failed / count,
        p=float(stats.binom.sf(failed - 1, count, claim.bound)),
        p_against=float(stats.binom.cdf(failed, count, claim.bound)), runs=count, diverged=failed,
    )  # fmt: skip


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


def mean(values: np.ndarray) -> float:
    """The mean, NaN of nothing."""
    return float(np.mean(values)) if len(values) else math.nan


def _diverged(*runs: pd.DataFrame) -> int:
    return sum(int((run["status"] == "diverged").sum()) for run in runs)
