"""MAGIC's scale, with its diffusion replaced by one that is known; the package itself runs in the tests of all."""

import sys
import types

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from zipo.methods import magic


class Averages:
    """In the place of magic.MAGIC: the mean of all cells; notes what the graph was made of."""

    def __init__(self, **parameters):
        self.parameters = parameters

    def fit(self, graph_of):
        Averages.graph_of = graph_of
        return self

    def transform(self, values):
        return np.ones((len(values), 1)) * values.mean(axis=0)


def test_a_gene_keeps_its_mean(monkeypatch):
    """Cells of one library size, a gene of mean 0.1: squares of averaged roots would give 0.01."""
    monkeypatch.setitem(sys.modules, "magic", types.SimpleNamespace(MAGIC=Averages))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    rare = np.arange(100) < 10
    x = np.column_stack([rare, 50 - rare, np.full(100, 50)]).astype(np.float32)
    denoised = magic.denoise(ad.AnnData(csr_matrix(x)), seed=1, **magic.parameters).layers["denoised"]
    np.testing.assert_allclose(denoised, np.tile([0.1, 49.9, 50], (100, 1)), rtol=1e-5)
    np.testing.assert_allclose(Averages.graph_of, np.sqrt(x))


def test_cells_add_up_to_their_own_counts(monkeypatch, counts):
    monkeypatch.setitem(sys.modules, "magic", types.SimpleNamespace(MAGIC=Averages))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    denoised = magic.denoise(counts, seed=1, **magic.parameters).layers["denoised"]
    library = counts.X.toarray().sum(axis=1)
    assert denoised.sum(axis=1) == pytest.approx(library, rel=1e-5)
