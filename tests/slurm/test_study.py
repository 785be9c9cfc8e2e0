"""A small study on a real cluster of one node, by the profile in slurm/."""

import re
from collections import Counter

import pandas as pd
import pytest

from ..workflow.conftest import new_repository
from .conftest import SMALL, ClusterStudy

pytestmark = pytest.mark.xdist_group("slurm")  # one worker, so that there is one cluster

TARGETS = [f"results/tiny/{name}" for name in ("runs.parquet", "runs.tsv", "table-1.tsv", "figures/figure-08.png")]
# columns of the runs table that say how long and on what
TIMES = ["seconds", "seconds_per_epoch", "compute_seconds", "cells_per_second", "peak_memory_mb"]


@pytest.fixture(scope="module")
def done(cluster, tmp_path_factory) -> tuple[ClusterStudy, str]:
    """The tiny study with a job a seed, run on the cluster, and what Snakemake printed."""
    repository = new_repository(tmp_path_factory.mktemp("done") / "project")
    repository.write_study(SMALL | {"seeds_per_job": 1})
    study = ClusterStudy(repository, cluster)
    return study, study.snakemake("--", *TARGETS)


def submitted(study: ClusterStudy, output: str) -> list[tuple[str, str, str]]:
    """Rule, state and number of each job that Snakemake submitted, by squeue and Snakemake's word."""
    numbers = re.findall(r"SLURM jobid (\d+)", output)
    jobs = [job for job in study.cluster.jobs() if job.number in numbers]
    return [(re.match("rule_([a-z]+)", job.comment)[1], job.state, job.number) for job in jobs]


def test_data_and_training_run_as_jobs(done):
    study, output = done
    jobs = submitted(study, output)
    assert {state for _, state, _ in jobs} == {"COMPLETED"}
    assert Counter(rule for rule, _, _ in jobs) == {"prepare": 1, "train": 2}
    assert Counter(re.findall(r"localrule (\w+):", output)) == {"table_1": 1, "runs_table": 1, "figure": 1}


def test_training_jobs_have_a_gpu_of_their_own(done):
    study, output = done
    seen = study.cluster.devices()
    for rule, _, number in submitted(study, output):
        assert seen[number] in ([{"0"}, {"1"}] if rule == "train" else [{""}]), rule


def test_a_second_call_has_nothing_to_do(done):
    assert "Nothing to be done" in done[0].snakemake("--", *TARGETS)


def test_runs_are_those_of_a_local_study(done, tmp_path):
    local = new_repository(tmp_path / "project")
    local.write_study(SMALL)
    local.snakemake("results/tiny/runs.parquet")
    here, there = (pd.read_parquet(study.folder / "results/tiny/runs.parquet") for study in (local, done[0]))
    assert len(here) == 2
    pd.testing.assert_frame_equal(here.drop(columns=TIMES), there.drop(columns=TIMES), check_exact=True)


def test_logs_of_jobs_are_kept_where_they_failed(done):
    study, _ = done
    rows = next((study.folder / "results/tiny/runs").rglob("seeds-2.json"))
    assert (study.folder / "results/tiny/logs/train" / rows.parent.name / "seeds-2.log").read_text()
    assert not list((study.folder / "results/slurm").rglob("*.log"))
    (study.folder / "zipo/study/run.py").write_text("raise SystemExit('out of order')\n")

    failed = study.try_snakemake("--retries", "0", "--", str(rows.relative_to(study.folder)))
    assert failed.returncode == 1
    assert "out of order" in failed.stdout
    jobs = submitted(study, failed.stdout)
    assert [job[:2] for job in jobs] == [("train", "FAILED")]
    assert (study.folder / f"results/slurm/rule_train/{rows.parent.name}_2/{jobs[0][2]}.log").exists()
