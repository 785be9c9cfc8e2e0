"""Ranks over data sets from an invented leaderboard, against plain arithmetic."""

import statistics

import pandas as pd
import pytest

from zipo import metrics
from zipo.benchmark import ranks as of_ranks
from zipo.benchmark.leaderboard import COLUMNS
from zipo.benchmark.ranks import OVERALL, ranks

# ranks by measure and data set
PLACES = {
    "poisson_deviance": {"a": {"one": 1, "two": 2, "three": 3}, "b": {"one": 2, "two": 1}, "c": {"one": 1, "two": 1}},
    "denoised_ari": {"a": {"one": 3, "two": 1, "three": 2}, "b": {"one": 1, "two": 1}},
    "latent_ari": {"a": {"one": 1}, "b": {"one": 1}},
    "seconds": {"a": {"one": 3, "two": 2, "three": 1}},
    "mse_counts": {"a": {"one": 3, "two": 2, "three": 1}},
    "library_rmse": {"a": {}},
}


def leaderboard() -> pd.DataFrame:
    """Of three methods and a control; three failed on b and took too long on c, two has no latents."""
    rows = [
        {"method": method, "dataset": dataset, "metric": metric, "rank": rank, "status": "ok"}
        for metric, by_dataset in PLACES.items()
        for dataset, by_method in by_dataset.items()
        for method, rank in by_method.items()
    ]
    rows += [
        {"method": "three", "dataset": dataset, "metric": metric, "status": status}
        for dataset, status in (("b", "failed"), ("c", "timeout"))
        for metric in PLACES
        if dataset in PLACES[metric]
    ]
    rows.append({"method": "gene_mean", "dataset": "a", "metric": "poisson_deviance", "status": "ok"})
    return pd.DataFrame(rows, columns=COLUMNS).astype({"rank": "Int64"})


@pytest.fixture
def actual() -> pd.DataFrame:
    return ranks(leaderboard(), ["gene_mean"]).set_index(["method", "metric"])


def test_means_and_spread_are_over_the_data_sets_of_the_measure(actual):
    own = actual.loc[("one", "poisson_deviance")]
    assert own[["a", "b", "c", "datasets"]].tolist() == [1, 2, 1, 3]
    assert own["mean_rank"] == pytest.approx(4 / 3)
    assert own["sd"] == pytest.approx(statistics.stdev([1, 2, 1]))
    assert own[["lowest", "highest"]].tolist() == [1, 2]
    assert actual.loc[("one", "denoised_ari"), ["mean_rank", "datasets"]].tolist() == [2, 2]
    assert pd.isna(actual.loc[("one", "denoised_ari"), "c"])
    assert pd.isna(actual.loc[("one", "seconds"), "sd"])


def test_a_method_without_a_number_has_the_place_after_the_last(actual):
    own = actual.loc[("three", "poisson_deviance")]
    assert own[["a", "b", "c", "last"]].tolist() == [3, 3, 3, 2]
    assert actual.loc[("three", "denoised_ari"), ["a", "b", "last"]].tolist() == [2, 3, 1]
    assert actual.loc[("one", "denoised_ari"), "last"] == 0


def test_measures_that_not_all_have_rank_those_alone_that_have_them(actual):
    assert ("two", "latent_ari") not in actual.index
    assert ("three", "latent_ari") not in actual.index  # nobody knows whether it would have had any
    assert actual.loc[("one", "latent_ari"), "last"] == 0


def test_the_overall_mean_is_over_chief_measures_of_quality_that_all_have(actual):
    assert set(actual.index.get_level_values("metric")) == {OVERALL, *PLACES} - {"mse_counts", "library_rmse"}
    own = actual.loc[("one", OVERALL)]
    assert own["mean_rank"] == pytest.approx((4 / 3 + 2) / 2)  # deviance and ARI
    assert own[["measures", "datasets"]].tolist() == [2, 3]
    assert own[["a", "b", "c"]].tolist() == [2, 1.5, 1]
    assert actual.loc[("three", OVERALL), "mean_rank"] == pytest.approx((3 + 2.5) / 2)
    assert actual.loc[("three", OVERALL), "last"] == 3


def test_the_best_come_first_and_controls_have_no_place(actual):
    methods = ranks(leaderboard(), ["gene_mean"]).groupby("metric", sort=False)["method"].apply(list)
    assert methods.index[0] == OVERALL
    assert methods[OVERALL] == ["two", "one", "three"]  # 1.17, 1.67, 2.75
    assert "gene_mean" not in actual.index.get_level_values("method")


def test_chief_is_one_measure_of_each_metric_that_ranks():
    chief = of_ranks.chief_measures()
    assert not set(chief) & set(metrics.unranked())
    assert {"poisson_deviance", "denoised_ari", "seconds"} <= set(chief)
    assert not {"seconds", "latent_ari"} & set(of_ranks.overall_measures())


def test_without_any_method_there_are_no_ranks():
    only = leaderboard().query("method == 'gene_mean'")
    assert ranks(only, ["gene_mean"]).empty
