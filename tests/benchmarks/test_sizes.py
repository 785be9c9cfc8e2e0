"""The tables of docs/sizes.md: that they hold the effects of the study, and the page them."""

import math

import pandas as pd
import pytest

from tests.benchmarks.conftest import BENCHMARKS
from zipo.shared.yaml_files import read_yaml
from zipo.study.readings.scale import PAPER_CELLS, PAPER_FIRST_LAYER, with_predictions


@pytest.fixture
def script(import_script):
    return import_script("sizes")


@pytest.fixture
def effects() -> pd.DataFrame:
    columns = ["kind", "dataset", "cells", "first_layer", "effect", "ci_low", "ci_high"]
    values = [
        ("measured", "small", 2000, 64, -0.5, -0.6, -0.4),
        ("measured", "large", 8000, 64, -0.2, -0.3, 0.1),
        ("measured", "large", 8000, 128, 0.25, 0.125, 0.375),
        ("predicted", None, 60_000, 2048, 10.0, 0.5, 99.0),
    ]
    same = {"id": "a", "claim": "It helps.", "figure": 5, "population": "Blood", "scale": "relative", "sign": "mixed"}
    return pd.DataFrame(values, columns=columns).assign(**same)


def test_each_claim_has_its_smallest_and_largest_sizes_and_its_prediction(script, effects):
    assert script.by_claim(effects).splitlines()[2:] == [
        "| Figure 5: It helps | Blood | -50 % (-60 % to -40 %) | +25 % (+12.5 % to +37.5 %) "
        "| \N{MULTIPLICATION SIGN}11 (+50 % to \N{MULTIPLICATION SIGN}100) | mixed |"
    ]


def test_effects_without_zero_are_bold_and_sizes_that_did_not_run_are_empty(script, effects):
    assert script.by_size(effects).splitlines()[2:] == [
        "| a | 64 | **-50 %** | -20 % |",
        "| a | 128 |  | **+25 %** |",
    ]


def test_a_part_of_the_study_leaves_other_sizes_as_they_were_and_predicts_from_all(script):
    known = {"id": "a", "claim": "It helps.", "figure": 5, "population": "Blood", "scale": "difference", "pairs": 4}
    sizes = [("small", 2000, 64), ("small", 2000, 128), ("large", 8000, 64), ("large", 8000, 128)]
    rows = pd.DataFrame(sizes, columns=["dataset", "cells", "first_layer"]).assign(
        kind="measured", width=[0.5, 1, 0.5, 1], measure="test_nll", **known
    )
    rows = rows.assign(effect=[0.1, 0.2, 0.3, 0.4], ci_low=[0.0, 0.1, 0.2, 0.3], ci_high=[0.2, 0.3, 0.4, 0.5])
    earlier = with_predictions(rows)
    changed = rows["effect"] > 0.15
    later = rows[changed].assign(effect=[0.3, 0.7, 0.8], ci_low=[0.2, 0.6, 0.7], ci_high=[0.4, 0.8, 0.9])
    later = with_predictions(later)
    table = script.joined(earlier, later)
    measured = table[table["kind"] == "measured"]
    assert list(zip(measured["dataset"], measured["effect"], strict=True)) == [
        ("small", 0.1), ("small", 0.3), ("large", 0.7), ("large", 0.8),
    ]  # fmt: skip
    # least squares of a balanced design, with equal errors: slopes are mean differences, about the mean of all
    by_cells, by_width = 0.55 / math.log(4), 0.15 / math.log(2)
    expected = 0.475 + by_cells * math.log(PAPER_CELLS / 4000) + by_width * math.log(PAPER_FIRST_LAYER / 8192**0.5)
    assert table.loc[table["kind"] == "predicted", "effect"].tolist() == pytest.approx([expected])


def test_the_page_has_the_tables_that_its_numbers_make(script):
    page, made = script.PAGE.read_text(), script.tables()
    assert script.with_tables(page, made) == page
    assert script.FIGURE.is_file()


def test_the_numbers_are_those_of_the_study_in_config(script):
    table = pd.read_table(script.EFFECTS)
    study = read_yaml(BENCHMARKS.parent / "config" / "scale.yaml")
    measured = table[table["kind"] == "measured"]
    assert set(measured["dataset"]) == set(study["datasets"])
    assert set(measured["first_layer"]) == {64, 128, 256}
    assert len(measured[["dataset", "first_layer"]].drop_duplicates()) == 15
    assert set(table["id"]) <= set(study["readings"]["claims"])
    predicted = table[table["kind"] == "predicted"]
    assert predicted[["cells", "first_layer"]].drop_duplicates().to_numpy().tolist() == [
        [PAPER_CELLS, PAPER_FIRST_LAYER]
    ]


def test_the_text_says_what_the_table_holds(script):
    text = " ".join(script.PAGE.read_text().split())
    table = pd.read_table(script.EFFECTS)
    measured = table[table["kind"] == "measured"].set_index(["id", "dataset", "first_layer"])
    effects = (100 * measured["effect"]).round(1)
    small, middle, large = ("simulated_2000", 64), ("simulated_8000", 256), ("simulated_30000", 256)
    nll, mse, zip_nll = effects["dca_equals_zipo_nll"], effects["dca_worst_mse"], effects["zip_beats_zinb_nll"]
    depth = effects["depth_useless_without_residuals"]
    of_simulated = table[(table["kind"] == "predicted") & table["population"].str.startswith("Simulated")].set_index(
        "id"
    )
    predicted = (100 * of_simulated.loc["zip_beats_zinb_nll", ["effect", "ci_low", "ci_high"]].astype(float)).round(1)
    for words in (
        f"by {-nll[small]} % on 2,000 with a first layer of 64, by {-nll[middle]} % on 8,000 with 256, and by "
        f"{-nll[large]} % on 30,000 with 256",
        f"lower on 2,000 cells (by {-mse[small]} %)",
        f"(by {mse[middle]} % with 256), and lower again on 30,000 (by {-mse[large]} %)",
        f"is {zip_nll[small]} % above ZINB's at the smallest sizes and {zip_nll[large]} % at the largest",
        f"is {predicted['effect']} %, with an interval from {predicted['ci_low']} % to {predicted['ci_high']} %",
        f"loses against the shallowest on 2,000 cells (by {depth['simulated_2000', 256]} % with a first layer of 256)",
        f"a trifle better on 30,000 (by {-depth[large]} %",
    ):
        assert words in text, words
    assert (nll < 0).all()
    above = measured.loc["dca_worst_mse"]["ci_low"] > 0
    assert {key for key, value in above.items() if value} == {("simulated_8000", 128), ("simulated_8000", 256)}
    assert (mse[["pbmc8k", "pbmc8k_2000"]] < 0).all()
    residuals = measured.loc["residuals_help_deepest"].loc["simulated_30000"]
    assert (100 * residuals[["ci_low", "ci_high"]].abs().to_numpy().max()).round(1) == 1.7
    blood = measured.loc["zip_beats_zinb_nll"].loc[["pbmc8k", "pbmc8k_2000"]]
    assert ((blood["ci_low"] < 0) & (blood["ci_high"] > 0)).all()
    sparser = measured.loc["zip_sparser_than_zinb"]
    assert (sparser["effect"] < 0).all()
