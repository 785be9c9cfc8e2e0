"""A model of two kinds of cells, trained for a few epochs."""

import pytest

from zipo.datasets.simulation import simulate
from zipo.datasets.sources.simulated import SimulatedSource
from zipo.model.estimator import ZiPo


@pytest.fixture(scope="session")
def cells():
    """200 cells x 50 genes with a cell type; read only."""
    source = SimulatedSource(kind="simulated", cells=200, genes=50, cell_types=3, median_library=300, seed=5)
    adata = simulate(source)
    adata.layers.clear()
    return adata


@pytest.fixture(scope="session")
def model(cells):
    return trained(cells, 1)


@pytest.fixture(scope="session")
def other(cells):
    return trained(cells, 2)


def trained(cells, seed):
    return ZiPo(encoder="12-6-4", batch_size=32, max_epochs=8, seed=seed).fit(cells)
