"""The published page of findings and the README say what its tables hold."""

from pathlib import Path

import pytest

from zipo.study.findings.page import text
from zipo.study.findings.tables import read_tsv
from zipo.study.readings.verdicts import readings_in

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "findings"


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="no study is published yet")
def test_the_published_page_is_the_one_that_its_tables_make():
    assert (PUBLISHED / "index.md").read_text() == text(PUBLISHED)
    assert sum(file.stat().st_size for file in PUBLISHED.iterdir()) < 2_000_000


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="no study is published yet")
def test_the_readme_says_what_the_tables_hold():
    text = " ".join((ROOT / "README.md").read_text().split("What it found at small scale")[1].split("\n\n")[0].split())
    claims, readings = read_tsv(PUBLISHED / "claims.tsv"), read_tsv(PUBLISHED / "readings.tsv")
    numbers = claims["verdict"].value_counts()
    assert f"of {numbers.drop('not run').sum()} verdicts {numbers['reproduced']} are reproduced" in text
    assert f"{numbers['not reproduced']} not, and {numbers['undecided']} open" in text
    effects = {(row.id, row.dataset): row.effect for row in claims.itertuples()}
    assert f"(NLL +{100 * effects['depth_useless_without_residuals', 'baron']:.2g} %)" in text
    shallow = readings.set_index("id").loc["depth_useless_without_residuals"].filter(like=" verdict")
    assert (shallow.iloc[0], sorted(set(shallow)), (shallow == "undecided").sum()) == (
        "reproduced", ["reproduced", "undecided"], 4,
    )  # fmt: skip
    assert f"(by {-100 * effects['residuals_help_deepest', 'baron']:.0f} %)" in text
    assert f"on brain (+{100 * effects['zip_beats_zinb_nll', 'zeisel']:.0f} %)" in text
    assert f"blood (+{100 * effects['zip_beats_zinb_nll', 'pbmc8k']:.2g} %)" in text
    assert f"{100 * effects['pruned_98_percent', 'baron']:.0f} % are kept" in text
    assert f"({-100 * effects['dca_equals_zipo_nll', 'baron']:.0f} % lower)" in text
    assert f"squared error ({-100 * effects['dca_worst_mse', 'baron']:.0f} %)" in text
    classes = dict(zip(readings["id"], readings["class"], strict=True))
    verdicts = readings.set_index("id").loc["residuals_help_deepest"].filter(like=" verdict")
    assert list(verdicts[verdicts != "reproduced"].index) == ["input=raw verdict"]
    assert classes["dca_equals_zipo_nll"] == "fails under every reading"
    mse = readings.set_index("id").loc["dca_worst_mse"]
    own = {name: mse[f"{name} verdict"] for name in readings_in(readings) if not mse[f"{name} same_runs"]}
    assert sorted(verdict for verdict in own.values() if verdict != "not reproduced") == ["undecided"]
    assert {classes["penalty_sparsifies"], classes["zip_beats_zinb_nll"]} == {"hangs on"}
    words = {6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten", 11: "eleven", 12: "twelve"}
    assert f"each of {words[len(own)]} readings that concern them" in text
