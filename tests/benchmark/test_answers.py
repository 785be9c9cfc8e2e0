"""What the leaderboard answers, from invented scores of four data sets, counted by hand."""

import numpy as np
import pandas as pd
import pytest

from zipo import metrics
from zipo.benchmark import answers
from zipo.benchmark.leaderboard import leaderboard
from zipo.benchmark.openproblems import NOTE
from zipo.benchmark.page import body, prediction
from zipo.benchmark.ranks import ranks
from zipo.benchmark.scores import COLUMNS

CONTROLS = ["no_denoising", "shrinkage", "oracle"]
# by data set; low is better by the first, high by the second
DEVIANCE = {
    "one": [1.0, 1.0, 1.0, 1.0],
    "two": [2.0, 0.5, 0.5, 2.0],
    "three": [3.0, 3.0, 3.0, None],
    "no_denoising": [2.5, 2.5, 2.5, 2.5],
    "shrinkage": [0.9, 1.5, 1.5, 0.9],
    "oracle": [0.1, 0.1, 0.1, 0.1],
}
ARI = {
    "one": [0.2, 0.2, 0.2, 0.2],
    "two": [0.6, 0.6, 0.6, 0.6],
    "three": [0.7, 0.7, 0.7, None],
    "no_denoising": [0.4, 0.4, 0.4, 0.4],
    "shrinkage": [0.5, 0.5, 0.5, 0.65],
}
FACTS = {
    "title": "Invented", "reference": "one", "datasets": {name: f"Data {name}" for name in "abcd"},
    "controls": CONTROLS, "bounds": ["oracle"], "rows": {name: {"method": name} for name in DEVIANCE},
    "how": {"share": 0.9, "splits": 3, "first_split": 4, "seeds": 1, "threads": 1, "seconds": 60.0},
}  # fmt: skip


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Of two splits; on a, two is worse than one in the mean and better on a split."""
    rows = []
    for metric, by_method in (("poisson_deviance", DEVIANCE), ("denoised_ari", ARI)):
        for method, values in by_method.items():
            for dataset, value in zip("abcd", values, strict=True):
                for split, shift in ((4, 0.0), (5, 0.1)):
                    if (method, dataset, metric) == ("two", "a", "poisson_deviance"):
                        shift = -1.5 if split == 5 else 0.0
                    row = {"study": "s", "dataset": dataset, "method": method, "kind": "split", "split": split}
                    row |= {"seed": 1, "seconds": 10.0 * (dataset == "b") + 1, "peak_mb": 100.0, "parameters": "{}"}
                    row |= {"metric": metric, "value": value if value is None else value + shift, "status": "ok"}
                    bad = {"metric": None, "status": "timeout", "reason": "too slow"} if value is None else {}
                    rows.append({"reason": ""} | row | bad)
    scores = pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates().astype(COLUMNS)
    return leaderboard(scores, "one", CONTROLS)


@pytest.fixture(scope="module")
def places(table) -> pd.DataFrame:
    return ranks(table, CONTROLS)


def test_the_headline_is_the_mean_over_measures_of_mean_ranks(places):
    """Deviance: one 1.5, two 1.5, three 3; ARI: one 2.75, two 1.75, three 1.5."""
    text = answers.headline(places, FACTS)
    assert text.startswith(
        "Of 3 methods, two has the best mean rank (1.6), before one (2.1) and three (2.2): over 2 chief"
    )
    assert "(poisson deviance, denoised ari) and 4 data sets" in text
    alone = answers.headline(places, FACTS | {"datasets": {"a": "Data a"}})
    assert alone.endswith("On one data set, that says nothing about others.")
    assert answers.headline(places[:0], FACTS) == "No method was ranked."


def test_each_purpose_has_its_best_in_the_mean_and_how_often_each_is_first(table, places):
    shown = answers.by_purpose(table, places, FACTS).set_index("if you want")
    deviance = shown.loc["to predict the molecules that deeper sequencing would add"]
    assert deviance["best mean rank"] == "one (1.5 ± 0.6), two (1.5 ± 0.6)"
    assert deviance["next"] == "three (3.0 ± 0.0)"
    # a: two is not told apart from one; d: it is
    assert deviance["first, or not told apart from it"] == "two 3 of 4, one 2 of 4"
    assert deviance["no method beats"] == "shrinkage on a, d"
    ari = shown.loc["to find cell types in the denoised counts"]
    assert ari["best mean rank"] == "three (1.5 ± 1.0)"
    assert ari["no method beats"] == "shrinkage on d"


def test_each_method_fails_where_it_is_no_better_than_a_control_or_has_no_result(table, places):
    shown = answers.fails(table, places, FACTS).set_index("method")
    one, two, three = (shown.loc[name] for name in ("one", "two", "three"))
    assert one["worse than no_denoising"] == "denoised ari (4 of 4)"
    assert one["no better than the best control"] == "poisson deviance against shrinkage (2 of 4: a, d)"
    assert one["without a result"] == answers.NONE
    assert two["worse than no_denoising"] == answers.NONE
    assert (
        two["no better than the best control"]
        == "poisson deviance against shrinkage (2 of 4: a, d); denoised ari against shrinkage (1 of 4: d)"
    )
    assert three["worse than no_denoising"] == "poisson deviance (3 of 4: a, b, c)"
    assert three["without a result"] == "timeout on d"


def test_cost_stands_beside_quality(table, places):
    shown = answers.cost(table, places).set_index("method")
    assert list(shown.index) == ["two", "one", "three"]
    assert shown.loc["two", ["mean rank", "best", "worst"]].tolist() == [1.62, 1.5, 1.75]
    assert shown.loc["two", "seconds"] == "1 to 11"
    assert shown.loc["three", "counted as last"] == 2
    assert (shown["most MB"] == 100).all()


def test_the_page_opens_with_the_answer_and_names_the_splits(table, places):
    page = body(table, places, FACTS)
    assert page.startswith("<h2>Which method for what</h2>\n<p>Of 3 methods, two has the best mean rank")
    assert page.index("Where each method fails") < page.index("Cost beside quality") < page.index("How it was run")
    assert "splits 4 to 6; earlier ones are left to the choice of methods and parameters" in page
    assert page.count("<details><summary>Data a</summary>") == 3  # choices, ranks, scaled
    assert NOTE.split(".")[0] in page
    first = answers.splits({"first_split": 1, "splits": 1})
    assert first == "split 1, by which methods and parameters may have been chosen as well"


def test_purposes_are_all_chief_measures_with_those_of_cost_last():
    assert set(answers.purposes()) == set(metrics.purposes())
    assert next(iter(answers.purposes())) == "poisson_deviance"
    assert list(answers.purposes())[-1] == "seconds"


def test_prediction_is_of_held_out_molecules_by_what_ranks():
    assert {"poisson_deviance", "mse_counts"} <= set(prediction())
    assert not {"posterior_deviance", "held_out_nll", "denoised_ari"} & set(prediction())


def test_a_poisson_loss_with_prediction_and_truth_swapped_puts_zeros_before_the_truth():
    """As the note says of openproblems; the loss is mu - x log(mu + 1e-6)."""
    rng = np.random.default_rng(1)
    mean = rng.gamma(0.3, 0.65, size=(500, 400))
    counts, zeros = rng.poisson(mean), np.zeros_like(mean)

    def loss(predicted, observed):
        return np.mean(predicted - observed * np.log(predicted + 1e-6))

    assert loss(counts, zeros) == pytest.approx(counts.mean())
    assert loss(counts, zeros) < loss(counts, mean)
    assert loss(mean, counts) < loss(zeros, counts)
    assert loss(zeros, counts) == pytest.approx(-np.log(1e-6) * counts.mean())
    assert all(number in NOTE for number in ("0.196", "1.502", "2.702", "0.299"))
