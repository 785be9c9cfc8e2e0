"""Verdicts on invented trials of a search."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.study.claims.invented import STUDY, claims, most
from zipo.study.claims.tables import with_shape
from zipo.study.claims.verdicts import decide

RNG = np.random.default_rng(3)
TRIALS = {
    "figure": 14, "section": "III-H", "claim": "The deepest is best.", "data": ["a"], "kind": "trials",
    "measure": "test_nll", "of": {"depth": "largest"}, "direction": "less", "smallest_effect": {"relative": 0.05},
}  # fmt: skip


def trials(**by_encoder) -> pd.DataFrame:
    """A table of trials: for each encoder, written e8_4, the test NLL of its trials; None was pruned."""
    rows = [
        {"dataset": "a", "encoder": name[1:].replace("_", "-"), "test_nll": value, "alpha_z": 0.1 * (number + 1)}
        for name, values in by_encoder.items()
        for number, value in enumerate(values)
    ]
    table = with_shape(pd.DataFrame(rows))
    table["status"] = np.where(table["test_nll"].isna(), "pruned", "ok")
    return table.assign(validation_nll=table["test_nll"])


def on_trials(table: pd.DataFrame, **change) -> pd.Series:
    return decide({"trials": table}, STUDY, claims(it=TRIALS | change)).iloc[0]


DEEP, SHALLOW, MIDDLE = np.exp(RNG.normal(0, 0.1, (3, 8))) * np.array([[1.0], [1.5], [1.2]])


def test_a_clear_win_among_trials():
    row = on_trials(trials(e8_4_2=[*DEEP, None], e8_4=SHALLOW))
    expected = stats.ttest_ind(np.log(DEEP), np.log(SHALLOW), equal_var=False, alternative="less")
    assert row["verdict"] == "reproduced"
    assert row["p"] == pytest.approx(expected.pvalue)
    low, high = stats.ttest_ind(np.log(DEEP), np.log(SHALLOW), equal_var=False).confidence_interval(0.95)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((np.expm1(low), np.expm1(high)))
    assert (row["mean_of"], row["mean_than"]) == pytest.approx((DEEP.mean(), SHALLOW.mean()))
    assert (row["pairs"], row["runs"], row["of"], row["than"]) == (16, 17, "depth 3", "the other trials")
    assert row["sentence"].endswith("The trial of the lowest validation NLL, of 16, has depth 3.")
    lost = on_trials(trials(e8_4_2=SHALLOW, e8_4=DEEP))
    assert lost["verdict"] == "not reproduced"
    assert lost["sentence"].endswith("has depth 2. The opposite is shown.")


def test_the_trials_of_each_other_encoder_must_be_worse():
    table = trials(e8_4_2=DEEP, e8_4=SHALLOW, e6_4=MIDDLE)
    row = on_trials(table, each="encoder")
    tests = [
        stats.ttest_ind(np.log(DEEP), np.log(other), equal_var=False, alternative="less") for other in (SHALLOW, MIDDLE)
    ]
    assert (row["p"], row["tests"], row["than"]) == (pytest.approx(max(t.pvalue for t in tests)), 2, "encoder 6-4")
    alone = on_trials(trials(e8_4_2=DEEP, e8_4=SHALLOW, e6_4=[1.0]), each="encoder")
    assert alone["verdict"] == "undecided"
    assert "from 9 trials; a test needs two on either side." in alone["sentence"]


def test_trials_that_are_alike():
    row = on_trials(trials(e8_4_2=DEEP, e8_4=DEEP[::-1] * 1.01), direction="equal", smallest_effect={"relative": 0.25})
    x, y, margin = np.log(DEEP), np.log(DEEP * 1.01), np.log(1.25)
    sides = [
        stats.ttest_ind(x + margin, y, equal_var=False, alternative="greater").pvalue,
        stats.ttest_ind(x - margin, y, equal_var=False, alternative="less").pvalue,
    ]
    assert (row["verdict"], row["p"]) == ("reproduced", pytest.approx(max(sides)))
    row = on_trials(trials(e8_4_2=DEEP, e8_4=SHALLOW), direction="equal")
    assert row["verdict"] == "not reproduced"
    assert row["sentence"].endswith("The difference is larger than that.")
    tie = on_trials(trials(e8_4_2=DEEP, e8_4=DEEP[::-1]), smallest_effect={"relative": 0.25})
    assert tie["sentence"].endswith("Any difference is smaller than that.")


def test_a_range_of_penalties_among_trials_and_none():
    table = trials(e8_4=[*SHALLOW[:3], *DEEP[:4], *SHALLOW[3:6]])  # alpha_z is 0.4 to 0.7 for the good ones
    row = on_trials(table, of={"alpha_z": {"at_least": 0.35, "at_most": 0.75}})
    assert (row["verdict"], row["of"]) == ("reproduced", "alpha_z 0.4 to 0.7")
    assert "has alpha_z 0." in row["sentence"]
    row = on_trials(table, of={"alpha_z": {"at_least": 7}})
    assert (
        row["sentence"]
        == "Not run: no run has alpha_z at least 7; there are 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1."
    )
    assert on_trials(table)["sentence"] == "Not run: there is no other trial to compare with."
    none = decide({"runs": table}, STUDY, claims(it=TRIALS)).iloc[0]
    assert none["sentence"] == "Not run: the study has no search for hyper-parameters."
    assert on_trials(trials(e8_4=[None]))["sentence"] == "Not run: no trial came to its end."


def test_null_trials_are_called_reproduced_at_the_stated_level():
    draws = np.exp(np.random.default_rng(11).normal(0, 0.3, (500, 20)))
    one, claim = trials(e8_4_2=[1.0] * 6, e8_4=[1.0] * 14), claims(it=TRIALS)["it"]
    table = pd.concat([one.assign(dataset=f"d{i}", test_nll=draw) for i, draw in enumerate(draws)])
    each = {
        f"d{i}": claim.model_copy(update={"figure": i + 1, "data": [f"d{i}"], "elsewhere": False})
        for i in range(len(draws))
    }
    verdicts = decide({"trials": table}, STUDY, each)["verdict"].tolist()
    assert 5 < verdicts.count("reproduced") <= most(500)
