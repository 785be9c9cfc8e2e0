"""The search for settings: where it begins, what it keeps, and what comes of its file."""

import json
import math
import os
import signal

import anndata as ad
import pytest

from zipo.commands import tuning
from zipo.commands.tuning import encoders, search
from zipo.presets import parameters_for, sizes_for
from zipo.shared.errors import InputError

COMMON = {"batch_size": 32, "max_epochs": 2}


@pytest.fixture
def fast(monkeypatch):
    """Trials that take no time: the validation NLL is the distance of alpha_w from 0.05."""
    tried = []

    def training(adata, values):
        tried.append(values)
        return lambda on_epoch: abs(math.log(values["alpha_w"] / 0.05))

    monkeypatch.setattr(tuning, "_training", training)
    return tried


def test_encoders_are_those_that_the_paper_searches_for_its_sizes():
    paper = ["2048-1024-512-256-128", "1024-512-256-128", "1024-512-256-128-64", "512-256-128", "512-256-128-64"]
    assert sorted(encoders([2048, 1024, 512, 256, 128])) == sorted(paper)
    assert encoders([8, 4]) == ["8-4", "4", "4-2", "2"]


def test_the_first_trial_is_the_default_and_later_ones_come_closer(cells, fast):
    trials = list(search(cells, {"likelihood": "zip"}, 25, seed=1, device="cpu"))
    assert trials[0].values == {
        "encoder": parameters_for("denoise", 150, 60)["encoder"],
        "alpha_z": 0.1,
        "alpha_w": 0.1,
    }
    assert all(values["seed"] == 1 and values["likelihood"] == "zip" for values in fast)
    best = [trial for trial in trials if trial.best]
    assert [trial.nll for trial in best] == sorted((trial.nll for trial in best), reverse=True)
    assert best[-1].nll == min(trial.nll for trial in trials) < 0.2 < trials[0].nll


def test_what_is_given_or_unused_is_not_searched_for(cells, fast):
    (trial,) = search(cells, {"likelihood": "nb", "encoder": "8-4"}, 1, seed=1)
    assert list(trial.values) == ["alpha_w"]
    with pytest.raises(InputError, match="nothing is left to search for"):
        next(search(cells, {"encoder": "8-4", "alpha_w": 0.1}, 1, seed=1))


def test_the_paper_s_preset_has_zero_inflation_to_search_for(cells, fast):
    (trial,) = search(cells, {}, 1, seed=1, preset="paper")
    assert trial.values == {"encoder": sizes_for(150, 60)["encoder"], "alpha_z": 0.1, "alpha_w": 0.1}
    assert (fast[0]["likelihood"], fast[0]["max_epochs"]) == ("zip", sizes_for(150, 60)["max_epochs"])


def test_a_trial_is_trained_and_scored_by_its_kept_weights(cells):
    (trial,) = search(cells, COMMON | {"encoder": "8-4"}, 1, seed=3, device="cpu")
    model = tuning.ZiPo.for_data(cells, seed=3, device="cpu", **COMMON, **trial.values, encoder="8-4").fit(cells)
    kept = model.training.history[model.training.best_epoch - 1]
    assert trial.nll == kept["validation_nll"]


def test_the_best_settings_can_be_pasted_or_read_again(source, tmp_path, zipo):
    settings = tmp_path / "best.json"
    command = ("tune", source, "--trials", 3, "--epochs", 2, "--output", settings, "--set", "batch_size=32")
    code, out, err = zipo(*command, "--covariate", "donor")
    assert code == 0
    actual = json.loads(settings.read_text())
    assert list(actual) == ["covariates", "batch_size", "encoder", "alpha_w"]
    options = [f"--set {name}={value}" for name, value in actual.items() if name != "covariates"]
    assert out == f"--preset denoise --covariate donor {' '.join(options)}\n"
    lines = [line.split(":")[0] for line in err.splitlines()[1:5]]
    assert lines == ["covariate donor", *(f"trial {number} of 3" for number in (1, 2, 3))]
    outcomes = [("--settings", settings), out.split()]
    for name, given in zip("ab", outcomes, strict=True):
        assert zipo("denoise", source, tmp_path / f"{name}.h5ad", "--epochs", 2, *given)[0] == 0
    assert (tmp_path / "a.h5ad").read_bytes() == (tmp_path / "b.h5ad").read_bytes()
    assert ad.read_h5ad(tmp_path / "a.h5ad").uns["zipo"]["settings"]["alpha_w"] == actual["alpha_w"]


def test_an_interrupted_search_leaves_the_best_so_far(source, tmp_path, zipo, monkeypatch):
    losses = iter((0.0, 1.0))

    def train(on_epoch):
        if (loss := next(losses, None)) is None:
            os.kill(os.getpid(), signal.SIGINT)
        return loss

    monkeypatch.setattr(tuning, "_training", lambda adata, values: train)
    settings = tmp_path / "the best.json"
    code, out, err = zipo("tune", source, "--output", settings)
    assert (code, out) == (130, "")
    assert (
        err.splitlines()[-1]
        == f"stopped as asked; the best so far is in {settings}, for --preset denoise --settings '{settings}'"
    )
    assert json.loads(settings.read_text())["alpha_w"] == 0.1


def test_the_file_of_the_best_settings_is_quoted_for_the_shell(source, tmp_path, zipo, fast):
    settings = tmp_path / "the best.json"
    code, _, err = zipo("tune", source, "--output", settings, "--trials", 1)
    assert code == 0
    assert err.splitlines()[-1].endswith(f" --preset denoise --settings '{settings}'; or paste the options:")


def test_a_search_that_found_nothing_says_so(source, tmp_path, zipo, monkeypatch):
    monkeypatch.setattr(tuning, "_training", lambda *_: lambda on_epoch: None)
    code, _, err = zipo("tune", source, "--output", tmp_path / "best.json", "--trials", 2)
    assert code == 2
    assert "none of the trials came to its end" in err
    assert not (tmp_path / "best.json").exists()
