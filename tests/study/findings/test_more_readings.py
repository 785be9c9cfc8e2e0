"""Readings of a second study join those of published findings: verdicts, classes, picture, and where each ran."""

import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image, ImageChops

from zipo.shared.errors import InputError
from zipo.shared.tables import write_parquet, write_tsv
from zipo.study.claims.verdicts import COLUMNS
from zipo.study.findings.more_readings import add_readings
from zipo.study.findings.page import text
from zipo.study.findings.publish import publish
from zipo.study.findings.tables import read_tsv
from zipo.study.readings.verdicts import classified, wide

YES, NO, OPEN = "reproduced", "not reproduced", "undecided"
OWN = {"first": YES, "second": NO}
RUN = {
    "setting": "s", "seed": 1, "status": "ok", "device": "cpu", "threads": 1, "python": "3.11", "torch": "2",
    "zipo": "0.1", "epochs": 5, "peak_memory_mb": 10.0,
}  # fmt: skip


def finished(folder: Path, verdicts: dict[str, dict[str, str]], hours: float = 0.5) -> Path:
    """Results of a study of claims on data set a, with their verdicts by reading, its own first."""
    claims = [
        {"id": claim, "figure": 5, "section": "III", "claim": f"The {claim}.", "dataset": "a", "measure": "test_nll",
         "scale": "relative"}
        for claim in verdicts["as_run"]
    ]  # fmt: skip
    rows = [
        claim | {
            "reading": reading, "question": reading.split("=")[0] if "=" in reading else "",
            "text": f"Is it {reading}?" if "=" in reading else "", "verdict": by_claim[claim["id"]], "effect": -0.1,
            "ci_low": -0.2, "ci_high": 0.0, "pairs": 12, "diverged": 0, "same_runs": False,
        }
        for reading, by_claim in verdicts.items() for claim in claims
    ]  # fmt: skip
    table = classified(pd.DataFrame(rows))
    write_parquet(table, folder / "readings.parquet")
    write_tsv(wide(table), folder / "readings.tsv")
    own = [
        row | {"verdict": row["verdict"], "papers_data": False, "sentence": "So."}
        for row in rows
        if row["reading"] == "as_run"
    ]
    write_tsv(pd.DataFrame(own).reindex(columns=COLUMNS), folder / "claims.tsv")
    runs = pd.DataFrame([RUN | {"git_commit": folder.name, "seconds": 3600 * hours}])
    write_parquet(runs, folder / "runs.parquet")
    (folder / "config.yaml").write_text(
        "study: s\ntitle: Invented\ndatasets: {a: {}}\nreadings: {experiments: {depth: {}}}\n"
    )
    return folder


@pytest.fixture
def published(tmp_path) -> Path:
    """Findings under one other reading, which leaves the first robust and the second failing."""
    publish(finished(tmp_path / "before", {"as_run": OWN, "x=1": OWN}), tmp_path / "out")
    return tmp_path / "out"


def classes(folder: Path) -> dict[str, tuple[str, str]]:
    table = read_tsv(folder / "readings.tsv")
    return {row["id"]: (row["class"], row["because_of"]) for row in table.to_dict("records")}


def test_classes_follow_from_all_readings(published, tmp_path):
    assert classes(published) == {"first": ("robust", ""), "second": ("fails under every reading", "")}
    add_readings(finished(tmp_path / "later", {"as_run": OWN, "y=2": {"first": NO, "second": OPEN}}), published)
    assert classes(published) == {"first": ("hangs on", "y=2"), "second": ("undecided", "y=2")}
    table = read_tsv(published / "readings.tsv")
    assert table[["as_run verdict", "x=1 verdict", "y=2 verdict"]].to_numpy().tolist() == [
        [YES, YES, NO],
        [NO, NO, OPEN],
    ]
    page = (published / "index.md").read_text()
    assert page == text(published)
    assert "\n1. `as_run`\n2. `x=1`: Is it x=1?\n3. `y=2`: Is it y=2?\n" in page
    assert "| first, a | \N{CHECK MARK} | \N{CHECK MARK} | \N{BALLOT X} | hangs on: 3 |" in page


