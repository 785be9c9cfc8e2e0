"""Data and models that several tests share."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix

from zipo.datasets.simulation import simulate
from zipo.datasets.sources.simulated import SimulatedSource

pytest_plugins = ["tests.reliability", "tests.methods.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def _one_thread_from_the_start():
    """Fixtures of a module come before those of its tests, and their numbers hang on the threads too."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _one_thread(_one_thread_from_the_start):
    """Tests run side by side; one thread each."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def simulated() -> ad.AnnData:
    """A simulated data set with zero inflation and known truth; read only."""
    source = SimulatedSource(
        kind="simulated",
        cells=600,
        genes=150,
        cell_types=4,
        median_library=400,
        dropout_midpoint=-1.0,
        seed=7,
    )
    return simulate(source)


@pytest.fixture
def counts() -> ad.AnnData:
    """A dozen cells x 5 genes of small counts with labels and a continuous covariate."""
    rng = np.random.default_rng(3)
    matrix = rng.poisson(2.0, size=(12, 5)) + np.eye(12, 5, dtype=int)
    matrix[:, 0] += 1
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical(["a", "b", "c"] * 4), "age": np.arange(12.0)},
        index=[f"cell-{i}" for i in range(12)],
    )
    return ad.AnnData(
        csr_matrix(matrix.astype(np.float32)),
        obs=obs,
        var=pd.DataFrame(index=[f"gene-{j}" for j in range(5)]),
    )
