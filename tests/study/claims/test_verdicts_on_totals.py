"""Verdicts on invented library sizes and totals of genes."""

import numpy as np
import pandas as pd
import pytest

from tests.study.claims.invented import STUDY, claims, most
from zipo.study.claims.verdicts import decide

RNG = np.random.default_rng(3)
TOTALS = {
    "figure": 2, "section": "II-F", "claim": "There are two modes.", "data": ["a"], "kind": "distribution",
    "totals": "gene", "statistic": "dip", "direction": "greater", "bound": 0.02,
}  # fmt: skip
WITHIN = TOTALS | {"statistic": "share_within", "within": {"at_most": 10}, "bound": 0.5}


def on_totals(values, **entry) -> pd.Series:
    table = pd.DataFrame({"dataset": "a", "of": entry["totals"], "total": values})
    return decide({"totals": table}, STUDY, claims(it=entry)).iloc[0]


def test_two_modes_are_told_from_one():
    two = 10 ** np.concatenate([RNG.normal(1, 0.3, 500), RNG.normal(4, 0.3, 500)])
    row = on_totals([*two, 0, 0], **TOTALS)
    assert (row["verdict"], row["measure"], row["pairs"]) == ("reproduced", "dip of genes", 1000)
    assert row["sentence"].startswith("dip of genes is 0.1")
    assert row["p"] == pytest.approx(1 / 1001)
    one = on_totals(10 ** RNG.normal(3, 0.5, 4000), **TOTALS)
    assert (one["verdict"], one["seeds_needed"]) == ("not reproduced", pd.NA)
    # one mode of small whole numbers, each of which repeats: the numbers themselves are no modes
    poisson = on_totals(RNG.poisson(6, 4000), **TOTALS)
    assert poisson["verdict"] == "not reproduced"
    assert on_totals([5, 5, 0], **TOTALS)["sentence"] == "Not run: there are no two different totals of a gene."


def test_the_interval_is_a_bootstraps():
    logs = RNG.normal(1, 0.4, 400)
    row = on_totals(10**logs, **WITHIN)
    share = np.mean(logs <= 1)
    half = 1.96 * np.sqrt(share * (1 - share) / 400)
    assert row["effect"] == pytest.approx(share)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((share - half, share + half), abs=0.01)


def test_distributions_at_the_bound_are_called_beyond_it_at_the_stated_level():
    rng = np.random.default_rng(12)
    verdicts = [on_totals(10 ** rng.normal(1, 0.4, 101), **WITHIN)["verdict"] for _ in range(200)]
    assert 0 < verdicts.count("reproduced") <= most(200)
    assert 0 < verdicts.count("not reproduced") <= most(200)
