"""The arithmetic of docs/sparsity.md: Adam on a penalty and noise, gradients of networks, and the study's rows."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix

from zipo.engine.batches import Counts
from zipo.engine.loss import scale_invariant_sparsity
from zipo.engine.model import Network
from zipo.parameters import Parameters


def test_adam_keeps_a_useless_weight_at_the_distance_that_the_formula_has(import_script):
    sparsity = import_script("sparsity")
    for ratio, scale in ((0.1, 1.0), (0.2, 1.0), (0.2, 2e-9)):
        settled = sparsity.distances(ratio, 1e-3, 6000, scale)[3000:].mean()
        assert settled == pytest.approx(sparsity.floor(ratio, 1e-3, scale), rel=0.12)
    assert sparsity.floor(0.1, 1e-3) == pytest.approx(1e-3 / 0.2 / np.sqrt(1.01))
    # at the threshold that is given out, an exponential of that mean leaves the share
    threshold = sparsity.reachable(0.1, 1e-3, largest=2.0, kept=0.02)
    assert np.exp(-threshold * 2.0 / 5e-3) == pytest.approx(0.02)


def test_the_penaltys_gradient_is_that_of_the_loss(import_script):
    weights = torch.randn(50, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    weights[7] = 1e-12
    weights.requires_grad_(True)
    (0.3 * scale_invariant_sparsity(weights)).backward()
    assert import_script("sparsity_gradients").pull(weights.detach(), 0.3).tolist() == pytest.approx(
        weights.grad[7].tolist()
    )


def test_noise_is_that_between_batches_and_the_network_stays_as_it_is(import_script):
    noise = import_script("sparsity_gradients").noise
    matrix = csr_matrix(np.random.default_rng(1).poisson(1.0, (48, 20)).astype(np.float32))
    counts = Counts(matrix, np.zeros((48, 0)), torch.device("cpu"))
    of_size = {}
    for size in (12, 48):
        network = Network(20, Parameters(encoder="6-3", batch_size=size), median_library=20.0, seed=1)
        before = {name: each.clone() for name, each in network.state_dict().items()}
        of_size[size] = noise(network, counts, 8)
        assert all(torch.equal(each, before[name]) for name, each in network.state_dict().items() if "num" not in name)
    assert of_size[48].max() < 1e-3 * of_size[12].mean()  # each batch has all cells


def test_rows_have_the_steps_and_the_rate_of_the_weights_that_are_kept(import_script, tmp_path):
    sparsity = import_script("sparsity")
    row = {
        "setting": "s", "dataset": "baron", "seed": 1, "alpha_w": 0.1, "reduction": "mean", "input": "log1p",
        "batch_size": 64, "learning_rate_floor": 0.001, "plateau_factor": 0.1, "best_epoch": 2, "training_cells": 130,
        "genes": 5, "first_layer": 3, "epochs": 3, "stopped_by": "patience", "test_nll": 1.0,
        "pruned_0.0001_test_nll": 1.1,
    } | {f"pruned_{threshold}_kept": 0.5 for threshold in sparsity.THRESHOLDS}  # fmt: skip
    history = [{"learning_rate": rate} for rate in (0.3, 0.2, 0.1)]
    (tmp_path / "runs" / "s").mkdir(parents=True)
    (tmp_path / "runs" / "s" / "seeds-1.json").write_text(json.dumps([{"row": row, "history": history}]))
    (made,) = sparsity.collected(sparsity.trained(tmp_path)).to_dict("records")
    assert (made["steps"], made["rate"], made["kept_0.0001"], made["nll_pruned"]) == (6, 0.2, 0.5, 1.1)
    assert [name for name, _ in sparsity.settings(pd.DataFrame([made]))] == ["as in the paper"]
