"""The commands for data of one's own: what they write, and what they refuse before anything is trained."""

import hashlib
import json
import re
import shutil

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from tests.commands.conftest import SMALL
from zipo import ZiPo
from zipo.model.estimator import ZiPo as Estimator
from zipo.model.gene_subset import with_shared_genes


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_denoise_fills_the_slots_and_keeps_what_was_there(cells, source, tmp_path, zipo):
    target = tmp_path / "out.h5ad"
    code, out, err = zipo("denoise", source, target, *SMALL, "--model", tmp_path / "model", "--rates")
    assert (code, out) == (0, "")
    lines = err.splitlines()
    assert lines[0].startswith("150 cells x 60 genes, preset denoise: nb, 4 latents refined on each cell's")
    assert "; encoder 8-4, batches of 32 cells, at most 3 epochs" in lines[0]
    assert lines[1].startswith("obs has what may be batches: donor (2 levels); ")
    assert lines[2].startswith("trained 3 epochs in ")
    assert lines[3].startswith(f"{target}: written; ")
    assert len(lines) == 4
    actual = ad.read_h5ad(target)
    assert (actual.X != cells.X).nnz == 0
    pd.testing.assert_frame_equal(actual.obs[list(cells.obs)], cells.obs, check_categorical=False, check_dtype=False)
    model = ZiPo(seed=1, device="cpu", **actual.uns["zipo"]["settings"] | {"covariates": ()}).fit(cells)
    np.testing.assert_allclose(actual.layers["denoised"], model.denoise(cells), rtol=1e-5)
    np.testing.assert_allclose(actual.layers["rates"], model.rates(cells), rtol=1e-5)
    np.testing.assert_allclose(actual.obsm["X_zipo"], model.latent(cells), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(actual.var["zipo_zeros_observed"], (cells.X.toarray() == 0).mean(axis=0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.h5ad", "model", "out.h5ad"]


def test_standard_errors_are_written_by_denoise_and_apply(cells, source, tmp_path, zipo):
    one, two = tmp_path / "one.h5ad", tmp_path / "two.h5ad"
    assert zipo("denoise", source, one, *SMALL, "--model", tmp_path / "model", "--standard-errors")[0] == 0
    assert zipo("apply", tmp_path / "model", source, two, "--standard-errors")[0] == 0
    model = ZiPo.load(tmp_path / "model", device="cpu")
    for file in (one, two):
        actual = ad.read_h5ad(file)
        np.testing.assert_allclose(actual.layers["denoised_se"], model.denoised_se(cells), rtol=1e-5)
        np.testing.assert_allclose(actual.obsm["X_zipo_se"], model.latent_se(cells), rtol=1e-4)
    code, _, err = zipo("denoise", source, tmp_path / "three.h5ad", "--preset", "paper", *SMALL, "--standard-errors")
    assert (code, err.count("this model has inference: amortised; fit one with inference: refined")) == (2, 1)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(source, tmp_path, zipo):
    targets = {name: tmp_path / f"{name}.h5ad" for name in ("one", "same", "other")}
    for name, target in targets.items():
        assert zipo("denoise", source, target, *SMALL, "--seed", 2 if name == "other" else 1)[0] == 0
    assert sha256(targets["one"]) == sha256(targets["same"]) != sha256(targets["other"])


def test_fit_and_apply_write_what_denoise_writes(source, tmp_path, zipo):
    options = (*SMALL, "--covariate", "donor", "--likelihood", "zinb")
    assert zipo("denoise", source, tmp_path / "one.h5ad", *options, "--batch", "donor=B")[0] == 0
    assert zipo("fit", source, tmp_path / "model", *options)[0] == 0
    code, _, err = zipo("apply", tmp_path / "model", source, tmp_path / "two.h5ad", "--batch", "donor=B")
    assert (code, err.splitlines()[0]) == (0, "60 of the model's 60 genes are in the data")
    assert sha256(tmp_path / "one.h5ad") == sha256(tmp_path / "two.h5ad")
    assert ad.read_h5ad(tmp_path / "one.h5ad").uns["zipo"]["batch"] == {"donor": "B"}


def test_batches_that_the_model_does_not_know_are_named_once(source, tmp_path, zipo):
    hint = (
        "obs has what may be batches: donor (2 levels); the latents hold how they differ, unless the model knows them"
    )
    code, _, err = zipo("fit", source, tmp_path / "model", *SMALL)
    assert code == 0
    assert err.count(f"{hint}, by --covariate donor\n") == 1
    code, _, err = zipo("fit", source, tmp_path / "other", *SMALL, "--covariate", "donor")
    assert (code, hint in err) == (0, False)
    adata = ad.read_h5ad(source)
    adata.obs = adata.obs.rename(columns={"donor": "Donor ID"})
    adata.write_h5ad(tmp_path / "renamed.h5ad")
    _, _, err = zipo("fit", tmp_path / "renamed.h5ad", tmp_path / "third", *SMALL)
    assert "by --covariate 'Donor ID'\n" in err


def test_the_indices_are_called_as_before(cells, tmp_path, zipo):
    given = cells.copy()
    given.obs.index.name, given.var.index.name = "barcode", "Symbol"
    given.obs["barcode"] = given.obs_names  # as reset_index and set_index(drop=False) leave it
    given.layers["dense"] = given.X.toarray()
    given.raw = given
    given[:, :55].copy().write_h5ad(tmp_path / "in.h5ad")  # raw has more genes
    given[:, :20].copy().write_h5ad(tmp_path / "few.h5ad")
    out = tmp_path / "out.h5ad"
    for options in ((), ("--layer", "dense"), ("--layer", "raw"), ("--genes", 20)):
        assert zipo("denoise", tmp_path / "in.h5ad", out, *SMALL, *options, "--model", tmp_path / "model")[0] == 0
        actual = ad.read_h5ad(out)
        assert (actual.obs.index.name, actual.var.index.name) == ("barcode", "Symbol")
        assert actual.obs["barcode"].tolist() == cells.obs_names.tolist()
    for name, genes in (("in", 20), ("few", 8)):
        assert zipo("apply", tmp_path / "model", tmp_path / f"{name}.h5ad", out, "--min-genes", 0.1)[0] == 0
        actual = ad.read_h5ad(out)
        assert (actual.n_vars, actual.obs.index.name, actual.var.index.name) == (genes, "barcode", "Symbol")


def test_apply_matches_genes_by_name(cells, source, tmp_path, zipo):
    assert zipo("fit", source, tmp_path / "model", *SMALL)[0] == 0
    other = cells[:, 59:9:-1].copy()
    other.var_names = [*other.var_names[:49], "INS"]  # gene-10 under another name
    other.write_h5ad(tmp_path / "other.h5ad")
    code, _, err = zipo("apply", tmp_path / "model", tmp_path / "other.h5ad", tmp_path / "out.h5ad")
    assert code == 0
    assert err.startswith("49 of the model's 60 genes are in the data, 11 are not and have no part in the result, 1 ")
    actual = ad.read_h5ad(tmp_path / "out.h5ad")
    shared = cells[:, 11:]
    model, _ = with_shared_genes(ZiPo.load(tmp_path / "model", "cpu"), shared.var_names)
    assert list(actual.var_names) == list(shared.var_names)
    np.testing.assert_allclose(actual.layers["denoised"], model.denoise(shared), rtol=1e-5)


def test_genes_and_empty_cells_are_as_asked(cells, tmp_path, zipo):
    sparse = cells.copy()
    sparse.X = csr_matrix(cells.X.toarray() * (np.arange(150) > 2)[:, None])
    sparse.write_h5ad(tmp_path / "in.h5ad")
    command = ("denoise", tmp_path / "in.h5ad", tmp_path / "out.h5ad", *SMALL, "--genes", 20)
    code, _, err = zipo(*command)
    assert (code, err.count("\n")) == (2, 3)
    assert "cells have no counts" in err
    assert zipo(*command, "--empty-cells", "keep")[0] == 0
    actual = ad.read_h5ad(tmp_path / "out.h5ad")
    assert actual.layers["denoised"].shape == (150, 20)
    assert (actual.X != sparse[:, actual.var_names].X).nnz == 0


def test_programs_are_printed_or_written(source, tmp_path, zipo):
    assert zipo("fit", source, tmp_path / "model", *SMALL)[0] == 0
    code, out, _ = zipo("programs", tmp_path / "model", "--top", 3)
    assert (code, len(out.splitlines())) == (0, 8)
    weights = ZiPo.load(tmp_path / "model").network.encoder.first.weight.detach().numpy()
    largest = int(np.abs(weights[:, 0]).argmax())
    assert out.startswith("neuron 1, ")
    assert f"genes: gene-{largest} {np.sign(weights[largest, 0]):+.2f}, " in out.splitlines()[0]
    assert zipo("programs", tmp_path / "model", "--tsv", tmp_path / "p.tsv", "--threshold", 0.01)[0] == 0
    table = pd.read_csv(tmp_path / "p.tsv", sep="\t")
    assert len(table) == (np.abs(weights) >= 0.01 * np.abs(weights).max(axis=0)).sum()


def write(cells, path, change):
    bad = cells.copy()
    bad.X = csr_matrix(change(cells.X.toarray()).astype(np.float32))
    bad.write_h5ad(path)


@pytest.fixture
def untrained(monkeypatch):
    """Training is an error."""
    monkeypatch.setattr(Estimator, "fresh_network", None)


@pytest.mark.parametrize("command", ["denoise", "fit"])
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda x: np.log1p(x / x.sum(1, keepdims=True) * 1e4), "look normalised or log-transformed already"),
        (lambda x: x / x.sum(1, keepdims=True) * 1e4, "look normalised or log-transformed already"),
        (lambda x: -x, "is negative; raw counts are needed"),
        (lambda x: np.where(x == x.max(), np.nan, x), "is not a number (NaN); raw counts are needed"),
    ],
)
def test_anything_but_raw_counts_is_refused(cells, tmp_path, zipo, untrained, command, change, problem):
    write(cells, tmp_path / "bad.h5ad", change)
    code, out, err = zipo(command, tmp_path / "bad.h5ad", tmp_path / "out.h5ad", *SMALL)
    *_, last = err.splitlines()
    assert (code, out) == (2, "")
    assert last.startswith("error: ")
    assert problem in last
    assert [path.name for path in tmp_path.iterdir()] == ["bad.h5ad"]