def test_the_page_says_where_each_ran(published, tmp_path):
    for verdict in (YES, NO):  # the second time in place of the first
        later = finished(tmp_path / "later", {"as_run": OWN, "y=2": {"first": verdict, "second": verdict}}, hours=2.5)
        add_readings(later, published)
    page = (published / "index.md").read_text()
    assert "| name | value | of `y=2` |" in page
    assert "| git_commit | before | later |" in page
    assert "| training, hours in all | 0.5 | 2.5 |" in page
    assert "| verdicts of as_run that are the same again |  | 2 of 2 |" in page
    facts = json.loads((published / "provenance.json").read_text())
    assert [added["readings"] for added in facts["added"]] == [["y=2"]]
    assert classes(published) == {"first": ("hangs on", "y=2"), "second": ("fails under every reading", "")}


def test_the_picture_has_a_column_more(published, tmp_path):
    for number, verdict in enumerate((YES, NO)):
        later = finished(tmp_path / "later", {"as_run": OWN, "y=2": {"first": verdict, "second": verdict}})
        add_readings(later, published)
        (published / "figure-21.png").rename(tmp_path / f"{number}.png")
    pictures = [Image.open(tmp_path / f"{number}.png").convert("RGB") for number in (0, 1)]
    assert pictures[0].width == 1800
    assert ImageChops.difference(*pictures).getbbox() is not None


def test_claims_that_are_not_published_are_left_out(published, tmp_path):
    more = OWN | {"third": YES}
    add_readings(finished(tmp_path / "later", {"as_run": more, "y=2": more}), published)
    assert classes(published) == {"first": ("robust", ""), "second": ("fails under every reading", "")}


def test_an_own_reading_that_is_open_again_stays_as_published(published, tmp_path):
    again = {"first": OPEN, "second": NO}
    add_readings(finished(tmp_path / "later", {"as_run": again, "y=2": OWN}), published)
    assert read_tsv(published / "readings.tsv")["as_run verdict"].tolist() == [YES, NO]
    assert "| verdicts of as_run that are the same again |  | 1 of 2 |" in (published / "index.md").read_text()


def test_readings_are_added_to_no_study(tmp_path):
    later = finished(tmp_path / "later", {"as_run": OWN, "y=2": OWN})
    with pytest.raises(InputError, match=r"later/provenance\.json: not there"):
        add_readings(later, later)


def test_readings_of_an_earlier_configuration_are_refused(published, tmp_path):
    before = {file.name: file.read_bytes() for file in published.iterdir()}
    later = finished(tmp_path / "later", {"as_run": OWN, "y=2": OWN})
    (later / "config.yaml").write_text("study: s\ntitle: Invented\ndatasets: {a: {}}\n")
    with pytest.raises(InputError, match=r"later/config\.yaml: has no readings"):
        add_readings(later, published)
    assert {file.name: file.read_bytes() for file in published.iterdir()} == before


@pytest.mark.parametrize(
    ("verdicts", "message"),
    [
        ({"first": YES}, r"later/readings\.tsv: lacks the claim second on a"),
        ({"first": YES, "second": YES}, r"second on a is reproduced as the study runs, and not reproduced in"),
    ],
)
def test_a_study_of_other_claims_or_runs_is_refused(published, tmp_path, verdicts, message):
    before = {file.name: file.read_bytes() for file in published.iterdir()}
    with pytest.raises(InputError, match=message):
        add_readings(finished(tmp_path / "later", {"as_run": verdicts, "y=2": verdicts}), published)
    with pytest.raises(InputError, match=r"runs\.parquet: not there"):
        add_readings(published, published)
    assert {file.name: file.read_bytes() for file in published.iterdir()} == before
