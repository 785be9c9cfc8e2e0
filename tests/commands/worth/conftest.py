"""Counts of cells that are alike in types and programs, the same counts permuted, and what denoising them is worth."""

import anndata as ad
import pytest
import torch

import zipo
from zipo.commands.worth.permuted import library_groups, permuted_counts
from zipo.datasets.simulation import simulate
from zipo.datasets.sources.simulated import SimulatedSource

SMALL = {"encoder": "16-6", "batch_size": 32, "max_epochs": 12}


@pytest.fixture(scope="session")
def structured() -> ad.AnnData:
    """400 cells x 120 genes of four types and four gene programs; read only."""
    source = SimulatedSource(
        kind="simulated", cells=400, genes=120, cell_types=4, median_library=1500, programs=4, seed=7
    )
    adata = simulate(source)
    adata.layers.clear()
    return adata


@pytest.fixture(scope="session")
def shuffled(structured) -> ad.AnnData:
    """The same cells, with each gene's counts permuted among cells of like library size; read only."""
    adata = structured.copy()
    adata.X = permuted_counts(structured.X, library_groups(structured.X), seed=3)
    return adata


@pytest.fixture(scope="session")
def checked(structured):
    """The structured counts once they are checked, and the result; read only."""
    torch.set_num_threads(1)
    adata = structured.copy()
    return adata, zipo.check(adata, device="cpu", **SMALL)
