"""Clusters against known types, on latents and on components of denoised counts."""

import dataclasses

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from zipo.metrics import clusters_denoised, clusters_latent
from zipo.metrics.shared import chunks
from zipo.metrics.shared.components import principal_components


def test_components_agree_with_sklearn(shallow_cases, monkeypatch):
    """The components that tell four types apart; those of noise only in how much of it they hold."""
    x = shallow_cases["oracle"].denoised
    exact = PCA(8, svd_solver="full").fit_transform(np.log1p(1e4 * x / x.sum(1, keepdims=True)))
    monkeypatch.setattr(chunks, "ENTRIES", 11_000)
    actual = principal_components(x, 8, seed=1)
    for ours, theirs in zip(actual.T[:3], exact.T[:3], strict=True):
        np.testing.assert_allclose(ours * np.sign(ours @ theirs), theirs, atol=1e-3 * np.abs(exact).max())
    assert np.square(actual).sum() == pytest.approx(np.square(exact).sum(), rel=0.01)
    np.testing.assert_array_equal(principal_components(x, 8, seed=1), actual)


def test_components_of_few_cells_and_of_nothing():
    assert principal_components(np.ones((4, 9), dtype=np.float32), 50, seed=1).shape == (4, 3)
    assert not principal_components(np.zeros((30, 9), dtype=np.float32), 5, seed=1).any()


def test_the_truth_agrees_with_the_types_best(shallow_cases):
    scores = {name: clusters_denoised.score(case) for name, case in shallow_cases.items()}
    for measure in clusters_denoised.measures:
        oracle, none, mean, zeros = (scores[name][measure] for name in shallow_cases)
        assert oracle > none > max(mean, zeros) + 0.05


def test_latents_of_cells_with_a_type_are_scored(shallow_cases):
    case = shallow_cases["no_denoising"]
    rng = np.random.default_rng(1)
    codes = np.unique(case.cell_types, return_inverse=True)[1]
    latent = np.eye(4)[codes] * 8 + rng.normal(size=(len(codes), 4))
    scored = np.concatenate([np.flatnonzero(codes == code)[:40] for code in range(4)])
    types = np.full_like(case.cell_types, "")
    types[scored] = case.cell_types[scored]
    latent[types == ""] = 99.0
    scores = clusters_latent.score(dataclasses.replace(case, latent=latent, cell_types=types))
    assert scores["latent_ari"] == pytest.approx(1)
    assert scores["latent_nmi"] == pytest.approx(1)
    expected = silhouette_score(latent[scored], types[scored])
    assert scores["latent_silhouette"] == pytest.approx(expected, rel=1e-5)
