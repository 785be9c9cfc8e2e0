"""A tiny study run once through Snakemake, of which each test gets a copy to change."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SOURCES = ["Snakefile", "workflow", "config", "docs", "envs", "profiles", "slurm", "zipo", "pyproject.toml"]

STUDY = {
    "study": "tiny",
    "title": "A tiny study",
    "datasets": {"toy": {}},
    "default_dataset": "toy",
    "seeds": 2,
    "prune_thresholds": [0.001, 0.1],
    "parameters": {"encoder": "8-4", "batch_size": 32, "max_epochs": 2},
    "experiments": {
        "alpha_z": {"grid": {"alpha_z": [0.1, 1]}},
        "likelihood": {"points": [{"likelihood": "zip"}]},
    },
}
LAST_FIGURE = "figure_20"
"""Tests count the jobs of the figures up to this; one that is added later is not among them."""
DATASET = {
    "title": "Toy",
    "source": {"kind": "simulated", "cells": 90, "genes": 40, "cell_types": 2, "median_library": 100},
}


class Repository:
    """A copy of the project with a tiny study, and Snakemake to run it."""

    def __init__(self, folder: Path):
        self.folder = folder

    def snakemake(self, *arguments: str) -> str:
        """What Snakemake prints; fails the test if it fails."""
        done = self.try_snakemake(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def try_snakemake(self, *arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        if "--configfile" not in arguments:
            command += ["--configfile", "config/tiny.yaml"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            command, cwd=self.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def planned(self, *arguments: str) -> dict[str, int]:
        """Jobs that a dry run would start, by rule."""
        lines = self.snakemake("--dry-run", *arguments).splitlines()
        if "Job stats:" not in lines:
            return {}
        table = lines[lines.index("Job stats:") + 3 :]
        jobs = (line.split() for line in table[: table.index("")])
        return {name: int(count) for name, count in jobs if name not in ("all", "total")}

    def edit(self, path: str, text: str = "\n# an edit\n") -> None:
        """Append text to a file."""
        with (self.folder / path).open("a") as file:
            file.write(text)

    def add_dataset(self, name: str, entry: dict) -> None:
        """Add a data set to the catalogue."""
        with (self.folder / "config" / "datasets.yaml").open("a") as file:
            yaml.safe_dump({name: entry}, file)

    def write_study(self, study: dict) -> None:
        (self.folder / "config" / "tiny.yaml").write_text(yaml.safe_dump(study))


def new_repository(folder: Path) -> Repository:
    """The project's files with the tiny study added, and nothing run."""
    folder.mkdir()
    for name in SOURCES:
        source = ROOT / name
        ignore = shutil.ignore_patterns("*.pyc")  # but not the compiled kernels, which take long to make
        shutil.copytree(source, folder / name, ignore=ignore) if source.is_dir() else shutil.copy2(
            source, folder / name
        )
    for file in (folder / "zipo" / "figures").glob("figure_*.py"):
        if file.stem > LAST_FIGURE:
            file.unlink()
    repository = Repository(folder)
    repository.add_dataset("toy", DATASET)
    repository.write_study(STUDY)
    return repository


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Repository:
    """The tiny study, run to its end; read only."""
    repository = new_repository(tmp_path_factory.mktemp("finished") / "project")
    repository.snakemake()
    return repository


@pytest.fixture
def repository(finished, tmp_path) -> Repository:
    """A copy of the finished study, with its times and records."""
    folder = tmp_path / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Repository(folder)
