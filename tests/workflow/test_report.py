"""The report of a study: one file with every figure, claim and table, in the paper's order."""

import base64
import html
import json
import re

import anndata as ad
import pytest

pytestmark = pytest.mark.xdist_group("workflow")  # one worker, so that the study runs once


@pytest.fixture(scope="module")
def report(finished) -> str:
    return (finished.folder / "results" / "tiny" / "report.html").read_text()


def variable(report: str, name: str) -> dict:
    """What the report's script of this name holds."""
    (text,) = re.findall(
        rf'<script id="{name.replace("_", "-")}">\s*var {name} = (.*?);\s*</script>', report, flags=re.DOTALL
    )
    return json.loads(text)


def pages(report: str) -> dict[str, str]:
    """The pages inside the report by their paths."""
    uris = {path: entry["data_uri"] for path, entry in variable(report, "results").items()}
    assert all(uri.startswith("data:text/html;") for uri in uris.values())
    return {path: base64.b64decode(uri.partition(",")[2]).decode() for path, uri in uris.items()}


def test_the_report_is_in_the_papers_order(report):
    categories = variable(report, "categories")
    results = variable(report, "results")
    names = {category: [path for paths in parts.values() for path in paths] for category, parts in categories.items()}
    assert sorted(names) == ["1 Figures", "2 Claims", "5 Data sets", "6 Study"]
    figures = sorted(results[path]["labels"]["figure"] for path in names["1 Figures"])
    assert figures == ["01", "02", "08", "11", "12"]
    titles = {results[path]["labels"]["page"] for path in names["6 Study"]}
    assert titles == {"Hardware, versions and cost", "What the paper leaves open"}


def test_the_first_page_opens_with_the_verdicts_and_links_to_pages_of_the_report(report):
    page = variable(report, "workflow_desc")
    linked = set(re.findall(r"results\['([^']+)'\]\.data_uri", html.unescape(page)))
    assert page.index("The paper's claims: ") < page.index("Study <em>tiny</em>")
    assert {"results/tiny/claims.html", "results/tiny/figures/figure-08.html"} <= linked
    assert linked <= set(variable(report, "results"))


def test_a_figures_page_says_what_was_run_and_shows_its_numbers(finished, report):
    page = pages(report)["results/tiny/figures/figure-08.html"]
    cells, genes = ad.read_h5ad(finished.folder / "results" / "tiny" / "data" / "toy.h5ad").shape
    assert f"What was run: Toy: {cells} cells, {genes} genes, 2 seeds." in page
    assert page.count('src="data:image/webp;base64,') == 1
    assert "figure-08.tsv</a>" in page
    assert "What was run" not in pages(report)["results/tiny/figures/figure-01.html"]


def test_every_page_needs_no_other_file_and_is_small_enough_for_a_frame(report):
    for path, page in pages(report).items():
        assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page), path
        assert "<script" not in page, path
        assert len(page) < 1_500_000, path


def test_what_the_paper_leaves_open_is_said_once(finished, report):
    source = (finished.folder / "docs" / "open-questions.rst").read_text()
    page = pages(report)["results/tiny/pages/open-questions.html"]
    assert page.count("<tr") == source.count("   * - ")
    assert "Where the paper contradicts itself" in page
