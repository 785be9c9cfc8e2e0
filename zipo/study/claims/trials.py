"""What the trials of a search for hyper-parameters say on one claim: Welch's tests across trials."""

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from zipo.study.claims import t_tests
from zipo.study.claims.catalogue import TrialsClaim
from zipo.study.claims.evidence import Evidence, margin_of, mean, on_scale, weakest
from zipo.study.claims.selection import NotRunError, chosen, told


def weigh_trials(trials: pd.DataFrame, claim: TrialsClaim) -> Evidence:
    """The evidence of the trials that came to their ends. Raises NotRunError where there are none to compare."""
    ended = trials[trials["status"] == "ok"]
    if ended.empty:
        raise NotRunError("no trial came to its end")
    picked = chosen(ended, claim.of, {})
    of, rest = ended[picked], ended[~picked]
    if rest.empty:
        raise NotRunError("there is no other trial to compare with")
    label = ", ".join(f"{column} {_values(of[column])}" for column in claim.of)
    others = [(f"{claim.each} {name}", group) for name, group in rest.groupby(claim.each)] if claim.each else []
    best = ended.loc[ended["validation_nll"].idxmin()]
    found = " and ".join(f"{column} {_value(best[column])}" for column in claim.of)
    remark = f" The trial of the lowest validation NLL, of {len(ended)}, has {found}."
    diverged = int((trials["status"] == "diverged").sum())
    return weakest(
        [
            _unpaired((label, of), other, claim, {"remark": remark, "diverged": diverged, "runs": len(trials)})
            for other in others or [("the other trials", rest)]
        ]
    )


def _values(values: pd.Series) -> str:
    low, high = values.min(), values.max()
    return _value(low) if low == high else f"{_value(low)} to {_value(high)}"


def _value(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else told(value)


def _unpaired(
    first: tuple[str, pd.DataFrame], second: tuple[str, pd.DataFrame], claim: TrialsClaim, rest: dict[str, Any]
) -> Evidence:
    """Welch's tests; against a difference, as with pairs, its opposite or one too small to matter."""
    (of_label, of), (than_label, than) = first, second
    a, b = of[claim.measure].to_numpy(float), than[claim.measure].to_numpy(float)
    x, y = (on_scale(values, claim.smallest_effect, claim.measure) for values in (a, b))
    margin, count = margin_of(claim.smallest_effect), len(a) + len(b)
    within = max(t_tests.p_welch(x + margin, y), t_tests.p_welch(y + margin, x))
    if claim.direction == "equal":
        p, against = within, min(1.0, 2 * min(t_tests.p_welch(x - margin, y), t_tests.p_welch(y - margin, x)))
        opposite = False
    else:
        sign = 1 if claim.direction == "greater" else -1
        p, reverse = t_tests.p_welch(sign * x, sign * y), t_tests.p_welch(-sign * x, -sign * y)
        against, opposite = min(reverse, within), reverse <= within
    error, freedom = t_tests.welch(x, y)
    difference, half = float(np.mean(x) - np.mean(y)), error * float(stats.t.ppf(0.975, freedom))
    return Evidence(
        of_label, than_label, count=count, estimate=difference, spread=error * math.sqrt(count),
        interval=(difference - half, difference + half), relative=claim.smallest_effect.relative is not None,
        margin=margin, mean_of=mean(a), mean_than=mean(b), p=p, p_against=against, opposite=opposite, p_welch=p, **rest,
    )  # fmt: skip
