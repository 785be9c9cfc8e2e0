"""The logger plugin: the line of progress and its estimate, and what is shown of a workflow with a failing job."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

PLUGIN = ROOT / "workflow" / "logger"
WORKFLOW = """
rule all:
    input:
        expand("out/{name}", name=["a", "b"]),
        "bad",

rule make:
    output:
        "out/{name}",
    shell:
        "touch {output}"

rule bad:
    output:
        "bad",
    log:
        "logs/bad.log",
    shell:
        "echo it broke here > {log}; test -e mended && touch {output}"
"""


@pytest.fixture
def progress(monkeypatch):
    monkeypatch.syspath_prepend(str(PLUGIN))
    from snakemake_logger_plugin_progress.progress import Progress

    return Progress()


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "Snakefile").write_text(WORKFLOW)
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--keep-going", "--logger", "progress", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(PLUGIN)}
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def test_the_time_left_is_work_left_by_jobs_at_a_time(progress):
    progress.plan({"train": 4, "draw": 2})
    progress.start(1, "train", {"setting": "a"}, 0)
    progress.start(2, "train", {"setting": "b"}, 0)
    assert progress.seconds_left(0, 5) is None
    progress.finish(1, 10)
    progress.finish(2, 30)
    progress.start(3, "train", {"setting": "c"}, 30)
    progress.start(4, "draw", {"figure": "f"}, 30)
    # two trainings and two drawings of 20 s each are left, of which two jobs have run for 4 s; the first 34 s saw 48 s
    # of work
    assert progress.seconds_left(0, 34) == pytest.approx((4 * 20 - 2 * 4) / (48 / 34))
    progress.finish(4, 35)
    # a drawing takes 5 s, it is known now
    assert progress.seconds_left(0, 40) == pytest.approx((2 * 20 - 10 + 5) / ((40 + 5 + 10) / 40))


def test_the_line_says_what_is_done_and_what_runs(progress):
    progress.plan({"train": 8, "figure": 1})
    progress.start(1, "train", {"setting": "a", "seeds": "1-3"}, 0)
    progress.start(2, "figure", {"figure": "figure-08"}, 0)
    assert progress.line(0, 1) == "0 of 9 jobs, now: train a 1-3; figure-08"
    progress.finish(2, 120)
    progress.finish(1, 120)
    for number in range(3, 7):
        progress.start(number, "train", {"setting": "b"}, 120)
    assert progress.line(0, 120) == "2 of 9 jobs, about 7 min left, now: 4 train"
    assert progress.fail(3, "b.log") == "train b"
    assert ", 1 failed," in progress.line(0, 121)
    # it runs again and succeeds
    progress.start(3, "train", {"setting": "b"}, 122)
    progress.finish(3, 240)
    assert "failed" not in progress.line(0, 240)


def test_a_failing_job_is_shown_with_its_log_and_the_rest_in_a_few_lines(folder):
    done = run(folder)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines[0] == "4 jobs on 2 cores, of them 2 make"
    assert "it broke here" in lines
    assert "Logfile logs/bad.log:" in lines
    assert lines[-3:-1] == ["1 job failed; logs:", "    logs/bad.log"]
    assert lines[-1].startswith("2 of 4 jobs done in ")
    assert "CalledProcessError" not in done.stdout
    assert "rule make" not in done.stdout

    (folder / "mended").touch()
    again = run(folder)
    assert again.returncode == 0
    assert "2 of 2 jobs done" in again.stdout.splitlines()[-1]
    assert run(folder).stdout == "Nothing to be done (all requested files are present and up to date).\n"


def test_verbose_and_dry_runs_show_each_job(folder):
    planned = run(folder, "--dry-run").stdout
    assert "rule make:" in planned
    assert "wildcards: name=a" in planned
    assert "Error in rule bad:" in run(folder, "--printshellcmds").stdout


def test_the_study_says_where_its_results_will_be(finished):
    log = max((finished.folder / ".snakemake" / "log").glob("*.log"), key=lambda file: file.stat().st_size)
    assert f"A tiny study: results will be in {finished.folder}/results/tiny" in log.read_text()
