"""Embedding: clusters that are there are found, scores agree with sklearn on known labels."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score

from zipo.datasets.catalogue import Dataset
from zipo.datasets.prepare import prepare
from zipo.shared.embedding import agreement, leiden
from zipo.study.latent_space import embed
from zipo.study.totals import totals


@pytest.fixture
def blobs():
    """Three well-separated groups of cells in four latents, and their types."""
    rng = np.random.default_rng(3)
    types = np.repeat(["a", "b", "c"], 40)
    centres = {"a": 0.0, "b": 8.0, "c": -8.0}
    latents = rng.normal(size=(120, 4)) + np.array([[centres[t]] * 4 for t in types])
    return latents.astype(np.float32), types


def test_separate_types_agree_with_their_clusters(blobs):
    latents, types = blobs
    scores = agreement(latents, types, seed=1)
    assert scores["ari"] == pytest.approx(1)
    assert scores["nmi"] == pytest.approx(1)
    assert scores["silhouette"] == pytest.approx(silhouette_score(latents, types))


def test_types_at_random_do_not_agree(blobs):
    latents, types = blobs
    shuffled = np.random.default_rng(0).permutation(types)
    assert abs(agreement(latents, shuffled, seed=1)["ari"]) < 0.1


def test_coarse_types_are_not_held_against_fine_clusters():
    """Leiden at resolution 1 splits each of two groups of 300 cells; a lower resolution keeps them whole."""
    rng = np.random.default_rng(4)
    types = np.repeat(["a", "b"], 300)
    latents = (rng.normal(size=(600, 4)) + np.repeat([[0.0], [9.0]], 300, axis=0)).astype(np.float32)
    (at_one,) = leiden(latents, seed=1)
    assert adjusted_rand_score(types, at_one) < 0.5
    assert agreement(latents, types, seed=1)["ari"] == pytest.approx(1)


def test_every_cell_is_placed_and_the_tables_name_what_they_show(tmp_path):
    source = {"kind": "simulated", "cells": 60, "genes": 30, "median_library": 300}
    data = tmp_path / "toy.h5ad"
    prepare("toy", Dataset(title="Toy", source=source), tmp_path, data)
    rng = np.random.default_rng(5)
    latents = tmp_path / "latents.npz"
    values = rng.normal(size=(2, 60, 3))
    np.savez(latents, latents=values, setting="zipo-8x3-abc", likelihood="zinb", seeds=[4, 5])
    further = tmp_path / "further.npz"
    diverged = np.full((1, 60, 3), np.nan)
    np.savez(further, latents=[*values[:1], *diverged], setting="zipo-8x3-abc", likelihood="zinb", seeds=[6, 7])
    places, scores = embed([(data, latents), (data, further)], seed=1)
    assert len(places) == 60
    assert np.isfinite(places[["x", "y"]]).all(axis=None)
    assert set(places["model"]) == {"ZINB"}
    assert scores[["dataset", "setting", "seed", "cells"]].iloc[0].tolist() == ["toy", "zipo-8x3-abc", 4, 60]
    assert scores["seed"].tolist() == [4, 5, 6]
    assert scores.loc[0, ["silhouette", "ari", "nmi"]].tolist() == scores.loc[2, ["silhouette", "ari", "nmi"]].tolist()
    again, _ = embed([(data, latents)], seed=1)
    pd.testing.assert_frame_equal(places, again)


def test_totals_are_the_sums_of_the_counts(tmp_path):
    import anndata as ad

    source = {"kind": "simulated", "cells": 20, "genes": 15, "median_library": 100}
    data = tmp_path / "toy.h5ad"
    prepare("toy", Dataset(title="Toy", source=source), tmp_path, data)
    counts = ad.read_h5ad(data).X.toarray()
    table = totals([data])
    np.testing.assert_array_equal(table.query("of == 'cell'")["total"], counts.sum(1))
    np.testing.assert_array_equal(table.query("of == 'gene'")["total"], counts.sum(0))
    assert set(table["dataset"]) == {"toy"}
