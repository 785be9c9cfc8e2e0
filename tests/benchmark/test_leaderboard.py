"""The leaderboard from an invented table of scores, against plain arithmetic, brute force and scipy."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zipo.benchmark import page as of_page
from zipo.benchmark.leaderboard import bootstrap, groups, leaderboard
from zipo.benchmark.ranks import ranks
from zipo.benchmark.scores import COLUMNS

# by split; lower is better
DEVIANCE = {
    "ours": [1.0, 1.2, 1.1, 0.9, 1.3],
    "peer": [0.8, 1.1, 0.9, 0.8, 1.2],
    "same": [1.3, 0.9, 1.1, 1.2, 1.0],  # the mean of ours
    "far": [3.0, 3.0, 3.0, 3.0, 3.0],
    "no_denoising": [0.1, 0.1, 0.1, 0.1, 0.1],
}
ARI = {"ours": [0.9] * 5, "peer": [0.5] * 5, "far": [0.7] * 5}  # higher is better; `same` has no latents


def row(method: str, metric: str | None, value: float, split: int, **changed) -> dict:
    actual = {"study": "s", "dataset": "d", "method": method, "parameters": "{}", "kind": "split", "split": split}
    actual |= {"seed": 1, "metric": metric, "value": value, "seconds": 2.0 * split, "peak_mb": 100.0}
    return actual | {"status": "ok", "reason": ""} | changed


def table(rows: list[dict]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


@pytest.fixture
def rows() -> list[dict]:
    actual = [
        row(method, metric, value, split)
        for metric, values in (("poisson_deviance", DEVIANCE), ("latent_ari", ARI))
        for method, series in values.items()
        for split, value in enumerate(series, start=1)
    ]
    return actual + [
        row(method, "false_correlations", value, 1, kind="permuted", seconds=50.0)
        for method, value in (("ours", 0.2), ("peer", 0.3), ("same", 0.2))
    ]


def body(actual: pd.DataFrame, facts: dict) -> str:
    return of_page.body(actual, ranks(actual, facts["controls"]), facts)


def by(actual: pd.DataFrame, metric: str) -> pd.DataFrame:
    return actual[actual["metric"] == metric].set_index("method")


def test_means_runs_and_cost_are_those_of_the_runs_behind_the_metric(rows):
    actual = leaderboard(table(rows), "ours", ["no_denoising"])
    deviance = by(actual, "poisson_deviance")
    for method, values in DEVIANCE.items():
        assert deviance.loc[method, "mean"] == pytest.approx(sum(values) / 5)
        assert deviance.loc[method, ["n", "seconds", "peak_mb"]].tolist() == [5, 6.0, 100.0]
    false = by(actual, "false_correlations")
    assert false.loc["ours", ["mean", "n", "seconds"]].tolist() == [0.2, 1, 50.0]
    assert set(by(actual, "latent_ari").index) == set(ARI)  # nobody is asked for a number he does not have


def test_ranks_go_by_the_better_end_ties_share_and_controls_have_none(rows):
    actual = leaderboard(table(rows), "ours", ["no_denoising"])
    ranks = by(actual, "poisson_deviance")["rank"]
    assert ranks[["peer", "ours", "same", "far"]].tolist() == [1, 2, 2, 4]
    assert pd.isna(ranks["no_denoising"])
    assert by(actual, "poisson_deviance").loc["no_denoising", "remark"] == "control"
    assert by(actual, "latent_ari")["rank"][["ours", "far", "peer"]].tolist() == [1, 2, 3]
    assert by(actual, "false_correlations")["rank"][["ours", "same", "peer"]].tolist() == [1, 1, 3]
    assert (by(actual, "poisson_deviance")["ranked"].dropna() == 4).all()


def test_what_rounding_alone_tells_apart_is_a_tie():
    values = {"ours": 3e-9, "peer": 1e-7, "far": 2e-5}
    actual = leaderboard(table([row(name, "mse_counts", value, 1) for name, value in values.items()]), "ours", [])
    assert actual.set_index("method")["rank"].to_dict() == {"ours": 1, "peer": 1, "far": 3}


def test_what_is_fixed_by_construction_is_shown_and_not_ranked(rows):
    shown = [row(method, "library_rmse", 0.1 * place, 1) for place, method in enumerate(("ours", "peer", "far"))]
    actual = leaderboard(table(rows + shown), "ours", ["no_denoising"])
    own = by(actual, "library_rmse")
    assert own["mean"].to_dict() == pytest.approx({"ours": 0, "peer": 0.1, "far": 0.2})
    assert own.loc["far", "difference"] == pytest.approx(0.2)
    assert own[["rank", "ranked"]].isna().all(axis=None)
    assert (own["beats"] == "").all()
    assert own["remark"].str.startswith("not ranked: 0 by construction").all()
    page = body(actual, about())
    assert "ours is first, alone or with others, in 2 of 3 comparisons" in page  # as without it
    shown = page[page.index(">Shown, not ranked") : page.index("The methods")]
    assert "library rmse" in shown
    assert "0 by construction where a method scales each cell" in shown
    assert "library rmse" not in page[page.index("Which method for what") : page.index(">Shown, not ranked")]


def test_controls_are_beaten_by_who_is_strictly_better_by_the_better_end(rows):
    """Deviance: peer .96, ours and same 1.1, far 3. ARI, where high is good: ours .9, far .7, peer .5."""
    extra = [row("mixed", "poisson_deviance", 1.1, split) for split in range(1, 6)]
    actual = leaderboard(table(rows + extra), "ours", ["no_denoising", "mixed", "peer"])
    beats = by(actual, "poisson_deviance")["beats"]
    assert beats.to_dict() == {
        "ours": "", "same": "", "far": "", "peer": "mixed", "mixed": "", "no_denoising": "mixed, peer",
    }  # fmt: skip
    assert by(actual, "latent_ari")["beats"].to_dict() == {"ours": "peer", "far": "peer", "peer": ""}
    bad = [row("bad", None, np.nan, 1, status="failed", reason="it broke")]
    assert (leaderboard(table(rows + bad), "ours", ["bad", "no_denoising"])["beats"] == "").all()


def test_the_page_says_who_beats_the_controls(rows):
    extra = [row("mixed", "poisson_deviance", 1.0, split) for split in range(1, 6)]
    controls = ["no_denoising", "mixed"]
    page = body(leaderboard(table(rows + extra), "ours", controls), about(controls=controls))
    part = page[page.index("Which methods beat the controls") : page.index("Where ours loses")]
    assert "<td>mixed 1</td><td>peer</td><td>ours, same, far</td>" in part
    assert "<td>no_denoising 0.1</td><td>\N{EN DASH}</td><td>peer, ours, same, far</td>" in part
    assert part.index("no_denoising 0.1") < part.index("mixed 1")
    choices = page[page.index("to predict the molecules") : page.index("Which methods beat the controls")]
    assert "<td>no method beats no_denoising</td>" in choices
    none = body(leaderboard(table(rows), "ours", []), about(controls=[]))
    assert "No control took part." in none


def test_intervals_are_those_of_every_possible_draw():
    values = np.array([0.3, 1.7, 0.9, 2.2, 1.1])
    means = [np.mean(draw) for draw in product(values, repeat=5)]
    expected = np.quantile(means, [0.025, 0.975])
    np.testing.assert_allclose(bootstrap(values), expected, atol=0.03)


def test_intervals_agree_with_scipy():
    values = np.random.default_rng(5).gamma(2, size=15)
    actual = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(2)).confidence_interval
    np.testing.assert_allclose(bootstrap(values), actual, rtol=0.02)


def test_few_runs_are_said_to_be_few(rows):
    few = table([r for r in rows if r["split"] <= 3])
    actual = by(leaderboard(few, "ours", []), "poisson_deviance").loc["ours"]
    assert actual[["low", "high"]].tolist() == [1.0, 1.2]
    assert actual["remark"] == "3 runs: the interval is their range"
    single = by(leaderboard(few, "ours", []), "false_correlations").loc["ours"]
    assert np.isnan(single["low"])
    assert single["remark"] == "one run: no interval"


def test_differences_are_paired_by_split_and_seed(rows):
    # a sixth split that the peer alone has counts for its mean, and for no difference
    actual = by(leaderboard(table([*rows, row("peer", "poisson_deviance", 99.0, 6)]), "ours", []), "poisson_deviance")
    differences = np.subtract(DEVIANCE["peer"], DEVIANCE["ours"])
    assert actual.loc["peer", "difference"] == pytest.approx(differences.mean())
    assert actual.loc["peer", "pairs"] == 5
    assert (actual.loc["peer", "n"], actual.loc["ours", "n"]) == (6, 5)
    assert actual.loc["peer", "difference_low"] == pytest.approx(-0.18, abs=0.03)
    assert actual.loc["peer", "difference_high"] < 0  # though the intervals of the means overlap
    assert pd.isna(actual.loc["ours", "difference"])


@pytest.mark.parametrize("status", ["failed", "timeout", "invalid", "unavailable"])
def test_a_method_that_went_wrong_has_status_and_reason_and_changes_no_other_row(rows, status):
    before = leaderboard(table(rows), "ours", ["no_denoising"])
    bad = [row("bad", None, np.nan, s, status=status, reason="it broke", seconds=np.nan) for s in (1, 2)]
    after = leaderboard(table(rows + bad), "ours", ["no_denoising"])
    others = after[after["method"] != "bad"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, before)
    own = after[after["method"] == "bad"]
    assert own["metric"].tolist() == ["latent_ari", "poisson_deviance"]
    assert set(own["status"]) == {status}
    assert set(own["reason"]) == {"it broke"}
    assert own[["mean", "low", "high", "rank", "difference"]].isna().all(axis=None)


def test_one_bad_run_of_several_leaves_no_numbers_and_other_metrics_alone(rows):
    bad = [r for r in rows if not (r["method"] == "peer" and r["split"] == 2 and r["kind"] == "split")]
    bad.append(row("peer", None, np.nan, 2, status="timeout", reason="not finished after 9 seconds"))
    actual = leaderboard(table(bad), "ours", [])
    peer = by(actual, "poisson_deviance").loc["peer"]
    assert (peer["status"], peer["reason"]) == ("timeout", "1 of 5 runs: not finished after 9 seconds")
    assert pd.isna(peer["mean"])
    assert by(actual, "false_correlations").loc["peer", "status"] == "ok"


def about(**changed) -> dict:
    facts = {"method": "m", "parameters": "defaults", "environment": "zipo", "output": "counts", "source": "a paper"}
    return {
        "title": "A <study>", "reference": "ours", "datasets": {"d": "Data"}, "controls": ["no_denoising"],
        "bounds": [],
        "how": {"share": 0.9, "splits": 5, "first_split": 1, "seeds": 1, "threads": 1, "seconds": 60.0},
        "rows": dict.fromkeys([*DEVIANCE, "bad"], facts),
    } | changed  # fmt: skip


def test_the_page_says_who_is_best_where_the_reference_loses_and_what_went_wrong(rows):
    bad = [row("bad", None, np.nan, 1, status="invalid", reason="it is <negative>")]
    page = body(leaderboard(table(rows + bad), "ours", ["no_denoising"]), about())
    assert "<b>bad</b> on d: <span class='bad'>invalid</span>: it is &lt;negative&gt;" in page
    deviance = page[page.index("<h3>Data</h3>") :]
    deviance = deviance[deviance.index("to predict the molecules") :]
    deviance = deviance[: deviance.index("</tr>")]
    assert "<span class='best'>peer 0.96" in deviance
    assert "no method beats no_denoising" in deviance  # 0.1 of the invented control
    assert "ours is first, alone or with others, in 2 of 3 comparisons" in page
    losses = page[page.index("Where ours loses") : page.index("All ranks")]
    assert "<td>2 of 4</td><td>1.1</td><td>peer 0.96" in losses
    assert losses.count("<tr>") == 2  # its head, and the deviance
    assert "<td>1 of 1</td>" in losses
    few = table([r for r in rows if r["split"] <= 3])
    assert "<td>too few runs to tell</td>" in body(leaderboard(few, "ours", ["no_denoising"]), about())


def test_the_page_does_without_faults_and_without_the_reference(rows):
    page = body(leaderboard(table(rows), "other", ["no_denoising"]), about(reference="other"))
    assert "Every method ran to its end" in page
    assert "other has no rank" in page


def test_scaled_is_nought_at_the_worst_and_one_at_the_best_control(rows):
    """Deviance: controls 1.5 and .5, so that peer, of .96, is at .54; ARI: .8 and .6, so that ours is at 1.5."""
    bounds = {"floor": (1.5, 0.6), "ceiling": (0.5, 0.8)}
    extra = [
        row(name, metric, value, split)
        for name, pair in bounds.items()
        for metric, value in zip(("poisson_deviance", "latent_ari"), pair, strict=True)
        for split in range(1, 6)
    ]
    without = [each for each in rows if each["method"] != "no_denoising"]
    actual = leaderboard(table(without + extra), "ours", list(bounds))
    scaled = by(actual, "poisson_deviance")["scaled"].to_dict()
    assert scaled == pytest.approx({"floor": 0, "ceiling": 1, "peer": 0.54, "ours": 0.4, "same": 0.4, "far": -1.5})
    scaled = by(actual, "latent_ari")["scaled"].to_dict()
    assert scaled == pytest.approx({"floor": 0, "ceiling": 1, "ours": 1.5, "peer": -0.5, "far": 0.5})
    assert by(actual, "false_correlations")["scaled"].isna().all()  # no control was scored by it


def test_nothing_is_scaled_between_controls_that_are_alike_nor_by_what_does_not_rank(rows):
    extra = [row(name, "poisson_deviance", 0.1, split) for name in ("one",) for split in range(1, 6)]
    extra += [
        row(name, metric, value, 1)
        for name, value in (("one", 0.1), ("no_denoising", 0.2), ("ours", 0.3))
        for metric in ("seconds", "library_rmse")
    ]
    actual = leaderboard(table(rows + extra), "ours", ["no_denoising", "one"])
    assert actual["scaled"].isna().all()


def test_a_group_ends_where_the_paired_difference_from_its_first_has_an_interval_without_zero():
    noise = np.array([0.5, -0.3, 0.1, -0.4, 0.2])
    values = pd.DataFrame({
        "first": noise,
        "tied": noise + np.array([0.1, -0.05, 0.1, -0.05, 0.1]),  # draws with a mean below zero are no rarity
        "behind": noise + 0.05,  # worse on every split, and not apart from `tied`
        "with_behind": noise + np.array([0.1, 0.0, 0.1, 0.05, 0.05]),
        "last": noise + 2,
    })  # fmt: skip
    assert groups(values, list(values)) == {"first": 1, "tied": 1, "behind": 2, "with_behind": 2, "last": 3}
    draws = [np.mean(draw) for draw in product(values["tied"] - values["first"], repeat=5)]
    assert np.quantile(draws, 0.025) < 0 < np.quantile(draws, 0.975)
    assert groups(values.iloc[:1], list(values)) == {}
    assert groups(values.iloc[:2], ["first", "tied"]) == {"first": 1, "tied": 1}


def test_methods_that_ran_twice_or_more_have_groups_and_controls_have_none(rows):
    actual = leaderboard(table(rows), "ours", ["no_denoising"])
    group = by(actual, "poisson_deviance")["group"]
    assert group[["peer", "ours", "same", "far"]].tolist() == [1, 2, 2, 3]
    assert pd.isna(group["no_denoising"])
    assert by(actual, "false_correlations")["group"].isna().all()  # of one run
