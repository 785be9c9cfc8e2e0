"""Findings of invented verdicts: what the page says of numbers known by hand, and that tables alone make it."""

import re
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from zipo.shared.tables import write_tsv
from zipo.study.findings.front import front
from zipo.study.findings.page import text
from zipo.study.findings.publish import publish
from zipo.study.findings.summary import PLACE, QUESTIONS, answers, place
from zipo.study.findings.tables import Findings, under_readings


def lines_of(folder: Path) -> dict[str, str]:
    return {answer.question: " ".join(answer.lines) for answer in answers(Findings.read(folder))}


def test_the_short_answers_are_made_from_the_verdicts(results, leaderboard, tmp_path):
    publish(results, tmp_path / "out", leaderboard)
    lines = lines_of(tmp_path / "out")
    assert list(lines) == [*QUESTIONS, PLACE]
    assert lines["Is ZIP better than ZINB?"] == (
        "\N{LEFT DOUBLE QUOTATION MARK}ZIP has a lower NLL than ZINB.\N{RIGHT DOUBLE QUOTATION MARK} is not reproduced "
        "on a (not the paper's): +25 % (+10 % to +40 %), 1 of 12 trainings diverged, hangs on the reading "
        "(reduction=sum: reproduced)."
    )
    assert "undecided on a: \N{MULTIPLICATION SIGN}12, 3 of 12 trainings cut off by" in lines["Is DCA's MSE worse?"]
    assert lines["Is DCA's MSE worse?"].endswith("open under every reading.")
    assert lines["Do deeper encoders need residual connections?"] == "No claim of the study."
    assert lines[PLACE] == (
        "z has place 2 of 3 by mean rank (2.0; a, the first, 1.0) over 2 measures on 1 data set; first by ari; "
        "last by mse."
    )


@pytest.mark.parametrize(
    ("verdict", "clause"),
    [
        ("robust", "reproduced under every reading tried"),
        ("fails under every reading", "reproduced under no reading tried"),
        ("not compared", "no other reading tried"),
    ],
)
def test_what_readings_say_together_is_a_clause(verdict, clause):
    assert under_readings({"class": verdict}) == clause


def test_readings_that_decide_an_open_claim_are_named_unless_they_leave_its_settings():
    verdicts = {"as_run": "undecided", "a=1": "reproduced", "b=2": "not run", "b=3": "reproduced", "c=4": "reproduced"}
    row = {f"{name} verdict": verdict for name, verdict in verdicts.items()}
    row |= {f"{name} same_runs": name == "c=4" for name in verdicts}
    assert under_readings({"class": "undecided", "because_of": "as_run"} | row) == "reproduced under a=1 and b=3"


def test_the_verdicts_decide_what_the_page_says(results, tmp_path):
    table = pd.read_csv(results / "claims.tsv", sep="\t")
    publish(results, tmp_path / "before")
    table.loc[0, ["verdict", "effect"]] = ["reproduced", -0.25]
    write_tsv(table, results / "claims.tsv")
    publish(results, tmp_path / "after")
    before, after = (lines_of(tmp_path / name)["Is ZIP better than ZINB?"] for name in ("before", "after"))
    assert "is not reproduced on a (not the paper's): +25 %" in before
    assert "is reproduced on a (not the paper's): -25 %" in after
    assert "No benchmark is at hand." in (tmp_path / "after" / "index.md").read_text()


def test_each_figure_says_what_would_settle_its_claims(results, tmp_path):
    publish(results, tmp_path / "out")
    page = (tmp_path / "out" / "index.md").read_text()
    assert "1 not reproduced, 1 undecided, 1 not run" in page
    assert "| [Figure 11](#figure-11) | 0 | 1 | 0 | 0 |" in page
    eleven, thirteen, of_text = (
        page.split(f"### {name}\n")[1].split("\n#")[0] for name in ("Figure 11", "Figure 13", "Text")
    )
    assert "](figure-11.png)" in eleven
    assert "\n- ZIP has a lower NLL than ZINB. (III-F)\n" in eleven
    assert "\N{BALLOT X} **not reproduced** on a (not the paper's), +25 % (+10 % to +40 %). It is higher.\n" in eleven
    assert "*Missing to settle it:* an answer of the authors (reproduced under reduction=sum): Sum or mean?\n" in eleven
    assert "? **undecided** on a, \N{MULTIPLICATION SIGN}12. It is higher.\n" in thirteen
    assert "*Missing to settle it:* trainings to their own end; about 40 seeds." in thirteen
    assert ".png" not in thirteen
    assert "**not run**: no run is of liver\n" in of_text
    assert "\n1. `as_run`\n2. `reduction=sum`: Sum or mean?\n" in page
    assert "| dca worst mse, a | ? | \N{ALMOST EQUAL TO} | undecided: 1 |" in page
    assert "| zip beats zinb nll, a | \N{BALLOT X} | \N{CHECK MARK} | hangs on: 2 |" in page
    assert "| training, hours in all | 1 |" in page


