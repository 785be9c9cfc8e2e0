"""Which molecules choose ZiPo's epoch, and which tell how good it is; no test of speeds."""

import importlib
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix, load_npz
from sklearn.metrics import mean_poisson_deviance


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2] / "benchmarks")
    return importlib.import_module("time_to_quality")


def test_molecules_are_parted_in_three_and_each_part_is_scored_by_its_size(script, tmp_path):
    counts = np.random.default_rng(1).poisson(40.0, size=(60, 20)).astype(np.float32)
    ad.AnnData(csr_matrix(counts)).write_h5ad(tmp_path / "counts.h5ad")
    script.split_molecules(tmp_path / "counts.h5ad", tmp_path)
    training = ad.read_h5ad(tmp_path / "training.h5ad").X.toarray()
    validation, test = (load_npz(tmp_path / f"{part}.npz").toarray() for part in ("validation", "test"))
    np.testing.assert_array_equal(training + validation + test, counts)
    for part, share in ((training, 0.9), (validation, 0.05), (test, 0.05)):
        assert part.sum() / counts.sum() == pytest.approx(share, abs=0.01)
    found = script.deviances(tmp_path, np.full((60, 20), 36.0))  # 36 in training are 2 in each of the others
    expected = [mean_poisson_deviance(part.ravel(), np.full(1200, 2.0)) for part in (validation, test)]
    assert [found["validation"], found["test"]] == pytest.approx(expected)


def test_the_epoch_is_chosen_without_a_look_at_the_test_molecules(script):
    curve = [
        {"seconds": 1.0, "validation": 0.5, "test": 0.1},
        {"seconds": 2.0, "validation": 0.3, "test": 0.6},
        {"seconds": 3.0, "validation": 0.2, "test": 0.2},
    ]
    assert script.first_as_good(curve, 0.3) is curve[1]
    assert script.first_as_good(curve, 0.1) is None
