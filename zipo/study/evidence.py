"""What the runs table says on one claim and one data set: settings picked, runs paired by seed, tests made."""

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from zipo.study import paired
from zipo.study.claim import (
    Claim,
    DifferenceClaim,
    DivergenceClaim,
    EquivalenceClaim,
    Range,
    ShareClaim,
    SmallestEffect,
    TrendClaim,
)


class NotRunError(Exception):
    """What a claim needs and the runs table lacks, as a clause."""


@dataclass(frozen=True)
class Evidence:
    """One test of a claim. `values` are its numbers, one a seed, on the scale of the test."""

    of: str
    than: str
    values: np.ndarray
    """Differences in the measure or, for relative effects, in its logarithm; changes along a grid; levels."""
    relative: bool = False
    margin: float = math.nan
    """The smallest effect that matters, or the bound, on the scale of the test."""
    mean_of: float = math.nan
    mean_than: float = math.nan
    p: float = math.nan
    """For the claim."""
    p_against: float = math.nan
    """Against it."""
    p_welch: float = math.nan
    runs: int = 0
    diverged: int = 0
    """Runs, and those of them that diverged; a seed with one of these is no part of `values`."""
    tests: int = 1
    """Settings, or pairs of settings, that had to hold the claim; this is the weakest of them."""
    interval: tuple[float, float] = (math.nan, math.nan)
    """95 % confidence interval, on the scale of the test."""

    @property
    def effect(self) -> float:
        return self.scaled(float(np.mean(self.values))) if len(self.values) else math.nan

    def scaled(self, value: float) -> float:
        """From the scale of the test to what is told: a ratio less one for relative effects."""
        return math.expm1(value) if self.relative else value


def weigh(runs: pd.DataFrame, claim: Claim, base: dict[str, Any]) -> Evidence:
    """The evidence of an experiment's runs on one data set; `base` is the study's base setting.

    Raises NotRunError where a setting or a column is absent.
    """
    pool = runs[_mask(runs, claim.where, base)]
    if isinstance(claim, TrendClaim):
        return _trend(pool, claim)
    of = _picked(pool, claim.of, base, getattr(claim, "than", {}))
    if isinstance(claim, ShareClaim):
        return _weakest([_level(run, claim, label) for label, run in of.items()])
    if isinstance(claim, DivergenceClaim):
        return _weakest([_divergence(run, claim, label) for label, run in of.items()])
    for name in filter(None, (claim.measure, claim.than_measure)):
        _column(pool, name)
    if claim.than_measure:
        pairs = [((label, run), (f"{claim.than_measure} there", run)) for label, run in of.items()]
    else:
        taken = set(pd.concat(of.values())["setting"])
        than = _picked(pool if claim.than else pool[~pool["setting"].isin(taken)], claim.than, base, claim.of)
        pairs = [pair for pair in product(of.items(), than.items()) if _setting(pair[0][1]) != _setting(pair[1][1])]
        if not pairs:
            raise NotRunError("there is no second setting to compare with")
    return _weakest([_comparison(first, second, claim) for first, second in pairs])


def _setting(run: pd.DataFrame) -> str:
    return run["setting"].iloc[0]


def _column(runs: pd.DataFrame, name: str) -> pd.Series:
    if name not in runs:
        threshold = name.split("_")[1] if name.startswith("pruned_") else None
        why = f"{threshold} is not among the study's prune_thresholds" if threshold else f"no run has {name}"
        raise NotRunError(why)
    return runs[name]


def _mask(runs: pd.DataFrame, selector: dict[str, Any], base: dict[str, Any]) -> pd.Series:
    """Which runs a selector picks."""
    mask = pd.Series(True, index=runs.index)
    for column, wanted in selector.items():
        values = _column(runs, column)
        found = _matches(values, wanted, column, base)
        if not found.any():
            present = ", ".join(_text(value) for value in sorted(values.unique()))
            raise NotRunError(f"no run has {column} {_wish(wanted)}; there are {present}")
        mask &= found
    if not mask.any():
        wishes = ", ".join(f"{column} {_wish(wanted)}" for column, wanted in selector.items())
        raise NotRunError(f"no run has {wishes} at once")
    return mask


