"""What is scored of methods whose time is taken; no test of speeds."""

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import mean_poisson_deviance

from zipo.datasets.thinning import thin


@pytest.fixture
def script(import_script):
    return import_script("time_to_quality")


def test_a_method_is_scored_on_the_molecules_that_it_has_not_seen(script, tmp_path):
    counts = csr_matrix(np.random.default_rng(1).poisson(40.0, size=(60, 20)).astype(np.float32))
    training, held_out = thin(counts, 0.9, 1)
    ad.AnnData(training).write_h5ad(tmp_path / "training.h5ad")
    measured = script.measure("no_denoising", {}, tmp_path / "training.h5ad", held_out, tmp_path / "run")
    expected = mean_poisson_deviance(held_out.toarray().ravel(), training.toarray().ravel() / 9)
    assert measured["deviance"] == pytest.approx(expected, rel=1e-5)
    assert measured["seconds"] >= 0


def test_peers_that_predict_better_are_not_reached(script, capsys):
    methods = {
        "zipo": {"seconds": 10.0, "deviance": 0.2},
        "scvi": {"seconds": 100.0, "deviance": 0.3},
        "dca": {"seconds": 20.0, "deviance": 0.1},
    }
    script.report({"dataset": "baron", "cells": 3, "genes": 2, "methods": methods})
    _, _, _, scvi, dca = capsys.readouterr().out.splitlines()
    assert scvi.endswith("deviance 0.3000: reached by zipo in 0.10 of its time")
    assert dca.endswith("deviance 0.1000: not reached by zipo")
