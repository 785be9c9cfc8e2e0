"""A model kept in a folder says the same as before, and one that is damaged or newer is refused in one sentence."""

import hashlib
import json
import os
import shutil

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from zipo import ZiPo
from zipo.shared.errors import InputError

SMALL = {"encoder": "6-3", "batch_size": 5, "max_epochs": 2, "covariates": ("age", "cell_type"), "likelihood": "zinb"}


@pytest.fixture
def model(counts):
    return ZiPo(seed=3, input="normalised_log1p", **SMALL).fit(counts[:8], counts[8:])


@pytest.fixture
def folder(model, tmp_path):
    model.save(tmp_path / "model")
    return tmp_path / "model"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def settings_of(folder):
    return json.loads((folder / "model.json").read_text())


def rewrite(folder, **changes):
    """Change model.json as somebody would who also knows how to make its digest."""
    settings = settings_of(folder) | changes
    del settings["sha256"]
    settings["sha256"] = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    (folder / "model.json").write_text(json.dumps(settings))


def test_a_loaded_model_is_the_one_that_was_saved(model, folder, counts):
    loaded = ZiPo.load(folder, device="cpu")
    assert loaded.losses(counts) == model.losses(counts)
    assert loaded.gene_poisson_nll(counts) == model.gene_poisson_nll(counts)
    for part in ("denoise", "rates", "latent"):
        np.testing.assert_array_equal(getattr(loaded, part)(counts), getattr(model, part)(counts))
    assert (loaded.parameters, loaded.seed, loaded.empty_cells) == (model.parameters, 3, "refuse")
    assert loaded.preset is None
    assert loaded.genes.equals(model.genes)
    assert loaded.training.history == model.training.history
    assert loaded.training.best_epoch == model.training.best_epoch
    with pytest.raises(InputError, match="the genes are not those"):
        loaded.denoise(counts[:, ::-1])


def test_a_model_keeps_its_preset_and_earlier_ones_have_none(counts, tmp_path):
    model = ZiPo.for_data(counts, "fast", **SMALL).fit(counts)
    model.save(tmp_path / "model")
    assert ZiPo.load(tmp_path / "model").preset == "fast"
    settings = settings_of(tmp_path / "model")
    assert settings.pop("preset") == "fast"
    (tmp_path / "model" / "model.json").write_text(json.dumps(settings))
    rewrite(tmp_path / "model")
    assert ZiPo.load(tmp_path / "model").preset is None


def test_the_same_model_gives_the_same_bytes(model, folder, counts, tmp_path):
    ZiPo.load(folder).save(tmp_path / "loaded")
    ZiPo(seed=3, input="normalised_log1p", **SMALL).fit(counts[:8], counts[8:]).save(tmp_path / "trained again")
    assert contents(folder) == contents(tmp_path / "loaded") == contents(tmp_path / "trained again")
    ZiPo(seed=4, input="normalised_log1p", **SMALL).fit(counts[:8], counts[8:]).save(tmp_path / "another seed")
    assert contents(folder) != contents(tmp_path / "another seed")


def test_the_folder_holds_plain_weights_and_settings(model, folder):
    weights = load_file(folder / "weights.safetensors")
    np.testing.assert_array_equal(weights["encoder.first.weight"], model.network.encoder.first.weight.detach())
    settings = settings_of(folder)
    assert settings["format"] == 1
    assert settings["torch"] == torch.__version__
    assert settings["genes"] == [f"gene-{j}" for j in range(5)]
    assert settings["parameters"]["covariates"] == ["age", "cell_type"]
    assert settings["weights_sha256"] == hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    assert len(settings["training"]["history"]) == 2
    assert not {"seconds", "compute_seconds"} & settings["training"].keys()


