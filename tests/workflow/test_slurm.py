"""`snakemake --profile slurm`: what it plans with neither SLURM nor a GPU at hand, and what its profile may not say."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest
import yaml

from .conftest import ROOT, new_repository

pytestmark = pytest.mark.xdist_group("workflow")

RULE = re.compile(r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    resources: (.*)", re.MULTILINE)


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> str:
    """What `snakemake --profile slurm -n` prints where there is neither SLURM nor much else."""
    folder = tmp_path_factory.mktemp("plan")
    repository = new_repository(folder / "project")
    programs = folder / "programs"
    programs.mkdir()
    for name in ("bash", "which"):
        (programs / name).symlink_to(shutil.which(name))
    environment = {name: value for name, value in os.environ.items() if name != "SYNAPSE_AUTH_TOKEN"}
    environment |= {"PATH": str(programs), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "snakemake", "--profile", "slurm", "-n"]
    done = subprocess.run(
        command, cwd=repository.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def read(profile: str) -> dict:
    return yaml.safe_load((ROOT / profile / "profile.yaml").read_text())


def test_the_papers_study_is_planned_without_slurm(plan):
    assert "sinfo" not in plan
    jobs = Counter(name for name, _ in RULE.findall(plan))
    assert jobs["train"] == 204
    assert jobs["tune_worker"] == 4
    assert re.search(r"^total +243$", plan, re.MULTILINE)


def test_training_asks_for_a_gpu_and_everything_else_for_none(plan):
    for name, resources in RULE.findall(plan):
        values = dict(pair.split("=") for pair in resources.split(", "))
        wants = (values.get("gpu"), values.get("slurm_partition"))
        assert wants == (("1", "gpu") if name in ("train", "tune_worker") else (None, None)), name
        assert int(values["mem_mb"]) > 0, name
        assert int(values["runtime"]) > 0, name


def test_the_page_tells_the_plans_numbers(plan):
    jobs = Counter(name for name, _ in RULE.findall(plan))
    page = (ROOT / "slurm" / "README.md").read_text()
    on_cluster = {name: jobs[name] for name in ("train", "tune_worker", "prepare", "totals", "embed")}
    assert f"{sum(on_cluster.values())} are jobs of the cluster: {jobs['train']} trainings" in page


def test_the_profile_names_rules_that_exist():
    text = "\n".join(file.read_text() for file in (ROOT / "workflow" / "rules").glob("*.smk"))
    rules = set(re.findall(r"^ *rule (\w+):", text, re.MULTILINE))
    assert set(read("slurm")["set-resources"]) <= rules  # Snakemake passes over others in silence


def test_the_two_profiles_agree():
    """Both are read, and what profiles/default says would go before."""
    default, slurm = read("profiles/default"), read("slurm")
    shared = default.keys() & slurm.keys()
    assert {key: slurm[key] for key in shared} == {key: default[key] for key in shared}
    assert not {"executor", "configfile", "jobs", "default-resources", "set-resources"} & default.keys()
