"""Verdicts on invented runs whose answers are known."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.study.claims.invented import (
    DIVERGES,
    HIGH,
    LESS,
    NOISE,
    SAME,
    SHARE,
    STUDY,
    TREND,
    claims,
    most,
    runs,
    verdict,
)
from zipo.study.claims.t_tests import holm
from zipo.study.claims.verdicts import decide


def test_a_clear_win():
    low = list(np.array(HIGH) - 0.3 + NOISE)
    row = verdict(runs(**{"a0.1": HIGH, "a1": low}), **LESS)
    assert row["verdict"] == "reproduced"
    paired = stats.ttest_rel(low, HIGH, alternative="less")
    assert (row["p"], row["p_holm"]) == pytest.approx((paired.pvalue, paired.pvalue))
    assert row["p_welch"] == pytest.approx(stats.ttest_ind(low, HIGH, equal_var=False, alternative="less").pvalue)
    assert row["p_welch"] > 0.05
    interval = stats.ttest_rel(low, HIGH).confidence_interval(0.95)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(interval))
    assert row["effect"] == pytest.approx(-0.3)
    assert (row["mean_of"], row["mean_than"], row["pairs"]) == pytest.approx((np.mean(low), np.mean(HIGH), 6))
    assert "test_nll is 2.55 at alpha_z 1 and 2.85 at alpha_z 0.1: -0.3" in row["sentence"]


def test_a_relative_effect_is_a_ratio_of_geometric_means():
    low = list(np.array(HIGH) * 0.8 * np.exp(NOISE))
    row = verdict(runs(**{"a0.1": HIGH, "a1": low}), **LESS | {"smallest_effect": {"relative": 0.05}})
    assert row["verdict"] == "reproduced"
    assert row["effect"] == pytest.approx(0.8 - 1)
    assert row["p"] == pytest.approx(stats.ttest_rel(np.log(low), np.log(HIGH), alternative="less").pvalue)
    assert row["smallest_effect"] == pytest.approx(0.05)


def test_a_clear_loss():
    row = verdict(runs(**{"a0.1": HIGH, "a1": list(np.array(HIGH) + 0.3 + NOISE)}), **LESS)
    assert row["verdict"] == "not reproduced"
    assert row["sentence"].endswith("The opposite is shown.")


@pytest.mark.parametrize("entry", [LESS, SHARE | {"measure": "test_nll", "bound": 2.5, "of": {"alpha_z": 1}}])
def test_a_claim_that_is_not_reproduced_names_the_page_that_says_why(entry):
    entry = entry | {"explained": "sparsity.md"}
    lost = verdict(runs(**{"a0.1": HIGH, "a1": [value + 2 for value in NOISE + np.array(HIGH)]}), **entry)
    assert lost["verdict"] == "not reproduced"
    assert lost["sentence"].endswith(" Why: docs/sparsity.md.")
    won = verdict(runs(**{"a0.1": HIGH, "a1": [value - 2 for value in NOISE + np.array(HIGH)]}), **entry)
    assert won["verdict"] == "reproduced"
    assert "docs/" not in won["sentence"]


def test_a_tie_within_the_margin():
    table = runs(**{"a0.1": HIGH, "a1": list(np.array(HIGH) + NOISE)})
    row = verdict(table, **LESS)
    assert row["verdict"] == "not reproduced"
    assert row["sentence"].endswith("Any difference is smaller than that.")
    assert verdict(table, **SAME)["verdict"] == "reproduced"
    # a difference that is there, but smaller than what matters, does not reproduce the claim either
    small = runs(**{"a0.1": HIGH, "a1": list(np.array(HIGH) - 0.03 + NOISE)})
    row = verdict(small, **LESS)
    assert row["p"] < 0.05
    assert row["verdict"] == "not reproduced"


def test_equivalence_is_refuted_by_a_difference_that_matters():
    table = runs(**{"a0.1": HIGH, "a1": list(np.array(HIGH) + 0.3 + NOISE)})
    row = verdict(table, **SAME)
    assert row["verdict"] == "not reproduced"
    assert row["sentence"].endswith("The difference is larger than that.")
    assert verdict(table, **SAME | {"direction": "no_greater"})["verdict"] == "not reproduced"
    assert verdict(table, **SAME | {"direction": "no_less"})["verdict"] == "reproduced"


def test_too_few_seeds_say_how_many_would_do():
    differences = np.array([-0.5, 0.1, -0.2])
    row = verdict(runs(**{"a0.1": HIGH[:3], "a1": list(np.array(HIGH[:3]) + differences)}), **LESS)
    assert row["verdict"] == "undecided"
    from statsmodels.stats.power import TTestPower

    def needed(effect):
        standard = effect / differences.std(ddof=1)
        return math.ceil(TTestPower().solve_power(standard, alpha=0.05, power=0.8, alternative="larger"))

    assert row["seeds_needed"] == needed(0.2)
    assert row["seeds_for_smallest"] == needed(0.1)
    assert f"If things are as seen, {needed(0.2)} seeds would decide it, or " in row["sentence"]
    alone = verdict(runs(**{"a0.1": HIGH[:1], "a1": [1.0]}), **LESS)
    assert alone["verdict"] == "undecided"
    assert alone["sentence"].endswith("from 1 seed; a test needs two.")


@pytest.mark.parametrize(
    ("values", "expected"),
    [([None] * 6, "reproduced"), ([1.0] * 6, "not reproduced"), ([None, 1.0, None], "undecided")],
)
def test_divergence_is_counted(values, expected):
    row = verdict(runs(a1=values), **DIVERGES)
    assert row["verdict"] == expected
    failed = sum(value is None for value in values)
    exact = stats.binomtest(failed, len(values), 0.5, alternative="greater").pvalue
    assert row["p"] == pytest.approx(exact)
    assert f"{failed} of {len(values)} runs diverged" in row["sentence"]


def test_a_level_against_its_bound():
    kept = [0.02, 0.025, 0.018, 0.021]
    row = verdict(runs("pruned_0.0001_kept", a1=kept), **SHARE)
    assert row["verdict"] == "reproduced"
    assert row["p"] == pytest.approx(stats.ttest_1samp(kept, 0.05, alternative="less").pvalue)
    assert verdict(runs("pruned_0.0001_kept", a1=[0.9, 0.92, 0.95]), **SHARE)["verdict"] == "not reproduced"
    row = verdict(runs("pruned_0.001_kept", a1=kept), **SHARE)
    assert row["sentence"] == "Not run: 0.0001 is not among the study's prune_thresholds."


def test_a_trend_is_a_test_of_the_seeds_slopes():
    seeds = np.array(HIGH)[:, None] - np.array([0, 0.1, 0.2, 0.3]) + 0.03 * np.random.default_rng(1).normal(size=(6, 4))
    table = runs(**{f"a{value}": list(seeds[:, i]) for i, value in enumerate((0.1, 1, 10, 1e8))})
    row = verdict(table, **TREND)
    slopes = np.array([stats.linregress(range(4), seed).slope for seed in seeds])
    assert row["p"] == pytest.approx(stats.ttest_1samp(slopes, 0, alternative="less").pvalue)
    assert row["effect"] == pytest.approx(3 * slopes.mean())
    assert row["verdict"] == "reproduced"
    assert verdict(table, **TREND | {"direction": "greater"})["verdict"] == "not reproduced"
    short = verdict(table, **TREND | {"where": {"alpha_z": {"at_most": 1}}})
    assert short["sentence"] == "Not run: a trend needs at least 3 values of alpha_z; there are 2."


def test_scatter_is_a_test_of_the_distances_from_the_median():
    entry = LESS | {"kind": "spread", "direction": "greater"}
    wide = [2.0, 4.0, 3.0, 5.1, 1.0, 3.1]
    narrow = [7.0, 7.2, 6.9, 7.1, 7.05, 6.95]
    row = verdict(runs(**{"a0.1": narrow, "a1": wide}), **entry)
    x, y = np.abs(np.array(wide) - 3.05), np.abs(np.array(narrow) - 7.025)
    assert row["p"] == pytest.approx(stats.ttest_rel(x, y, alternative="greater").pvalue)
    assert (row["verdict"], row["mean_of"], row["mean_than"]) == (
        "reproduced",
        pytest.approx(x.mean()),
        pytest.approx(y.mean()),
    )
    assert verdict(runs(**{"a0.1": wide, "a1": narrow}), **entry)["sentence"].endswith("The opposite is shown.")
    alike = verdict(runs(**{"a0.1": narrow, "a1": list(np.array(narrow) + 3 + NOISE)}), **entry)
    assert alike["sentence"].endswith("Any difference is smaller than that.")
    # with a relative effect, distances are of logarithms, so that a factor changes nothing
    entry |= {"smallest_effect": {"relative": 0.01}}
    assert verdict(runs(**{"a0.1": narrow, "a1": list(np.array(narrow) * 9)}), **entry)["verdict"] == "not reproduced"
    assert verdict(runs(**{"a0.1": narrow, "a1": [None] * 6}), **entry)["verdict"] == "undecided"


def test_several_settings_must_all_hold_a_claim():
    low, middle = np.array(HIGH) - 0.3 + NOISE, np.array(HIGH) - 0.25 - NOISE
    table = runs(**{"a0.1": HIGH, "a1": list(low), "a10": list(middle)})
    row = verdict(table, **LESS | {"of": {"alpha_z": [1, 10]}})
    singles = [stats.ttest_rel(values, HIGH, alternative="less").pvalue for values in (low, middle)]
    assert (row["p"], row["tests"], row["of"]) == (pytest.approx(max(singles)), 2, "alpha_z 10")
    # than: all others if absent; over one of them the gain of 0.05 lost is too small to matter
    rest = {key: value for key, value in LESS.items() if key != "than"} | {"of": {"alpha_z": 10}}
    row = verdict(table, **rest)
    assert (row["verdict"], row["tests"], row["than"]) == ("not reproduced", 2, "alpha_z 1")
    # against the claim, the smallest p counts as often as there are comparisons
    opposite = [verdict(table, **rest | {"than": {"alpha_z": value}})["p_against"] for value in (0.1, 1)]
    assert row["p_against"] == pytest.approx(min(1, 2 * min(opposite)))


@pytest.mark.parametrize(
    ("of", "than", "labels"),
    [
        ("largest", "smallest", ("alpha_z 10", "alpha_z 0.1")),
        (1, "base", ("alpha_z 1", "alpha_z 0.1")),
        ({"at_least": 5}, {"at_least": 0.5, "at_most": 1}, ("alpha_z 10", "alpha_z 1")),
    ],
)
def test_settings_are_picked_by_words_values_and_ranges(of, than, labels):
    table = runs(**{"a1": HIGH, "a0.1": HIGH, "a10": HIGH})
    row = verdict(table, **LESS | {"of": {"alpha_z": of}, "than": {"alpha_z": than}})
    assert (row["of"], row["than"]) == labels


def test_a_measure_before_and_after_pruning():
    table = runs(a1=HIGH).assign(**{"pruned_0.1_test_nll": np.array(HIGH) + 0.5 + NOISE})
    entry = {key: value for key, value in LESS.items() if key != "than"}
    entry |= {"measure": "pruned_0.1_test_nll", "than_measure": "test_nll", "direction": "greater"}
    row = verdict(table, **entry)
    assert (row["verdict"], row["effect"]) == ("reproduced", pytest.approx(0.5))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"of": {"alpha_z": 7}}, "no run has alpha_z 7; there are 0.1, 1"),
        ({"where": {"alpha_z": 1, "likelihood": "zinb"}}, "no run has likelihood zinb; there are zip"),
        ({"where": {"variant": "dca"}}, "no run has variant"),
        ({"of": {"alpha_z": [0.1, 1]}, "than": {}}, "no run"),
        ({"experiment": "alpha_w"}, "experiment alpha_w is not part of the study"),
        (
            {"data": ["liver"], "elsewhere": False},
            "experiment alpha_z is on a, and the paper says it of liver alone",
        ),
        ({"data": ["rosmap"], "elsewhere": False}, "data set rosmap was left out: access to it is controlled"),
        ({"measure": "ari"}, "no run has ari"),
    ],
)
def test_what_was_not_run_is_named(change, reason):
    study = STUDY | {"left_out": ["rosmap"]}
    table = decide({"runs": runs(**{"a0.1": HIGH, "a1": HIGH})}, study, claims(it=LESS | change))
    assert table["verdict"].tolist() == ["not run"]
    assert table["sentence"].iloc[0].startswith(f"Not run: {reason}")


def test_values_that_have_no_ratio_are_no_crash():
    row = verdict(runs(**{"a0.1": HIGH, "a1": [0.0, *HIGH[1:]]}), **LESS | {"smallest_effect": {"relative": 0.1}})
    assert row["sentence"].startswith("Not run: test_nll has values that are not positive")


def test_each_data_set_by_itself_and_holm_within_a_figure():
    study = {**STUDY, "experiments": {"alpha_z": {"datasets": ["a", "b"], "base": {"alpha_z": 0.1}}}}
    low = np.array(HIGH) - 0.3 + NOISE
    table = pd.concat(
        [runs(**{"a0.1": HIGH, "a1": list(low)}), runs(dataset="b", **{"a0.1": HIGH, "a1": list(low + 9 * NOISE)})],
        ignore_index=True,
    )
    rows = decide({"runs": table}, study, claims(one=LESS, two=SAME, other=LESS | {"figure": 9, "elsewhere": False}))
    assert rows["dataset"].tolist() == ["a", "b", "a", "b", "a"]
    assert rows["p_holm"][:4].tolist() == pytest.approx(holm(rows["p"][:4]).tolist())
    assert rows["p_holm"][4] == rows["p"][4]


def decide_each(seeds: np.ndarray, **change) -> pd.DataFrame:
    """The claim decided on many experiments, seeds (experiments, seeds, 2), each a data set and a figure of its own."""
    names = [f"d{i}" for i in range(len(seeds))]
    tables = [
        runs(dataset=name, **{"a0.1": pair[:, 0], "a1": pair[:, 1]}) for name, pair in zip(names, seeds, strict=True)
    ]
    study = {**STUDY, "experiments": {"alpha_z": {"datasets": names, "base": {}}}}
    claim = claims(it=LESS | change)["it"]
    each = {
        name: claim.model_copy(update={"figure": i + 1, "data": [name], "elsewhere": False})
        for i, name in enumerate(names)
    }
    return decide({"runs": pd.concat(tables, ignore_index=True)}, study, each)


def test_null_tables_are_called_reproduced_at_the_stated_level():
    rng = np.random.default_rng(7)
    seeds = rng.normal(3, 1, (1000, 8, 1)) + rng.normal(0, 0.2, (1000, 8, 2))  # no effect; seeds vary more than runs
    rows = decide_each(seeds)
    expected = stats.ttest_rel(seeds[:, :, 1], seeds[:, :, 0], axis=1, alternative="less").pvalue
    assert rows["p"].to_numpy() == pytest.approx(expected)
    reproduced = int((rows["verdict"] == "reproduced").sum())
    assert stats.binom.ppf(0.001, 1000, 0.05) <= (rows["p_holm"] <= 0.05).sum() <= most(1000)
    assert 20 < reproduced <= most(1000)  # fewer than 5 %, as differences too small to matter do not count


def test_null_scatters_are_called_reproduced_at_the_stated_level():
    seeds = np.random.default_rng(10).normal(3, 1, (500, 12, 2))
    rows = decide_each(seeds, kind="spread", smallest_effect={"absolute": 0.01})
    assert 10 < (rows["verdict"] == "reproduced").sum() <= most(500)


def test_an_effect_that_just_matters_is_refuted_at_no_more_than_the_stated_level():
    rng = np.random.default_rng(8)
    seeds = rng.normal(3, 1, (200, 8, 1)) + rng.normal(0, 0.05, (200, 8, 2)) - np.array([0, 0.1])
    rows = decide_each(seeds)
    assert 0 < (rows["verdict"] == "not reproduced").sum() <= most(200)
    assert (rows["verdict"] == "reproduced").sum() > 150


def test_a_family_of_null_claims_is_corrected_as_a_whole():
    rng = np.random.default_rng(9)
    p = stats.ttest_1samp(rng.normal(size=(1000, 10, 6)), 0, axis=2, alternative="greater").pvalue
    families = sum(bool((holm(family) <= 0.05).any()) for family in p)
    assert stats.binom.ppf(0.001, 1000, 0.05) * 0.9 <= families <= most(1000)
