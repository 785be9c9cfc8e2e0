"""The evidence on divergence against binomial sums and the interval's closed form."""

from math import comb

import pytest
from scipy import stats

from tests.study.claims.invented import DIVERGES, claims, evaluate, runs


@pytest.mark.parametrize(("failed", "count", "bound"), [(0, 5, 0.5), (3, 7, 0.5), (5, 5, 0.9), (2, 9, 0.1)])
def test_binomial_sums(failed, count, bound):
    evidence = evaluate(runs(a1=[None] * failed + [1.0] * (count - failed)), **DIVERGES | {"bound": bound})
    chances = [comb(count, k) * bound**k * (1 - bound) ** (count - k) for k in range(count + 1)]
    assert evidence.p == pytest.approx(sum(chances[failed:]))
    assert evidence.p_against == pytest.approx(sum(chances[: failed + 1]))
    assert evidence.estimate == failed / count
    low = stats.beta.ppf(0.025, failed, count - failed + 1) if failed else 0.0
    high = stats.beta.ppf(0.975, failed + 1, count - failed) if failed < count else 1.0
    assert evidence.interval == pytest.approx((low, high))


def test_the_runs_needed_are_those_of_an_exact_test():
    claim = claims(it=DIVERGES)["it"]
    evidence = evaluate(runs(a1=[None, None, 1.0]), **DIVERGES)
    needed = claim.seeds_as_observed(evidence, 0.05)
    tests = {n: stats.binomtest(round(2 / 3 * n), n, 0.5, alternative="greater").pvalue for n in range(4, needed + 1)}
    assert [n for n, p in tests.items() if p <= 0.05] == [needed]
    assert claim.seeds_for_smallest(evidence, 0.05) is None
