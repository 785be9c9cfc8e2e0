"""Verdicts where runs diverge or stop at the cap of epochs, and where nothing was pruned."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.study.claims.invented import DIVERGES, HIGH, LESS, NOISE, SAME, SHARE, claims, evaluate, runs, verdict
from zipo.study.claims.numbers import LOSS
from zipo.study.claims.t_tests import interval, p_greater

LOW = [value - 0.3 + noise for value, noise in zip(HIGH, NOISE, strict=True)]


def sign_test(successes: int, count: int) -> float:
    return stats.binomtest(successes, count, 0.5, alternative="greater").pvalue


@pytest.mark.parametrize(
    ("of", "than", "less", "greater"),
    [
        ([None, *LOW[1:]], HIGH, 5, 1),  # it diverged where the other did not
        (LOW, [None, *HIGH[1:]], 6, 0),
        ([None, *LOW[1:]], [None, *HIGH[1:]], 5, 0),  # both diverged at a seed: no difference is known
        ([None] * 6, HIGH, 0, 6),
        ([None] * 6, [None] * 6, 0, 0),
    ],
)
def test_a_run_that_diverged_has_the_worst_loss(of, than, less, greater):
    table = runs(**{"a0.1": than, "a1": of})
    row = verdict(table, **LESS)
    assert row["p"] == pytest.approx(sign_test(less, 6))
    assert verdict(table, **LESS | {"direction": "greater"})["p"] == pytest.approx(sign_test(greater, 6))
    diverged = sum(value is None for value in [*of, *than])
    assert (row["pairs"], row["diverged"], row["runs"]) == (6, diverged, 12)
    assert f"{diverged} of 12 runs diverged and count as the worst; medians are tested." in row["sentence"]


def test_an_unstable_setting_is_not_flattered():
    """Leaving its diverged runs out would show that it is better; so would it that both are the same."""
    of = [None, None, None, *LOW[3:]]
    table = runs(**{"a0.1": HIGH, "a1": of})
    assert stats.ttest_rel(LOW[3:], HIGH[3:], alternative="less").pvalue < 0.01
    assert verdict(table, **LESS)["verdict"] == "undecided"
    alike = runs(**{"a0.1": HIGH, "a1": [None, None, None, *HIGH[3:]]})
    assert verdict(alike, **SAME)["p"] == pytest.approx(sign_test(3, 6))


def test_other_measures_of_runs_that_diverged_are_left_out():
    table = runs("pruned_0.1_kept", **{"a0.1": HIGH, "a1": [None, *LOW[1:]]})
    row = verdict(table, **LESS | {"measure": "pruned_0.1_kept"})
    assert row["p"] == pytest.approx(stats.ttest_rel(LOW[1:], HIGH[1:], alternative="less").pvalue)
    assert (row["pairs"], row["diverged"]) == (5, 1)
    assert "1 of 12 runs diverged and are left out." in row["sentence"]
    assert [bool(LOSS.fullmatch(name)) for name in ("test_nll", "pruned_0.1_test_nll", "epochs", "nmi")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_the_sign_test_and_its_interval():
    values = np.array([3.0, -1.0, math.inf, 4.0, math.inf, 0.5, 2.0, 7.0, math.nan, 6.0, 5.0, 1.0])
    assert p_greater(values, 2.5) == pytest.approx(sign_test(7, 12))
    assert p_greater(-values, -2.5) == pytest.approx(sign_test(4, 12))
    # the third lowest and highest of twelve: 2 or fewer on one side of the median have a chance of 1.9 %
    assert stats.binom.cdf([2, 3], 12, 0.5) == pytest.approx([0.019, 0.073], abs=1e-3)
    assert interval(values) == (0.5, math.inf)  # with NaN as the lowest, and as the highest
    assert interval(np.append(np.arange(1.0, 12.0), math.inf)) == (3.0, 10.0)
    assert interval(np.array([1.0, 2.0, math.inf])) == (-math.inf, math.inf)  # three seeds bound no median


@pytest.mark.parametrize("entry", [LESS, SAME, SHARE | {"bound": 100.0}])
def test_epochs_of_runs_that_stopped_at_the_cap_decide_nothing(entry):
    table = runs("epochs", **{"a0.1": [50.0] * 6, "a1": [20.0] * 6})
    entry = entry | {"measure": "epochs"} | ({"smallest_effect": {"absolute": 40.0}} if entry is not SHARE else {})
    entry = {key: value for key, value in entry.items() if key != "smallest_effect" or entry["kind"] != "share"}
    assert verdict(table, **entry)["verdict"] != "undecided"
    table.loc[(table["setting"] == "a1") & (table["seed"] == 2), "stopped_by"] = "max_epochs"
    row = verdict(table, **entry)
    assert (row["verdict"], row["capped"]) == ("undecided", 1)
    assert math.isnan(row["p"])
    assert math.isnan(row["ci_low"])
    assert "stopped at the cap of epochs, so that what they would need is not known." in row["sentence"]


def test_losses_of_runs_that_stopped_at_the_cap_are_tested_and_told():
    table = runs(**{"a0.1": HIGH, "a1": LOW}).assign(stopped_by="max_epochs")
    row = verdict(table, **LESS)
    assert (row["verdict"], row["capped"]) == ("reproduced", 12)
    assert "12 of 12 runs stopped at the cap of epochs." in row["sentence"]


PRUNED = {key: value for key, value in SAME.items() if key != "than"} | {
    "measure": "pruned_0.1_test_nll", "than_measure": "test_nll",
    "provided": {"measure": "pruned_0.1_kept", "within": {"at_most": 0.1}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "change", "expected"),
    [(0.02, 0.0, "reproduced"), (0.95, 0.0, "not reproduced"), (0.02, 0.5, "not reproduced")],
)
def test_pruning_that_prunes_nothing_keeps_no_loss(kept, change, expected):
    table = runs(a1=HIGH).assign(
        **{"pruned_0.1_test_nll": np.array(HIGH) + change + NOISE / 100, "pruned_0.1_kept": kept + NOISE / 10}
    )
    row = verdict(table, **PRUNED)
    assert (row["verdict"], row["tests"]) == (expected, 2)
    level = stats.ttest_1samp(kept + NOISE / 10, 0.1, alternative="less").pvalue
    alone = verdict(table, **{key: value for key, value in PRUNED.items() if key != "provided"})
    assert row["p"] == pytest.approx(max(level, alone["p"]))
    if kept > 0.1:
        assert row["measure"] == "pruned_0.1_kept"
        assert row["sentence"].startswith(
            "pruned_0.1_kept at alpha_z 1 is 0.95, which the claim requires to be less than 0.1 (95 % CI 0.9"
        )


def test_outliers_are_counted_beyond_a_multiple_of_the_others_median():
    entry = DIVERGES | {"bound": 0.05, "times": 2, "measure": "test_nll", "than": {"alpha_z": 0.1}}
    others = [10.0, 11.0, 9.0, 10.0, None, 10.0, 10.0, 12.0]
    outlying = [10.0, 35.0, None, 9.0, 20.0, 20.1, 11.0, 10.0]  # three beyond 20
    evidence = evaluate(runs(**{"a0.1": others, "a1": outlying}), **entry)
    assert evidence.p == pytest.approx(stats.binomtest(3, 8, 0.05, alternative="greater").pvalue)
    row = verdict(runs(**{"a0.1": others, "a1": outlying}), **entry)
    assert row["verdict"] == "reproduced"
    assert row["sentence"].startswith(
        "3 of 8 runs diverged or exceed 2 times the median test_nll at alpha_z 0.1, at alpha_z 1 (95 % CI"
    )


def test_convergence_is_claimed_as_well():
    row = verdict(runs(a1=[1.0] * 6), **DIVERGES | {"direction": "less"})
    assert (row["verdict"], row["p"]) == ("reproduced", pytest.approx(0.5**6))
    assert "that fewer than 0.5 do" in row["sentence"]
    assert verdict(runs(a1=[None] * 6), **DIVERGES | {"direction": "less"})["verdict"] == "not reproduced"


def test_a_level_between_two_bounds():
    entry = {key: value for key, value in SHARE.items() if key not in ("direction", "bound")}
    entry |= {"within": {"at_least": 0.4, "at_most": 0.5}}
    values = np.array([0.44, 0.46, 0.45, 0.47])
    row = verdict(runs("pruned_0.0001_kept", a1=list(values)), **entry)
    sides = [
        stats.ttest_1samp(values, 0.4, alternative="greater").pvalue,
        stats.ttest_1samp(values, 0.5, alternative="less").pvalue,
    ]
    assert (row["verdict"], row["p"]) == ("reproduced", pytest.approx(max(sides)))
    assert "to be between 0.4 and 0.5" in row["sentence"]
    for far in (-0.4, 0.4):
        low = verdict(runs("pruned_0.0001_kept", a1=list(values + far)), **entry)
        assert low["verdict"] == "not reproduced"


def test_new_cells_have_a_wider_interval():
    table = runs(**{"a0.1": HIGH, "a1": LOW})  # ten test cells to forty that are trained on
    row = verdict(table, **LESS)
    half, wider = (row["ci_high"] - row["ci_low"]) / 2, (row["ci_high_new_cells"] - row["ci_low_new_cells"]) / 2
    assert wider / half == pytest.approx(np.sqrt((1 / 6 + 1 / 4) / (1 / 6)))  # Nadeau and Bengio's variance
    assert row["ci_low_new_cells"] + wider == pytest.approx(row["effect"])


def test_what_the_seeds_can_show_is_stated():
    from statsmodels.stats.power import TTestPower

    differences = np.array([-0.5, 0.1, -0.2, 0.3])
    row = verdict(runs(**{"a0.1": HIGH[:4], "a1": list(np.array(HIGH[:4]) + differences)}), **LESS)
    spread = differences.std(ddof=1)
    actual = TTestPower().solve_power(None, nobs=4, alpha=0.05, power=0.8, alternative="larger") * spread
    assert row["detectable"] == pytest.approx(actual, rel=1e-5)
    ends = spread * np.sqrt(3 / stats.chi2.ppf([0.975, 0.025], 3))

    def needed(spread):
        solve = TTestPower().solve_power
        candidates = [abs(differences.mean()), 0.1 - abs(differences.mean())]  # the effect, or that it is too small
        return min(math.ceil(solve(each / spread, alpha=0.05, power=0.8, alternative="larger")) for each in candidates)

    assert (row["seeds_needed_low"], row["seeds_needed_high"]) == (max(5, needed(ends[0])), needed(ends[1]))
    assert f"4 seeds show effects of {actual:.3g} with a power of 80 %" in row["sentence"]


def test_more_seeds_than_anyone_trains_are_not_counted_in_words():
    from statsmodels.stats.power import TTestPower

    differences = np.array([-1.05, 0.95, -1.05, 0.95])  # half of what matters, beside a spread of more than 1
    row = verdict(runs(**{"a0.1": HIGH[:4], "a1": list(np.array(HIGH[:4]) + differences)}), **LESS)
    standard = 0.05 / differences.std(ddof=1)
    needed = math.ceil(TTestPower().solve_power(standard, alpha=0.05, power=0.8, alternative="larger"))
    assert row["seeds_needed"] == pytest.approx(needed, abs=1)
    assert needed > 1000
    assert row["sentence"].endswith(" If things are as seen, 1,000 seeds would not decide it.")


def test_data_sets_that_the_paper_does_not_speak_of_are_marked():
    table = pd.concat([runs(dataset=name, **{"a0.1": HIGH, "a1": LOW}) for name in ("a", "b")], ignore_index=True)
    from tests.study.claims.invented import STUDY
    from zipo.study.claims.verdicts import decide

    study = {**STUDY, "experiments": {"alpha_z": {"datasets": ["a", "b"], "base": {"alpha_z": 0.1}}}}
    both = decide({"runs": table}, study, claims(it=LESS | {"data": ["b", "c"]}))
    assert both["dataset"].tolist() == ["a", "b"]
    assert both["papers_data"].tolist() == [False, True]
    alone = decide({"runs": table}, study, claims(it=LESS | {"data": ["b", "c"], "elsewhere": False}))
    assert alone["dataset"].tolist() == ["b"]