@pytest.mark.parametrize(
    ("target", "options", "problem"),
    [
        ("none/out.h5ad", (), "none does not exist; make that folder"),
        ("in.h5ad/out.h5ad", (), "in.h5ad is a file"),
        ("/proc/out.h5ad", (), "nothing can be in /proc"),
        ("folder.h5ad", (), "this is a folder, but the output is a file"),
        ("out.csv", (), "the output is an .h5ad"),
        ("in.h5ad", (), "this is the file of the counts itself"),
        ("out.h5ad", ("--model", "IN/none/model"), "none does not exist"),
        ("out.h5ad", ("--model", "IN"), "exists and is no model"),
        ("out.h5ad", ("--log", "IN/none/log"), "cannot be written"),
        ("out.h5ad", ("--covariate", "batch"), "'batch' is no column of obs; there are cell_type, donor, age"),
        ("out.h5ad", ("--covariate", "donor", "--batch", "donor=C"), "'donor' has no level 'C'"),
        ("out.h5ad", ("--batch", "donor=A"), "'donor' is no covariate of this model; it has none"),
        ("out.h5ad", ("--set", "encodr=8-4"), "did you mean 'encoder'"),
        ("out.h5ad", ("--set", "residuals=9"), "residuals: 9 asks for more layers than the 1 before the latents"),
        ("out.h5ad", ("--genes", "none.txt"), "neither a number of genes nor a file"),
        ("out.h5ad", ("--settings", "none.json"), "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_refused_before_training(source, tmp_path, zipo, untrained, target, options, problem):
    (tmp_path / "folder.h5ad").mkdir()
    options = [option.replace("IN", str(tmp_path)) for option in options]
    code, _, err = zipo("denoise", source, tmp_path / target, *SMALL, *options)
    assert code == 2
    assert err.splitlines()[-1].startswith("error: ")
    assert problem in err.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.h5ad", "in.h5ad"]


def test_a_full_disk_is_found_before_training(source, tmp_path, zipo, untrained, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(TypeError):  # room for results of 36 kB, so that it would be trained
        zipo("denoise", source, tmp_path / "out.h5ad", *SMALL)
    cells = ad.read_h5ad(source)
    cells.obsm["other"] = np.zeros((150, 1000))
    cells.write_h5ad(tmp_path / "large.h5ad")
    code, _, err = zipo("denoise", tmp_path / "large.h5ad", tmp_path / "out.h5ad", *SMALL)
    assert code == 2
    assert re.search(r"out.h5ad: about 1.[34] MB are needed, but its disk has 1.0 MB left", err)


def test_apply_needs_half_of_the_models_genes_unless_told(cells, source, tmp_path, zipo):
    assert zipo("fit", source, tmp_path / "model", *SMALL)[0] == 0
    other = cells[:, :29].copy()
    other = other[other.X.getnnz(axis=1) > 0].copy()
    other.write_h5ad(tmp_path / "other.h5ad")
    command = ("apply", tmp_path / "model", tmp_path / "other.h5ad", tmp_path / "out.h5ad")
    code, _, err = zipo(*command)
    assert (code, err.count("\n")) == (2, 1)
    assert "29 of the model's 60 genes are in the data, such as 'gene-0', but not 'gene-29': less than the share" in err
    assert err.endswith("do without the others with --min-genes 0.48\n")
    assert not (tmp_path / "out.h5ad").exists()
    assert zipo(*command, "--min-genes", 0.48)[0] == 0
    assert ad.read_h5ad(tmp_path / "out.h5ad").n_vars == 29
    assert zipo(*command, "--min-genes", 1.5)[0] == 2


def test_apply_keeps_empty_cells_if_told_or_trained_so(cells, source, tmp_path, zipo):
    sparse = cells.copy()
    sparse.X = csr_matrix(cells.X.toarray() * (np.arange(150) > 2)[:, None])
    sparse.write_h5ad(tmp_path / "sparse.h5ad")
    assert zipo("fit", source, tmp_path / "refusing", *SMALL)[0] == 0
    assert zipo("fit", source, tmp_path / "keeping", *SMALL, "--empty-cells", "keep")[0] == 0
    end = (tmp_path / "sparse.h5ad", tmp_path / "out.h5ad")
    code, _, err = zipo("apply", tmp_path / "refusing", *end)
    assert code == 2
    assert "3 cells have no counts, " in err
    assert err.endswith("or keep them with --empty-cells keep\n")
    assert zipo("apply", tmp_path / "keeping", *end, "--empty-cells", "refuse")[0] == 2
    assert not (tmp_path / "out.h5ad").exists()
    assert zipo("apply", tmp_path / "refusing", *end, "--empty-cells", "keep")[0] == 0
    by_option = ad.read_h5ad(tmp_path / "out.h5ad")
    assert zipo("apply", tmp_path / "keeping", *end)[0] == 0
    np.testing.assert_array_equal(by_option.layers["denoised"], ad.read_h5ad(tmp_path / "out.h5ad").layers["denoised"])


def test_apply_to_a_full_disk_advises_no_option_that_it_lacks(source, tmp_path, zipo, monkeypatch):
    assert zipo("fit", source, tmp_path / "model", *SMALL)[0] == 0
    usage = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    code, _, err = zipo("apply", tmp_path / "model", source, tmp_path / "out.h5ad")
    assert code == 2
    assert err.endswith(" left; make room\n")


def test_counts_of_a_layer_are_named_by_the_option(cells, tmp_path, zipo, untrained):
    processed = cells.copy()
    processed.layers["counts"], processed.raw = cells.X.copy(), cells
    processed.X = csr_matrix(np.log1p(cells.X.toarray()))
    processed.write_h5ad(tmp_path / "in.h5ad")
    for command in (("denoise", "in.h5ad", "out.h5ad"), ("fit", "in.h5ad", "model"), ("tune", "in.h5ad")):
        code, _, err = zipo(command[0], *(tmp_path / name for name in command[1:]), *SMALL)
        assert code == 2
        assert err.endswith("raw counts are needed; its layers counts and raw hold whole numbers: --layer counts\n")
    other = ad.AnnData(cells.X, obs=cells.obs, var=cells.var, layers={"bad": processed.X})
    other.write_h5ad(tmp_path / "other.h5ad")
    code, _, err = zipo("denoise", tmp_path / "other.h5ad", tmp_path / "out.h5ad", "--layer", "bad", *SMALL)
    assert code == 2
    assert err.endswith("its X holds whole numbers: leave --layer out\n")


def damage(folder):
    weights = folder / "weights.safetensors"
    contents = bytearray(weights.read_bytes())
    contents[-1] ^= 1
    weights.write_bytes(contents)


def renew(folder):
    settings = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(settings | {"format": 99, "zipo": "9.0"}))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (damage, "weights.safetensors: damaged"),
        (renew, "written by a newer zipo (9.0); update zipo"),
        (lambda folder: (folder / "weights.safetensors").unlink(), "is missing"),
        (lambda folder: None, "none of the 60 genes of the data, such as 'INS-0', is among the 60 of the model"),
    ],
)
def test_apply_refuses_models_and_genes_that_will_not_do(cells, source, tmp_path, zipo, change, problem):
    assert zipo("fit", source, tmp_path / "model", *SMALL)[0] == 0
    change(tmp_path / "model")
    other = cells.copy()
    other.var_names = [f"INS-{number}" for number in range(60)]
    other.write_h5ad(tmp_path / "other.h5ad")
    code, _, err = zipo("apply", tmp_path / "model", tmp_path / "other.h5ad", tmp_path / "out.h5ad")
    assert (code, err.count("\n")) == (2, 1)
    assert problem in err
    assert not (tmp_path / "out.h5ad").exists()
