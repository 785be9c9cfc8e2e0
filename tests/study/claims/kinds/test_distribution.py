"""The evidence on distributions of totals against closed forms and a bootstrap by brute force."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.study.claims.invented import evaluate
from zipo.study.claims.evidence import Evidence
from zipo.study.claims.kinds.distribution import low_outliers, orders_of_magnitude, share_within

ENTRY = {
    "section": "II-F", "claim": "c", "data": ["a"], "kind": "distribution", "totals": "cell",
    "statistic": "share_within", "within": {"at_most": 10}, "direction": "greater", "bound": 0.5,
}  # fmt: skip
LOGS = np.random.default_rng(5).normal(0.95, 0.4, 300)


def on_totals(logs: np.ndarray, **change) -> Evidence:
    table = pd.DataFrame({"dataset": "a", "of": "cell", "total": 10**logs})
    other = pd.DataFrame({"dataset": "a", "of": ["gene", "cell"], "total": [1e9, 0]})  # genes, and an empty cell
    return evaluate(pd.concat([table, other], ignore_index=True), **ENTRY | change)


def test_p_of_a_share_is_near_that_of_a_binomial_count():
    evidence = on_totals(LOGS)
    within = int(np.sum(LOGS <= 1))
    assert (evidence.count, evidence.estimate) == (300, within / 300)
    resampled = stats.binom(300, within / 300)  # what resampling a share draws
    assert evidence.p == pytest.approx(resampled.cdf(150), abs=4 * np.sqrt(resampled.cdf(150) / 1000) + 1e-3)
    assert evidence.p_against == pytest.approx(resampled.sf(149), abs=0.01)
    assert evidence.interval == pytest.approx(np.array(resampled.interval(0.95)) / 300, abs=0.01)


def test_the_bootstrap_by_brute_force():
    entry = {key: value for key, value in ENTRY.items() if key != "within"} | {"bound": 1.95}
    table = pd.DataFrame({"dataset": "a", "of": "cell", "total": 10**LOGS})
    evidence = evaluate(table, **entry | {"statistic": "orders_of_magnitude", "direction": "less"})
    rng = np.random.default_rng(0)
    logs = np.log10(10**LOGS)
    resampled = sorted(orders_of_magnitude(logs[rng.integers(0, 300, 300)]) for _ in range(1000))
    assert evidence.p == (1 + sum(value >= 1.95 for value in resampled)) / 1001
    assert evidence.p_against == (1 + sum(value <= 1.95 for value in resampled)) / 1001
    assert 0.01 < evidence.p < 0.99
    assert evidence.interval == pytest.approx((resampled[25], resampled[974]), abs=5e-3)
    assert evidence.estimate == pytest.approx(orders_of_magnitude(LOGS))


def test_numbers_that_describe_a_distribution():
    evenly = (np.arange(100_000) + 0.5) / 100_000
    assert orders_of_magnitude(3 * evenly) == pytest.approx(2.97, abs=1e-3)
    fence = stats.norm.ppf(0.25) - 1.5 * (stats.norm.ppf(0.75) - stats.norm.ppf(0.25))
    assert low_outliers(stats.norm.ppf(evenly)) == pytest.approx(stats.norm.cdf(fence), abs=1e-4)
    assert share_within(np.log10([1, 10, 100, 1000]), (10, 100)) == 0.5
