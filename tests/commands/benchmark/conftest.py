"""A catalogue of one small data set, methods of a few lines, and a benchmark of one that has run to its end."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from zipo.commands.benchmark import setup

SOURCE = {"kind": "simulated", "cells": 120, "genes": 50, "cell_types": 2, "median_library": 200.0, "seed": 5}
CATALOGUE = {
    "tiny": {"title": "Tiny", "source": SOURCE},
    "other": {"title": "Other", "source": SOURCE | {"seed": 6}},
}
CONFIG = {
    "study": "published",
    "title": "The published",
    "datasets": {"tiny": {"filters": {"min_cells": 5}}},
    "default_dataset": "tiny",
    "benchmark": {"splits": 2, "first_split": 3, "seconds": 60},
}
METHOD = """import anndata as ad
name = "mine"
env = None
parameters = {"strength": 0.5}
seeded = False
keeps_library = True
scale = source = "none"


def denoise(counts, *, seed, strength):
    matrix = counts.X.toarray()
    library, shares = matrix.sum(axis=1, keepdims=True), matrix.sum(axis=0) / matrix.sum()
    denoised = counts.copy()
    denoised.layers["denoised"] = (1 - strength) * matrix + strength * library * shares
    return denoised
"""
RUN = """import sys; from pathlib import Path; from zipo import cli; from zipo.commands.benchmark import setup
setup.PUBLISHED, setup.STORED = Path(sys.argv.pop(1)), []; sys.argv[0] = "zipo"; cli.main()"""


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> Path:
    """A folder with the catalogue and the configuration of a benchmark."""
    folder = tmp_path_factory.mktemp("published")
    for name, values in (("datasets", CATALOGUE), ("config", CONFIG)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(values))
    return folder


@pytest.fixture(scope="session")
def finished(published, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    """The folder of a finished benchmark of mine.py, and what the command printed."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "mine.py").write_text(METHOD)
    command = [sys.executable, "-c", RUN, str(published), "benchmark", "mine.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.fixture
def _published(published, monkeypatch):
    """The catalogue and the configuration in the place of those of the package; no stored scores."""
    monkeypatch.setattr(setup, "PUBLISHED", published)
    monkeypatch.setattr(setup, "STORED", [])
