"""The tables of docs/ablation.md: their arithmetic, and that the page has them."""

import pandas as pd
import pytest

from tests.benchmarks.conftest import BENCHMARKS
from zipo.shared.yaml_files import read_yaml


@pytest.fixture
def script(import_script):
    return import_script("ablation")


@pytest.fixture
def scores() -> pd.DataFrame:
    values = {
        ("zipo", "a", "poisson_deviance"): 0.2,
        ("zipo", "b", "poisson_deviance"): 0.5,
        ("poisson", "a", "poisson_deviance"): 0.21,
        ("poisson", "b", "poisson_deviance"): 0.45,
        ("zipo", "a", "held_out_nll"): 0.1,
        ("poisson", "a", "held_out_nll"): 0.11,
        ("zipo", "a", "mse_counts"): 2.0,
        ("zipo", "a", "latent_ari"): 0.9,
        ("poisson", "a", "latent_ari"): 0.8,
    }
    return pd.DataFrame(
        [(*key, value) for key, value in values.items()], columns=["method", "dataset", "metric", "mean"]
    )


def test_losses_are_shares_above_the_default(script, scores):
    table = script.changes(scores, "poisson_deviance").loc["poisson"]
    assert table.tolist() == pytest.approx([0.05, -0.1, -0.025])
    lines = script.by_dataset(scores).splitlines()
    assert lines[2:] == ["| the default | 0.2000 | 0.5000 |  |", "| Poisson | +5.0 % | -10.0 % | -2.5 % |"]


def test_other_measures_are_means_of_the_data_sets_that_have_them(script, scores):
    head, _, default, last = script.by_measure(scores).splitlines()
    assert head.split(" | ")[1:5] == ["deviance", "NLL", "squared error", "ARI of latents"]
    assert last.split(" | ")[1:5] == ["-2.5 %", "+10.0 %", "", "0.800"]
    assert default.split(" | ")[1:5] == ["", "", "", "0.900"]


def test_scores_are_those_of_the_leaderboard(script, scores, tmp_path):
    other = pd.DataFrame([("dca", "a", "poisson_deviance", 1.0), ("zipo", "a", "seconds", 1.0)], columns=scores.columns)
    pd.concat([scores, other]).to_parquet(tmp_path / "leaderboard.parquet")
    collected = script.collected(tmp_path)
    assert len(collected) == len(scores)
    assert set(collected["method"]) == {"zipo", "poisson"}


def test_data_sets_that_were_not_run_anew_keep_their_scores(script, scores):
    anew = scores[scores["dataset"] == "a"].assign(mean=7.0)
    table = script.merged(scores, anew)
    assert set(table.loc[table["dataset"] == "a", "mean"]) == {7.0}
    of_b = table[table["dataset"] == "b"].set_index("method")["mean"]
    assert of_b.to_dict() == {"zipo": 0.5, "poisson": 0.45}
    assert len(table) == len(scores)


def test_the_page_has_the_tables_that_its_scores_make(script):
    page, made = script.PAGE.read_text(), script.tables()
    assert script.with_tables(page, made) == page


def test_every_row_of_the_study_is_named(script):
    named = read_yaml(BENCHMARKS.parent / "config" / "ablation.yaml")["benchmark"]["methods"]
    assert set(named) - {"no_denoising", "gene_mean"} == {script.DEFAULT, *script.CHANGES}


def test_the_text_says_what_the_tables_hold(script):
    table = 100 * script.changes(pd.read_table(script.SCORES), "poisson_deviance")
    sets = table.drop(columns="mean")
    largest = table["mean"].drop(["zipo_paper", "shrinkage"]).nlargest(2)
    assert list(largest.index) == ["means", "poisson"]
    assert (round(table.loc["amortised", "mean"], 1), (sets.loc["amortised"] > 0).all()) == (0.9, True)
    by_gene = sets.loc["size_by_gene"]
    assert (round(by_gene["zeisel"], 1), by_gene.drop("zeisel").max() < 0.5) == (1.5, True)
    assert sets.loc["input_log1p"].abs().max() < 0.25
    assert sets.loc[["epochs_10", "epochs_60"]].abs().to_numpy().max() < 0.25
    many = sets.loc[["latents_32", "latents_64"]].abs()
    assert (many.drop(columns="cord_blood").to_numpy().max() < 0.35, round(many["cord_blood"].max(), 1)) == (True, 0.9)
    assert sets.loc["latents_8"].idxmax() == "simulated_programs"
    assert round(sets.loc["latents_8"].max(), 1) == 1.1
