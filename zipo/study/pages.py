"""Pages of a study's report beside those of its figures, its claims and its leaderboard."""

from dataclasses import dataclass

from zipo.study.paths import Paths


@dataclass(frozen=True)
class Page:
    """A page of the report: tables, pictures and texts, one below the other."""

    category: str
    """Chapter of the report, which sorts them by name, hence the numbers."""
    title: str
    caption: str
    sources: list[str]
    """Files that the page shows."""


def pages_of(paths: Paths, open_questions: str, *, has_runs: bool, has_search: bool) -> dict[str, Page]:
    """The pages of a study by name; `open_questions` is the text on what the paper leaves open."""
    pages = {
        "table-1": Page(
            "5 Data sets",
            "Table I: the data sets",
            "Cells, genes, share of nonzero counts and median library size of each data set, before and after filters; "
            "beside them the paper's Table I, and a remark where the two differ.",
            [paths.file("table-1.tsv")],
        ),
        "open-questions": Page(
            "6 Study",
            "What the paper leaves open",
            "Each choice is a key of the configuration; the other readings are its other values.",
            [open_questions],
        ),
    }
    if has_runs:
        pages["provenance"] = Page(
            "6 Study",
            "Hardware, versions and cost",
            "What the runs of this study ran on, with which versions and commit of the code, and what they cost.",
            [paths.file("provenance.tsv")],
        )
    if has_search:
        pages["tuning"] = Page(
            "4 Hyper-parameters",
            "Search for hyper-parameters",
            "The validation NLL of every trial that came to its end, and the lowest so far (ticks at the bottom are "
            "trials that did not); how much of its variance over the trials each hyper-parameter explains, by "
            "functional analysis of variance as in Optuna, which is rough with few trials; the best trial, from which "
            "another experiment starts by base: and the path of best.yaml; and all trials. The search sees the "
            "validation NLL alone.",
            [
                paths.figure("png", "tuning-history"),
                paths.figure("png", "tuning-importances"),
                paths.file("best.yaml"),
                paths.file("trials.tsv"),
            ],
        )
    return pages
