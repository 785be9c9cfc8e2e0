"""The evidence on trials of a search against Welch's tests by scipy."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from tests.study.claims.invented import claims, evaluate
from zipo.study.claims.evidence import Evidence

ENTRY = {
    "section": "III-H", "claim": "c", "data": ["a"], "kind": "trials", "measure": "test_nll",
    "of": {"encoder": "8-4-2"}, "direction": "less", "smallest_effect": {"relative": 0.05},
}  # fmt: skip
FIRST = np.array([1.0, 1.1, 0.9, 1.05, 1.02])
SECOND = np.array([1.1, 1.2, 0.95, 1.15, 1.3, 1.01, 1.08])
X, Y, MARGIN = np.log(FIRST), np.log(SECOND), np.log(1.05)


def on_trials(**change) -> Evidence:
    values = [*FIRST, *SECOND, np.nan]
    table = pd.DataFrame({"encoder": ["8-4-2"] * 5 + ["8-4"] * 8, "test_nll": values, "validation_nll": values})
    return evaluate(table.assign(status=["ok"] * 12 + ["pruned"]), **ENTRY | change)


def welch(x: np.ndarray, y: np.ndarray, side: str) -> float:
    return stats.ttest_ind(x, y, equal_var=False, alternative=side).pvalue


@pytest.mark.parametrize(("direction", "opposite"), [("less", "greater"), ("greater", "less")])
def test_welch_on_one_side(direction, opposite):
    evidence = on_trials(direction=direction)
    assert evidence.p == pytest.approx(welch(X, Y, direction), rel=1e-12)
    within = max(welch(X + MARGIN, Y, "greater"), welch(X - MARGIN, Y, "less"))
    assert evidence.p_against == pytest.approx(min(welch(X, Y, opposite), within), rel=1e-12)
    assert evidence.opposite == (welch(X, Y, opposite) <= within)
    interval = stats.ttest_ind(X, Y, equal_var=False).confidence_interval(0.95)
    assert evidence.interval == pytest.approx(tuple(interval))
    assert (evidence.mean_of, evidence.mean_than) == pytest.approx((FIRST.mean(), SECOND.mean()))
    assert (evidence.count, evidence.runs, evidence.diverged) == (12, 13, 0)
    assert evidence.remark == " The trial of the lowest validation NLL, of 12, has encoder 8-4-2."


@pytest.mark.parametrize("effect", [0.05, 0.001])
@pytest.mark.parametrize(("encoder", "x", "y"), [("8-4-2", X, Y), ("8-4", Y, X)])
def test_welch_on_both_sides(encoder, x, y, effect):
    evidence = on_trials(direction="equal", of={"encoder": encoder}, smallest_effect={"relative": effect})
    margin = np.log1p(effect)
    within = max(welch(x + margin, y, "greater"), welch(x - margin, y, "less"))
    beyond = 2 * min(welch(x - margin, y, "greater"), welch(x + margin, y, "less"))
    assert evidence.p == pytest.approx(within, rel=1e-12)
    assert evidence.p_against == pytest.approx(min(1, beyond), rel=1e-12)


def test_the_spread_gives_the_same_t_for_all_trials_together():
    evidence = on_trials(smallest_effect={"absolute": 0.1})
    t = stats.ttest_ind(FIRST, SECOND, equal_var=False).statistic
    assert evidence.estimate / evidence.spread * np.sqrt(12) == pytest.approx(t)


@pytest.mark.parametrize(
    ("direction", "relative", "power"), [("equal", 0.2, 0.9), ("equal", 0.02, 0.9), ("less", 0.02, 0.8)]
)
def test_the_trials_needed_are_statsmodels(direction, relative, power):
    entry = ENTRY | {"direction": direction, "smallest_effect": {"relative": relative}}
    claim, evidence = claims(it=entry)["it"], on_trials(direction=direction, smallest_effect={"relative": relative})

    def needed(effect, power):
        standard = effect / evidence.spread
        return math.ceil(TTestPower().solve_power(standard, alpha=0.001, power=power, alternative="larger"))

    # equal: how far the difference is from the margin, within or beyond it; less: from none
    effect = Y.mean() - X.mean()
    decisive = abs(effect - np.log1p(relative)) if direction == "equal" else effect
    assert claim.seeds_as_observed(evidence, 0.001) == max(13, needed(decisive, 0.8))
    assert claim.seeds_for_smallest(evidence, 0.001) == needed(np.log1p(relative), power)
