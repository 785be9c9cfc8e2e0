"""A study in another folder, with options, from a notebook, as a module: one tree, one configuration, one report."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from .conftest import STUDY, Repository, new_repository

pytestmark = pytest.mark.xdist_group("elsewhere")

MARK = "the tree that plans"
MODULE = """
configfile: "mine.yaml"

module zipo:
    snakefile: "{root}/Snakefile"
    config: config
    {more}

use rule * from zipo as zipo_*
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Repository:
    """A clone whose package differs from the one that is installed."""
    repository = new_repository(tmp_path_factory.mktemp("a clone") / "project")
    repository.write_study(STUDY | {"experiments": {"alpha_z": {"grid": {"alpha_z": [1]}}}})
    repository.edit("zipo/datasets/prepare.py", f"\nimport sys\nprint({MARK!r}, file=sys.stderr)\n")
    return repository


def snakemake(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    """Snakemake, started in a folder with some variables of the environment."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"} | variables,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.fixture(scope="module")
def elsewhere(repository, tmp_path_factory) -> Path:
    """The results of a study that ran elsewhere, changed by a second file and by options."""
    folder = tmp_path_factory.mktemp("elsewhere")
    # another package lies there, as in a second clone; it would end each job that took it
    (folder / "zipo").mkdir()
    (folder / "zipo" / "__init__.py").write_text("raise SystemExit('the package of the working folder')\n")
    more = repository.folder / "config" / "more.yaml"
    more.write_text("title: Seen by none\nparameters: {likelihood: poisson}\n")
    done = snakemake(
        repository.folder,
        *("--directory", str(folder), "--configfile", "config/tiny.yaml", "config/more.yaml"),
        *(
            "--config",
            "study=other",
            "seeds=1",
            "title=Renamed: again",
            "parameters={alpha_w: 1e-4}",
            "update_lock=true",
        ),
        PYTHONSAFEPATH="1",
        MPLBACKEND="module://matplotlib_inline.backend_inline",
    )
    assert done.returncode == 0, done.stdout
    return folder / "results" / "other"


def test_jobs_run_the_package_that_plans(elsewhere, repository):
    assert (elsewhere / "logs" / "prepare" / "toy.log").read_text() == f"{MARK}\n"
    assert not (repository.folder / "results").exists()
    assert (elsewhere / "figures" / "figure-08.png").read_bytes().startswith(b"\x89PNG")


def test_the_report_is_of_the_study_that_ran(elsewhere, repository):
    runs = pd.read_parquet(elsewhere / "runs.parquet")
    assert (set(runs["study"]), set(runs["seed"]), set(runs["alpha_w"])) == ({"other"}, {1}, {1e-4})
    assert set(runs["likelihood"]) == {"poisson"}
    report = (elsewhere / "report.html").read_text()
    assert "Renamed: again" in report
    assert re.search(r"experiments alpha_z;\\n1 seed\b", report)
    assert "A tiny study" not in report
    assert "Renamed: again" in (elsewhere / "claims.html").read_text()
    written = yaml.safe_load((elsewhere / "config.yaml").read_text())
    tiny = yaml.safe_load((repository.folder / "config" / "tiny.yaml").read_text())
    assert written == tiny | {
        "study": "other",
        "title": "Renamed: again",
        "seeds": 1,
        "parameters": tiny["parameters"] | {"likelihood": "poisson", "alpha_w": 1e-4},
    }


def test_what_ran_is_a_study_by_itself_and_has_nothing_to_do(elsewhere, repository):
    arguments = ("--snakefile", str(repository.folder / "Snakefile"), "--configfile", "results/other/config.yaml", "-n")
    done = snakemake(elsewhere.parents[1], *arguments)
    assert done.returncode == 0, done.stdout
    assert "Nothing to be done" in done.stdout


def test_a_snakefile_of_ones_own_includes_the_study(repository, tmp_path):
    (tmp_path / "mine.yaml").write_text((repository.folder / "config" / "tiny.yaml").read_text())
    snakefile = tmp_path / "Snakefile"
    snakefile.write_text(MODULE.format(root=repository.folder, more=""))
    done = snakemake(tmp_path, "zipo_table-1")
    assert done.returncode == 0, done.stdout
    assert pd.read_csv(tmp_path / "results" / "tiny" / "table-1.tsv", sep="\t")["cells_after"].tolist() == [90]
    assert (tmp_path / "results" / "tiny" / "logs" / "prepare" / "toy.log").read_text() == f"{MARK}\n"
    snakefile.write_text(MODULE.format(root=repository.folder, more="prefix: 'inner'"))
    done = snakemake(tmp_path, "-n")
    assert done.returncode != 0
    assert "module zipo: its files are in results/tiny and nowhere else; leave out prefix" in done.stdout