def _matches(values: pd.Series, wanted: Any, column: str, base: dict[str, Any]) -> pd.Series:
    if isinstance(wanted, Range):
        low = -math.inf if wanted.at_least is None else wanted.at_least
        high = math.inf if wanted.at_most is None else wanted.at_most
        return values.between(low, high)
    if isinstance(wanted, str) and wanted in ("largest", "smallest"):
        return values == (values.max() if wanted == "largest" else values.min())
    if wanted == "base":
        wanted = base[column]
    wishes = wanted if isinstance(wanted, list) else [wanted]
    if pd.api.types.is_numeric_dtype(values):
        return values.isin([float(wish) for wish in wishes])
    return values.astype(str).isin([str(wish) for wish in wishes])


def _picked(
    pool: pd.DataFrame, selector: dict[str, Any], base: dict[str, Any], other: dict[str, Any]
) -> dict[str, pd.DataFrame]:
    """The runs of each setting that a selector picks, indexed by seed, by a label.

    A label names the selector's columns; those of the `other` side of the comparison if it has none.
    """
    columns = list(selector or other)
    picked: dict[str, pd.DataFrame] = {}
    for setting, run in pool[_mask(pool, selector, base)].groupby("setting", sort=False):
        label = ", ".join(f"{column} {_text(run[column].iloc[0])}" for column in columns) or str(setting)
        # settings that differ in what the claim does not name are told apart by their ids
        label = f"{label} ({setting})" if label in picked else label
        picked[label] = run.set_index("seed").sort_index()
    return picked


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value)


def _wish(wanted: Any) -> str:
    if isinstance(wanted, Range):
        return " and ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in wanted if value is not None)
    return " or ".join(_text(wish) for wish in wanted) if isinstance(wanted, list) else _text(wanted)


def _scale(values: np.ndarray, effect: SmallestEffect, measure: str) -> np.ndarray:
    """Values as they are, or their logarithms for relative effects."""
    if effect.relative is None:
        return values
    if (values <= 0).any():
        raise NotRunError(f"{measure} has values that are not positive, of which no ratio can be taken")
    return np.log(values)


def _margin(effect: SmallestEffect) -> float:
    return math.log1p(effect.relative) if effect.relative is not None else float(effect.absolute or 0)


def _comparison(
    first: tuple[str, pd.DataFrame], second: tuple[str, pd.DataFrame], claim: DifferenceClaim | EquivalenceClaim
) -> Evidence:
    """Paired tests over the seeds at which both settings converged."""
    (of_label, of), (than_label, than) = first, second
    seeds = of.index.intersection(than.index)
    of, than = of.loc[seeds], than.loc[seeds]
    ok = ((of["status"] == "ok") & (than["status"] == "ok")).to_numpy()
    a = of[claim.measure].to_numpy(float)[ok]
    b = than[claim.than_measure or claim.measure].to_numpy(float)[ok]
    x, y = _scale(a, claim.smallest_effect, claim.measure), _scale(b, claim.smallest_effect, claim.measure)
    margin = _margin(claim.smallest_effect)
    if isinstance(claim, EquivalenceClaim):
        p, against = _equivalence(x - y, margin, claim.direction)
        welch = 2 * min(paired.p_welch(x, y), paired.p_welch(y, x))
    else:
        sign = 1 if claim.direction == "greater" else -1
        p = paired.p_greater(sign * (x - y))
        # refuted by the opposite, or by a difference too small to matter; either alone implies that the effect
        # falls short of the smallest that matters, so taking the smaller p needs no correction
        against = min(paired.p_greater(-sign * (x - y)), paired.p_equivalent(x - y, margin))
        welch = paired.p_welch(sign * x, sign * y)
    both = [of] if claim.than_measure else [of, than]
    return Evidence(
        of_label, than_label, x - y, claim.smallest_effect.relative is not None, margin, _mean(a), _mean(b), p,
        against, welch, len(both) * len(seeds), _diverged(*both), interval=paired.interval(x - y),
    )  # fmt: skip


