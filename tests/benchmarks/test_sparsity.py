"""The arithmetic of docs/sparsity.md: Adam on a penalty and noise, gradients of networks, and the study's rows."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix

from tests.benchmarks.conftest import BENCHMARKS
from zipo.engine.batches import Counts
from zipo.engine.loss import scale_invariant_sparsity
from zipo.engine.model import Network
from zipo.parameters import Parameters
from zipo.shared.yaml_files import read_yaml
from zipo.study.config import load
from zipo.study.settings import settings_of

CONFIG = BENCHMARKS.parent / "config"


def test_the_page_has_the_tables_that_its_numbers_make(import_script):
    sparsity = import_script("sparsity")
    page, made = sparsity.PAGE.read_text(), sparsity.tables()
    assert sparsity.with_tables(page, made) == page
    assert page.count("<!-- table ") == len(made)


def test_the_numbers_are_those_of_the_study_in_config(import_script):
    sparsity = import_script("sparsity")
    study = load(read_yaml(CONFIG / "sparsity.yaml"), "sparsity.yaml", CONFIG)
    planned = {
        (setting.dataset, *(getattr(setting.parameters, name) for name in sparsity.VARIED)): setting.seeds
        for setting in settings_of(study).values()
    }
    table = pd.read_table(sparsity.RUNS)
    ran = {key: list(part["seed"]) for key, part in table.groupby(["dataset", *sparsity.VARIED])}
    assert set(ran) == set(planned)
    assert all(seeds == planned[key][: len(seeds)] for key, seeds in ran.items())
    assert set(pd.read_table(sparsity.GRADIENTS)["alpha_w"]) <= set(table["alpha_w"])


def test_the_page_says_what_its_tables_hold(import_script):
    sparsity = import_script("sparsity")
    page = " ".join(sparsity.PAGE.read_text().split())
    runs = dict(sparsity.settings(pd.read_table(sparsity.RUNS)))
    chosen = ("as in the paper", "penalty 100", "sum over genes", "penalty 10")
    paper, large, total, middle = (runs[name] for name in chosen)
    kept = [100 * part["kept_0.0001"].mean() for part in (paper, large, total, middle)]
    columns = (large, "nll"), (large, "nll_pruned"), (paper, "nll"), (middle, "nll")
    nll = [part[name].mean() for part, name in columns]
    more = [runs[f"6,705 cells of pbmc8k{name}"] for name in (", penalty 0", "", ", penalty 1")]
    trained = pd.read_table(sparsity.GRADIENTS).set_index(["dataset", "alpha_w"]).loc[("baron", 0.1)]
    sizes = pd.read_table(sparsity.SIZES)["ratio"]
    factor, grown = sizes.iloc[-1] / sizes.iloc[0], trained["ratio"] / sizes.iloc[0]
    settle = 10 / (2 * trained["ratio"] ** 2)
    for said in (
        f"With the paper's penalty {kept[0]:.0f} % of the weights are kept at 1e-4",
        f"gradient is {trained['ratio']:.2f} of the noise",
        f"the weights need {settle:,.0f} steps to come nearer to zero, and the schedule gives them "
        f"{trained['steps_per_rate']:.0f}",
        f"With a penalty of 100, {kept[1]:.0f} % are kept at 1e-4, and the NLL is {nll[0]:.2f} before pruning and "
        f"{nll[1]:.2f} after it, in place of {nll[2]:.2f}; with 10, {kept[3]:.0f} % and {nll[3]:.2f}.",
        f"It keeps {kept[2]:.0f} %.",
        f"has {factor:.1f} times the ratio of the small one.",
        f"Training makes the small one's {grown:.0f} times as large, to {trained['ratio']:.2f}",
        f"if it does the same to the paper's, that has {factor * trained['ratio']:.2f}.",
        f"in pbmc8k, bring the share kept at 1e-4 down to {100 * more[1]['kept_0.0001'].mean():.0f} %.",
        "the NLL is {:.2f}, {:.2f} and {:.2f} with a penalty of 0, 0.1 and 1.".format(
            *(part["nll"].mean() for part in more)
        ),
        f"on {paper['training_cells'].iloc[0]:,} training cells of Baron",
    ):
        assert said in page
    # 54,480 training cells in batches of 256, 1,550 in batches of 64
    assert (68_100 * 8 // 10 + 255) // 256 == 213
    assert paper["training_cells"].iloc[0] / 64 == pytest.approx(25, abs=1)


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
