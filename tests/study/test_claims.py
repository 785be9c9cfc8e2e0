"""Verdicts on invented runs whose answers are known, and the errors of a claim that will not do."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from zipo.errors import InputError
from zipo.study.claim import CLAIMS, Claim
from zipo.study.claims import COLUMNS, VERDICTS, decide
from zipo.study.claims_page import write_page
from zipo.study.config import check, load, load_claims
from zipo.study.paired import holm
from zipo.study.settings import base_settings

CONFIG = Path(__file__).parents[2] / "config"
STUDY = {"title": "t", "experiments": {"alpha_z": {"datasets": ["a"], "base": {"alpha_z": 0.1}}}, "left_out": []}
LESS = {
    "figure": 8, "section": "III-D", "claim": "One is less.", "experiment": "alpha_z", "kind": "difference",
    "measure": "test_nll", "of": {"alpha_z": 1}, "direction": "less", "than": {"alpha_z": 0.1},
    "smallest_effect": {"absolute": 0.1},
}  # fmt: skip
SAME = {key: value for key, value in LESS.items() if key != "direction"} | {"kind": "equivalence"}
TREND = {
    "figure": 8, "section": "III-D", "claim": "It falls.", "experiment": "alpha_z", "kind": "trend",
    "measure": "test_nll", "over": "alpha_z", "direction": "less", "smallest_effect": {"absolute": 0.1},
}  # fmt: skip
SHARE = {
    "figure": 10, "section": "III-E", "claim": "Few are kept.", "experiment": "alpha_z", "kind": "share",
    "measure": "pruned_0.0001_kept", "of": {"alpha_z": 1}, "direction": "less", "bound": 0.05,
}  # fmt: skip
DIVERGES = {
    "figure": 7, "section": "III-C", "claim": "It diverges.", "experiment": "alpha_z", "kind": "divergence",
    "of": {"alpha_z": 1},
}  # fmt: skip


def claims(**entries) -> dict[str, Claim]:
    return check(CLAIMS, entries, "claims.yaml")


def runs(measure: str = "test_nll", dataset: str = "a", **settings) -> pd.DataFrame:
    """A table of one experiment: for each value of alpha_z, written a0.1 or a1, its numbers by seed; None diverged."""
    rows = [
        {
            "experiments": "first_layer,alpha_z", "dataset": dataset, "setting": name, "alpha_z": float(name[1:]),
            "likelihood": "zip", "seed": seed, "status": "diverged" if value is None else "ok",
            measure: math.nan if value is None else value,
        }
        for name, values in settings.items()
        for seed, value in enumerate(values, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def verdict(table: pd.DataFrame, **entry) -> pd.Series:
    return decide(table, STUDY, claims(it=entry)).iloc[0]


HIGH = [2.0, 3.1, 2.5, 4.0, 3.3, 2.2]  # seeds differ by far more than settings: only pairs can tell
NOISE = np.array([0.01, -0.02, 0.005, 0.015, -0.01, 0.0])


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
    assert row["sentence"].endswith(f"If things are as seen, {needed(0.2)} seeds would decide it.")
    alone = verdict(runs(**{"a0.1": HIGH[:1], "a1": [1.0]}), **LESS)
    assert alone["verdict"] == "undecided"
    assert "a test needs two" in alone["sentence"]


def test_a_pair_with_a_diverged_run_is_left_out_and_counted():
    low = [value - 0.3 + noise for value, noise in zip(HIGH, NOISE, strict=True)]
    whole = runs(**{"a0.1": HIGH[1:], "a1": low[1:]})
    row = verdict(runs(**{"a0.1": HIGH, "a1": [None, *low[1:]]}), **LESS)
    assert (row["pairs"], row["diverged"], row["runs"]) == (5, 1, 12)
    numbers = ["p", "effect", "mean_of", "mean_than", "p_welch"]
    assert row[numbers].tolist() == pytest.approx(verdict(whole, **LESS)[numbers].tolist())
    assert "1 of 12 runs diverged and are left out" in row["sentence"]
    none_left = verdict(runs(**{"a0.1": HIGH, "a1": [None] * 6}), **LESS)
    assert (none_left["verdict"], none_left["pairs"], none_left["diverged"]) == ("undecided", 0, 6)


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
        ({"dataset": "liver"}, "experiment alpha_z ran on a, not on liver"),
        ({"dataset": "rosmap"}, "data set rosmap was left out: access to it is controlled"),
        ({"measure": "ari"}, "no run has ari"),
    ],
)
def test_what_was_not_run_is_named(change, reason):
    study = STUDY | {"left_out": ["rosmap"]}
    table = decide(runs(**{"a0.1": HIGH, "a1": HIGH}), study, claims(it=LESS | change))
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
    found = decide(table, study, claims(one=LESS, two=SAME, other=LESS | {"figure": 9, "dataset": "a"}))
    assert found["dataset"].tolist() == ["a", "b", "a", "b", "a"]
    assert found["p_holm"][:4].tolist() == pytest.approx(holm(found["p"][:4]).tolist())
    assert found["p_holm"][4] == found["p"][4]


def decide_each(seeds: np.ndarray) -> pd.DataFrame:
    """The claim decided on many experiments, seeds (experiments, seeds, 2), each a data set and a figure of its own."""
    names = [f"d{i}" for i in range(len(seeds))]
    tables = [
        runs(dataset=name, **{"a0.1": pair[:, 0], "a1": pair[:, 1]}) for name, pair in zip(names, seeds, strict=True)
    ]
    study = {**STUDY, "experiments": {"alpha_z": {"datasets": names, "base": {}}}}
    claim = claims(it=LESS)["it"]
    each = {name: claim.model_copy(update={"figure": i + 1, "dataset": name}) for i, name in enumerate(names)}
    return decide(pd.concat(tables, ignore_index=True), study, each)


def most(count: int) -> int:
    """99.9 % of binomial counts at the stated level do not exceed this."""
    return int(stats.binom.ppf(0.999, count, 0.05))


def test_null_tables_are_called_reproduced_at_the_stated_level():
    rng = np.random.default_rng(7)
    seeds = rng.normal(3, 1, (1000, 8, 1)) + rng.normal(0, 0.2, (1000, 8, 2))  # no effect; seeds vary more than runs
    found = decide_each(seeds)
    expected = stats.ttest_rel(seeds[:, :, 1], seeds[:, :, 0], axis=1, alternative="less").pvalue
    assert found["p"].to_numpy() == pytest.approx(expected)
    reproduced = int((found["verdict"] == "reproduced").sum())
    assert stats.binom.ppf(0.001, 1000, 0.05) <= (found["p_holm"] <= 0.05).sum() <= most(1000)
    assert 20 < reproduced <= most(1000)  # fewer than 5 %, as differences too small to matter do not count


def test_an_effect_that_just_matters_is_refuted_at_no_more_than_the_stated_level():
    rng = np.random.default_rng(8)
    seeds = rng.normal(3, 1, (200, 8, 1)) + rng.normal(0, 0.05, (200, 8, 2)) - np.array([0, 0.1])
    found = decide_each(seeds)
    assert 0 < (found["verdict"] == "not reproduced").sum() <= most(200)
    assert (found["verdict"] == "reproduced").sum() > 150


def test_a_family_of_null_claims_is_corrected_as_a_whole():
    rng = np.random.default_rng(9)
    p = stats.ttest_1samp(rng.normal(size=(1000, 10, 6)), 0, axis=2, alternative="greater").pvalue
    families = sum(bool((holm(family) <= 0.05).any()) for family in p)
    assert stats.binom.ppf(0.001, 1000, 0.05) * 0.9 <= families <= most(1000)


@pytest.fixture(scope="module")
def demo() -> dict:
    study = load(yaml.safe_load((CONFIG / "demo.yaml").read_text()), "demo.yaml", CONFIG)
    experiments = {
        name: {"datasets": study.datasets_of(name), "base": base} for name, base in base_settings(study).items()
    }
    return {"title": study.file.title, "experiments": experiments, "left_out": study.left_out}


def test_the_papers_claims_cover_its_figures(demo):
    catalogue = load_claims(CONFIG / "claims.yaml")
    assert {claim.figure for claim in catalogue.values()} == {None, *range(3, 17)}
    assert demo["experiments"]["first_layer"]["base"]["residuals"] == "none"
    assert demo["experiments"]["first_layer"]["base"]["first_layer"] == 256
    nothing = pd.DataFrame({"experiments": [], "dataset": []})
    table = decide(nothing, demo, catalogue)
    assert set(table["id"]) == set(catalogue)
    assert (table["verdict"] == "not run").all()
    assert list(table.columns) == COLUMNS


def test_a_new_claim_is_one_entry(tmp_path):
    file = tmp_path / "claims.yaml"
    text = (CONFIG / "claims.yaml").read_text()
    file.write_text(text + yaml.safe_dump({"a_new_one": LESS | {"claim": "A new one."}}))
    table = decide(runs(**{"a0.1": HIGH, "a1": list(np.array(HIGH) - 0.3 + NOISE)}), STUDY, load_claims(file))
    new = table.set_index("id").loc["a_new_one"]
    assert (new["claim"], new["effect"]) == ("A new one.", pytest.approx(-0.3))


def test_the_page_shows_every_claim_with_its_verdict(tmp_path):
    entries = claims(
        won=LESS, lost=LESS | {"direction": "greater"}, absent=LESS | {"experiment": "<none>"},
        open=LESS | {"smallest_effect": {"absolute": 9}, "than": {"alpha_z": 10}, "figure": None},
    )  # fmt: skip
    table = decide(runs(**{"a0.1": HIGH, "a1": list(np.array(HIGH) - 0.3 + NOISE), "a10": HIGH[::-1]}), STUDY, entries)
    target = tmp_path / "claims.html"
    write_page(table, "A study & more", target)
    page = target.read_text()
    counted = [
        page.count(f" {word}</span>") - (word == "reproduced") * page.count("not reproduced</span>")
        for word in VERDICTS
    ]
    assert counted == [(table["verdict"] == word).sum() for word in VERDICTS]
    assert "A study &amp; more" in page
    assert "&lt;none&gt;" in page
    assert page.count("<h2>") == 2
    assert "http" not in page
    assert [file.name for file in tmp_path.iterdir()] == ["claims.html"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"measure": "test_nil"},
            r"c\.yaml: it\.difference\.measure: 'test_nil' will not do: .*did you mean 'test_nll'",
        ),
        ({"of": {"alfa_z": 1}}, r"it\.difference\.of: .*unknown column 'alfa_z'; did you mean 'alpha_z'"),
        ({"direcshun": "less"}, r"it\.difference\.direcshun: unknown key 'direcshun'; did you mean 'direction'"),
        ({"direction": "smaller"}, r"it\.difference\.direction: 'smaller' will not do: .*'less' or 'greater'"),
        ({"kind": "diference"}, r"c\.yaml: it: .*'difference', 'equivalence', 'trend', 'share', 'divergence'"),
        ({"smallest_effect": {}}, r"it\.difference\.smallest_effect: .*either relative or absolute"),
        ({"than_measure": "epochs"}, r"it\.difference: .*give than or than_measure, and not both"),
    ],
)
def test_a_claim_that_will_not_do_is_refused(tmp_path, change, problem):
    file = tmp_path / "c.yaml"
    file.write_text(yaml.safe_dump({"it": LESS | change}))
    with pytest.raises(InputError, match=problem):
        load_claims(file)
