"""A small data set on disk, and the command line within the test's own process."""

import sys

import numpy as np
import pytest

from zipo import cli
from zipo.datasets.simulation import simulate
from zipo.datasets.sources.simulated import SimulatedSource

SMALL = ("--set", "encoder=8-4", "--set", "batch_size=32", "--epochs", "3")


@pytest.fixture(scope="session")
def cells():
    """150 cells x 60 genes with a cell type, a donor and an age; read only."""
    source = SimulatedSource(kind="simulated", cells=150, genes=60, cell_types=3, median_library=200, seed=7)
    adata = simulate(source)
    adata.layers.clear()
    adata.obs["donor"] = np.where(np.arange(150) % 2, "A", "B")
    adata.obs["age"] = np.arange(150.0)
    return adata


@pytest.fixture
def source(cells, tmp_path):
    """The cells as an .h5ad, in CSR, so that it is read in backed mode."""
    path = tmp_path / "in.h5ad"
    cells.write_h5ad(path)
    return path


@pytest.fixture
def zipo(monkeypatch, capsys):
    """Runs a command; gives its exit code, and what it wrote on standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["zipo", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        written = capsys.readouterr()
        return ended.value.code, written.out, written.err

    return run
