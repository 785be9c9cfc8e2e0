"""What the spread over seeds is taken over, with a model of known spread in the place of ZiPo."""

import statistics

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from zipo.model.estimator import ZiPo

SEEDS = [1, 2, 4]


@pytest.fixture
def script(import_script):
    return import_script("seed_spread")


class Drifting:
    """A model whose denoised counts are the counts, those of the second and the last gene changed by the seed."""

    def __init__(self, seed):
        self.factors = np.array([1.0, 1 + 0.1 * seed, 1.0, seed])

    def fit(self, counts):
        return self

    def denoise(self, counts):
        return counts.X.toarray() * self.factors


def test_genes_with_molecules_enough_in_types_with_cells_enough(script, monkeypatch):
    monkeypatch.setattr(ZiPo, "for_data", lambda data, preset, seed, device: Drifting(seed))
    counts = np.full((70, 4), 10.0)
    counts[:, 3] = 1  # 20 or 30 molecules a type, too few, and the largest spread of all
    counts[:20, 1] = 40
    types = np.repeat(["alpha", "beta", "few", None], [20, 30, 19, 1])
    cells = pd.DataFrame({"cell_type": types}, index=[f"cell-{place}" for place in range(70)])
    data = ad.AnnData(csr_matrix(counts), obs=cells)
    data.var_names = ["INS", "MAFA", "GCG", "rare"]
    row = script.spread(data, "paper", SEEDS, "MAFA", "alpha")
    factors = [1.1, 1.2, 1.4]
    expected = statistics.stdev(factors) / statistics.mean(factors)
    assert row["genes"] == 6
    assert row["median"] == 0
    assert row["quantile_90"] == pytest.approx(expected)
    assert row["named"]["variation"] == pytest.approx(expected)
    assert row["named"]["means"] == pytest.approx([44.0, 48.0, 56.0])
    assert "named" not in script.spread(data, "paper", SEEDS, "MAFA", "few")
    assert "named" not in script.spread(data, "paper", SEEDS, "TTR", "beta")


def test_a_gene_that_is_zero_with_all_seeds_does_not_vary(script):
    first, second = np.array([[0.0, 1.0]]), np.array([[0.0, 3.0]])
    np.testing.assert_allclose(script.variation([first, second]), [[0.0, np.sqrt(2) / 2]])