def _equivalence(differences: np.ndarray, margin: float, direction: str) -> tuple[float, float]:
    """p for and p against a difference within the margin, on both sides or on one."""
    if direction == "equal":
        return paired.p_equivalent(differences, margin), paired.p_beyond(differences, margin)
    kept = differences if direction == "no_less" else -differences
    return paired.p_greater(kept, -margin), paired.p_greater(-kept, margin)


def _trend(pool: pd.DataFrame, claim: TrendClaim) -> Evidence:
    """Each seed's least-squares change from one end of the grid to the other, tested against none."""
    values, _ = _column(pool, claim.measure), _column(pool, claim.over)
    table = pool.assign(value=values.where(pool["status"] == "ok")).pivot_table(
        index="seed", columns=claim.over, values="value", dropna=False
    )
    grid = sorted(table.columns)
    if len(grid) < 3:
        raise NotRunError(f"a trend needs at least 3 values of {claim.over}; there are {len(grid)}")
    whole = table[grid].dropna().to_numpy(float)
    steps = np.arange(len(grid)) - (len(grid) - 1) / 2
    scaled = _scale(whole, claim.smallest_effect, claim.measure)
    changes = scaled @ steps / (steps @ steps) * (len(grid) - 1)
    margin = _margin(claim.smallest_effect)
    sign = 1 if claim.direction == "greater" else -1
    ends = f"{claim.over} {_text(grid[-1])}", f"{claim.over} {_text(grid[0])}"
    return Evidence(
        *ends, changes, claim.smallest_effect.relative is not None, margin, _mean(whole[:, -1]), _mean(whole[:, 0]),
        paired.p_greater(sign * changes),
        min(paired.p_greater(-sign * changes), paired.p_equivalent(changes, margin)),
        math.nan, len(pool), _diverged(pool), interval=paired.interval(changes),
    )  # fmt: skip


def _level(run: pd.DataFrame, claim: ShareClaim, label: str) -> Evidence:
    values = _column(run, claim.measure)[run["status"] == "ok"].to_numpy(float)
    above, below = paired.p_greater(values, claim.bound), paired.p_greater(-values, -claim.bound)
    p, against = (above, below) if claim.direction == "greater" else (below, above)
    return Evidence(
        label, "", values, margin=claim.bound, mean_of=_mean(values), p=p, p_against=against, runs=len(run),
        diverged=_diverged(run), interval=paired.interval(values),
    )  # fmt: skip


def _divergence(run: pd.DataFrame, claim: DivergenceClaim, label: str) -> Evidence:
    failed, count = _diverged(run), len(run)
    exact = stats.binomtest(failed, count, claim.bound).proportion_ci(0.95)
    return Evidence(
        label, "", (run["status"] == "diverged").to_numpy(float), margin=claim.bound, mean_of=failed / count,
        p=float(stats.binom.sf(failed - 1, count, claim.bound)),
        p_against=float(stats.binom.cdf(failed, count, claim.bound)),
        runs=count, diverged=failed, interval=(float(exact.low), float(exact.high)),
    )  # fmt: skip


def _weakest(tests: list[Evidence]) -> Evidence:
    """The one piece of evidence on several settings that must all hold a claim.

    That all hold it is shown by the largest p, without correction; that one fails by the smallest, times their number.
    """
    p = float(np.max([test.p for test in tests]))
    against = min(1.0, len(tests) * float(np.min([test.p_against for test in tests])))
    untested = [test for test in tests if math.isnan(test.p)]
    if untested:
        shown = untested[0]
    elif against <= paired.LEVEL:
        shown = min(tests, key=lambda test: test.p_against)
    else:
        shown = max(tests, key=lambda test: test.p)
    return replace(shown, p=p, p_against=against, tests=len(tests))


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else math.nan


def _diverged(*runs: pd.DataFrame) -> int:
    return sum(int((run["status"] == "diverged").sum()) for run in runs)
