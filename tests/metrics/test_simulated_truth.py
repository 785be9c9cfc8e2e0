"""Distance from the truth against scanpy's normalisation and numpy's correlations."""

import anndata as ad
import numpy as np
import pytest
import scanpy as sc

from zipo.metrics import simulated_truth
from zipo.metrics.shared import chunks


def test_agrees_with_scanpy_and_numpy(shallow_cases):
    case = shallow_cases["no_denoising"]
    logs = []
    for values in (case.denoised, case.true_means(slice(None))):
        data = ad.AnnData(values.astype(float))
        sc.pp.normalize_total(data, target_sum=1e4)
        sc.pp.log1p(data)
        logs.append(data.X)
    x, y = logs
    scores = simulated_truth.score(case)
    assert scores["truth_mse"] == pytest.approx(np.mean((x - y) ** 2), rel=1e-6)
    by_cell = [np.corrcoef(a, b)[0, 1] for a, b in zip(x, y, strict=True)]
    assert scores["truth_cell_correlation"] == pytest.approx(np.mean(by_cell), rel=1e-6)
    with np.errstate(invalid="ignore"):
        by_gene = [np.corrcoef(a, b)[0, 1] for a, b in zip(x.T, y.T, strict=True)]
    assert scores["truth_gene_correlation"] == pytest.approx(np.mean(np.nan_to_num(by_gene)), rel=1e-6)


def test_constants(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(5, 1, size=(2, 50, 3))
    x[:, 0], y[:, 1] = 7.1, 0.3
    actual = simulated_truth.correlations(simulated_truth.moments(x, y, axis=0), 50)
    assert actual[0] == 0
    assert np.isnan(actual[1])
    assert actual[2] == pytest.approx(np.corrcoef(x[:, 2], y[:, 2])[0, 1])


def test_chunks_change_nothing(shallow_cases, monkeypatch):
    case = shallow_cases["gene_mean"]
    whole = simulated_truth.score(case)
    monkeypatch.setattr(chunks, "ENTRIES", 1100)
    assert simulated_truth.score(case) == pytest.approx(whole, rel=1e-9)