def test_a_study_of_other_data_alone_says_so_once(results, tmp_path):
    table = pd.read_csv(results / "claims.tsv", sep="\t")
    write_tsv(table.assign(papers_data=False, seeds_needed=2153), results / "claims.tsv")
    publish(results, tmp_path / "out")
    page = (tmp_path / "out" / "index.md").read_text()
    assert "None of the data\nsets is one of which the paper says it." in page
    assert "(not the paper's)" not in page
    assert "*Missing to settle it:* trainings to their own end; more than 1,000 seeds." in page


def test_a_page_that_says_why_is_linked(results, tmp_path):
    table = pd.read_csv(results / "claims.tsv", sep="\t")
    table.loc[0, "sentence"] = "It is higher. Why: docs/sparsity.md."
    write_tsv(table, results / "claims.tsv")
    publish(results, tmp_path / "out")
    page = (tmp_path / "out" / "index.md").read_text()
    assert "It is higher. Why: [sparsity](../sparsity.md).\n" in page


def test_the_page_comes_from_what_is_published_alone_and_is_small(results, leaderboard, tmp_path):
    publish(results, tmp_path / "out", leaderboard)
    for folder in (results, leaderboard):
        folder.rename(tmp_path / f"{folder.name}-moved")
    assert (tmp_path / "out" / "index.md").read_text() == text(tmp_path / "out")
    assert Image.open(tmp_path / "out" / "figure-11.png").size == (900, 300)
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {"index.md", "claims.tsv", "readings.tsv", "ranks.tsv", "provenance.json", "figure-11.png"}


@pytest.mark.parametrize(("ours", "expected"), [([], "No row of the benchmark"), (["z", "b"], "z has place 2")])
def test_a_place_needs_a_row_of_zipo(leaderboard, ours, expected):
    assert place(pd.read_csv(leaderboard / "ranks.tsv", sep="\t"), ours).startswith(expected)


def test_the_reports_first_page_counts_verdicts_and_links_to_pages(results, leaderboard):
    files = [results / "claims.tsv", results / "readings.tsv", results / "figures" / "figure-11.png"]
    page = front(
        [*files, leaderboard / "ranks.tsv", leaderboard / "leaderboard.json"], Path("results/s"), ["figure-11"]
    )
    assert "The paper's claims: 1 not reproduced, 1 undecided, 1 not run</strong>" in page
    (row,) = [row for row in re.findall("<tr>.*?</tr>", page) if "Figure 11: ZIP and ZINB" in row]
    assert row.count("<span") == 1
    assert "\N{BALLOT X} 1</span>" in row
    linked = "results[&#x27;results/s/figures/figure-11.html&#x27;].data_uri"
    assert page.count(linked) == 2  # in the table and above the picture
    assert "results/s/claims.html&#x27;].data_uri + &#x27;#figure-11&#x27;" in row
    assert ">Figure 13: ZiPo and DCA-like models<" in page
    assert "figure-13.html" not in page  # the study does not draw it
    assert page.count("<img ") == 1
    assert "z has place 2 of 3" in page
    assert page.index("1 not reproduced") < page.index("z has place 2") < page.index("<img ")


def test_the_first_page_of_a_benchmark_alone_says_the_place(leaderboard):
    page = front([leaderboard / "ranks.tsv", leaderboard / "leaderboard.json"], Path("results/s"), ["figure-11"])
    assert "z has place 2 of 3" in page
    assert "paper's claims" not in page
    assert "No claim of the study" not in page
