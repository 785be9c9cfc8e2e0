"""An edit anywhere in the package reruns the jobs whose results may change by it, and no other.

Nothing is trained: every file of a study is made empty, and a dry run tells which of them an edited file outdates.
"""

import os
import re
from pathlib import Path

import h5py
import pytest

from .conftest import ROOT, STUDY, Repository, new_repository

pytestmark = pytest.mark.xdist_group("dependencies")

EVERYTHING = STUDY | {
    "benchmark": {
        "methods": {"gene_mean": {}, "saver": {}, "zipo": {}},
        "splits": 1,
        "permuted": 1,
        "reference": "gene_mean",
    },
    "tuning": {"trials": 2, "encoders": ["8-4"]},
}
BY_TIME = ("--rerun-triggers", "mtime")


class Finished(Repository):
    """A study whose files are all there, though empty."""

    def planned_after_an_edit(self, path: str) -> dict[str, int]:
        """Jobs that a dry run would start, by rule, after an edit of a file of the package; the edit is taken back."""
        file = self.folder / path
        text, times = file.read_text(), file.stat()
        self.edit(path)
        try:
            return self.planned(*BY_TIME)
        finally:
            file.write_text(text)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Finished:
    """A study of training, search and benchmark."""
    repository = Finished(new_repository(tmp_path_factory.mktemp("dependencies") / "project").folder)
    repository.write_study(EVERYTHING)
    lines = repository.snakemake("--summary").splitlines()
    files = [Path(line.split("\t")[0]) for line in lines if line.startswith("results/")]
    for file in (repository.folder / file for file in files):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        if file.name == "toy.h5ad":  # its size tells what a training needs
            with h5py.File(file, "w") as h5:
                h5.create_group("X").attrs["shape"] = (90, 40)
                h5["X/data"] = [1.0]
    now = os.stat(repository.folder / "results" / "tiny" / "report.html").st_mtime_ns
    for file in files:
        os.utime(repository.folder / file, ns=(now, now))
    return repository


# what the scores lead to: the leaderboard, and four figures that are drawn from it or from single runs
SCORED = {"scores": 3, "scores_table": 1, "leaderboard": 1, "figure": 4, "front": 1}
EDITS = {
    # trained: two settings, the search's trials, and ZiPo on the training molecules and on permuted ones
    "zipo/model/split.py": {
        **{"train": 2, "tune_worker": 1, "denoise": 2, "runs_table": 1, "tune_summary": 1, "provenance": 1},
        **{"claims": 1, "page": 2, "benchmark_views": 1},
        **SCORED | {"scores": 1, "figure": 8},  # not those of the data sets alone
    },
    "zipo/study/search/journal.py": {
        "tune_worker": 1,
        "tune_summary": 1,
        "claims": 1,
        "figure": 1,
        "page": 1,
        "front": 1,
    },
    # the runs of all three methods are checked in chunks, on split and on permuted counts
    "zipo/metrics/shared/chunks.py": SCORED | {"denoise": 6, "permute": 1, "benchmark_views": 1},
    "zipo/metrics/shared/permutation.py": SCORED | {"denoise": 3, "permute": 1},
    "zipo/metrics/cost.py": SCORED,
    "zipo/methods/gene_mean.py": SCORED | {"denoise": 2, "benchmark_views": 1, "scores": 1},
    "zipo/methods/r/saver.R": SCORED | {"denoise": 2, "benchmark_views": 1, "scores": 1},
    "zipo/shared/page.py": {"figure": 10, "page": 4, "claims": 1, "leaderboard": 1, "front": 1},
    "zipo/figures/shared/statistics.py": {"figure": 10, "front": 1},  # every figure's page says what was run
    "zipo/study/claims/evidence.py": {"claims": 1, "front": 1},
}


def test_every_rule_depends_on_the_code_of_its_command():
    text = "\n".join(file.read_text() for file in sorted((ROOT / "workflow" / "rules").glob("*.smk")))
    rules = [
        rule for rule in re.split(r"^ *rule ", text, flags=re.MULTILINE) if '"zipo study' in rule or "exec zipo" in rule
    ]
    # what is fetched depends on its checksum alone; how a data set is read, on its source
    steps = [(re.search(r"zipo study ([a-z0-9-]+)", rule)[1], rule) for rule in rules]
    steps = [(command, rule) for command, rule in steps if not command.startswith("fetch") and command != "prepare"]
    assert len(steps) >= 16
    assert [command for command, rule in steps if f'code_of("{command}"' not in rule] == []


def test_a_finished_study_has_nothing_to_do(finished):
    assert finished.planned(*BY_TIME) == {}


@pytest.mark.parametrize("path", EDITS)
def test_an_edit_reruns_what_depends_on_it(finished, path):
    assert finished.planned_after_an_edit(path) == EDITS[path] | {"report": 1}


def test_an_edit_of_how_counts_are_stored_reruns_all_that_reads_them(finished):
    every_job = finished.planned("--forceall")
    # the configuration, and a page of a text alone, are of no counts
    assert finished.planned_after_an_edit("zipo/datasets/formats/h5ad.py") == {
        rule: count - (rule == "page") for rule, count in every_job.items() if rule != "configuration"
    }


@pytest.mark.parametrize("path", ["zipo/shared/progress.py", "zipo/methods/r/scimpute.R"])
def test_an_edit_of_what_no_result_depends_on_reruns_nothing(finished, path):
    assert finished.planned_after_an_edit(path) == {}