@pytest.mark.parametrize(("kept", "number"), [(12, 12), (14, 14), (15, None), (20, None)])
def test_a_first_layer_of_zeros_is_stored_without_them(model, counts, tmp_path, kept, number):
    weights = model.network.encoder.first.weight  # 5 genes x 6 neurons: half of them as values and places are as large
    with torch.no_grad():
        weights.view(-1)[torch.randperm(30, generator=torch.Generator().manual_seed(1))[kept:]] = 0
    model.save(tmp_path / "model")
    stored = load_file(tmp_path / "model" / "weights.safetensors")
    assert ("encoder.first.weight" in stored) == (number is None)
    assert settings_of(tmp_path / "model")["format"] == (1 if number is None else 2)
    if number is not None:
        dense = np.zeros(30, np.float32)
        dense[stored["encoder.first.weight.places"]] = stored["encoder.first.weight.values"]
        np.testing.assert_array_equal(dense.reshape(stored["encoder.first.weight.shape"]), weights.detach())
        assert len(stored["encoder.first.weight.values"]) == number
    loaded = ZiPo.load(tmp_path / "model", device="cpu")
    assert torch.equal(loaded.network.encoder.first.weight, weights)
    np.testing.assert_array_equal(loaded.denoise(counts), model.denoise(counts))
    loaded.save(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(tmp_path / "model")


def test_an_earlier_model_is_replaced_and_nothing_else_is(model, folder, tmp_path, monkeypatch):
    before = contents(folder)
    model.seed = 9
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(InputError, match=r"model: cannot be written \(No space left on device\)"):
            model.save(folder)
    assert contents(folder) == before
    model.save(folder)
    assert settings_of(folder)["seed"] == 9
    (tmp_path / "empty").mkdir()
    model.save(tmp_path / "empty")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    for taken in (tmp_path / "mine", tmp_path / "mine" / "thesis.tex"):
        with pytest.raises(InputError, match="exists and is no model; name another folder, or remove it"):
            model.save(taken)
    assert sorted(os.listdir(tmp_path)) == ["empty", "mine", "model"]


def test_a_model_that_diverged_is_not_kept(model, tmp_path):
    model.training.stopped_by = "diverged"
    with pytest.raises(InputError, match="not written, since the training diverged"):
        model.save(tmp_path / "model")


def flipped(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (shutil.rmtree, "model: there is no such folder"),
        (lambda folder: (folder / "model.json").unlink(), r"model\.json: is missing"),
        (lambda folder: (folder / "weights.safetensors").unlink(), r"weights\.safetensors: is missing"),
        (lambda folder: flipped(folder / "weights.safetensors"), r"weights\.safetensors: damaged \(its SHA-256"),
        (lambda folder: (folder / "model.json").write_text("{"), r"model\.json: damaged \(it is no JSON of a model"),
        (lambda folder: (folder / "model.json").write_text("[]"), r"model\.json: damaged \(it is no JSON of a model"),
        (lambda folder: (folder / "model.json").write_bytes(b"\xff"), "damaged"),
        (
            lambda folder: (folder / "model.json").write_text(
                (folder / "model.json").read_text().replace('"gene-3"', '"gene-8"')
            ),
            r"model\.json: damaged \(it is not as it was written",
        ),
        (lambda folder: rewrite(folder, format=3, zipo="7.1"), r"written by a newer zipo \(7\.1\); update zipo"),
        (lambda folder: rewrite(folder, genes=["a", "b"]), "they do not fit the parameters in model.json"),
    ],
)
def test_what_is_no_whole_model_is_refused_in_one_sentence(folder, damage, problem):
    damage(folder)
    with pytest.raises(InputError, match=problem) as caught:
        ZiPo.load(folder)
    assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused(folder):
    weights = load_file(folder / "weights.safetensors")
    del weights["library.0.weight"]
    save_file(weights, folder / "weights.safetensors")
    digest = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    rewrite(folder, weights_sha256=digest)
    with pytest.raises(InputError, match="they do not fit the parameters"):
        ZiPo.load(folder)
