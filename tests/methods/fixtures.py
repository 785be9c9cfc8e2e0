"""Counts with all that a method must get along with, and methods of a few lines."""

import time
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from zipo.methods import Method

CELLS, GENES = 200, 90
EMPTY_CELL, LONE_CELL, EMPTY_GENE, LONE_GENE = 3, 5, 7, 11


@pytest.fixture(scope="session")
def awkward(tmp_path_factory) -> Path:
    """An .h5ad of counts of three types of cells, with the truth: one cell without counts and one with a single
    count, one gene without counts and one seen in a single cell."""
    rng = np.random.default_rng(11)
    shares = rng.gamma(0.7, size=(3, GENES))
    types = rng.integers(3, size=CELLS)
    rates = (shares / shares.sum(axis=1, keepdims=True))[types] * rng.lognormal(5.5, 0.4, size=(CELLS, 1))
    x = rng.poisson(rates)
    x[EMPTY_CELL] = x[LONE_CELL] = 0
    x[:, EMPTY_GENE] = x[:, LONE_GENE] = 0
    x[LONE_CELL, 0] = 1
    x[20, LONE_GENE] = 2
    counts = ad.AnnData(csr_matrix(x.astype(np.float32)))
    counts.obs_names = [f"cell-{i}" for i in range(CELLS)]
    counts.var_names = [f"gene-{j}" for j in range(GENES)]
    counts.obs["cell_type"] = types.astype(str)
    counts.obs["batch"] = np.array(["one", "two"])[types % 2]
    counts.layers["true_rates"] = counts.layers["true_state_rates"] = rates.astype(np.float32)
    counts.var["true_dispersion"] = 0.0
    file = tmp_path_factory.mktemp("counts") / "awkward.h5ad"
    counts.write_h5ad(file)
    return file


@pytest.fixture
def written(tmp_path) -> Callable[..., Method]:
    """Makes a method whose function has the lines given; `x` are the counts as an array."""

    def write(*lines: str, **declared) -> Method:
        head = ["import os, signal, sys, time", "import anndata as ad, numpy as np", "parameters = {}"]
        body = ["x = np.asarray(counts.X.todense() if hasattr(counts.X, 'todense') else counts.X)", *lines]
        body += ["return counts"]
        if declared.get("sees_truth"):
            head.append("sees_truth = True")
        file = tmp_path / "methods" / "dropped.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join([*head, "def denoise(counts, *, seed):", *(f"    {line}" for line in body)]))
        return Method("dropped", file, **{"keeps_library": True} | declared)

    return write


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_gone(pid: int) -> bool:
    """Whether a process ends within seconds; one that no parent waits for may stay as a zombie."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False
