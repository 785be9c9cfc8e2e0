"""zipo check and zipo denoise --check: what they print and write, and which files they leave alone."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from tests.commands.worth.conftest import SMALL

OPTIONS = ("--set", "encoder=16-6", "--set", "batch_size=32", "--epochs", SMALL["max_epochs"], "--device", "cpu")


@pytest.fixture
def source(structured, tmp_path):
    structured.write_h5ad(tmp_path / "in.h5ad")
    return tmp_path / "in.h5ad"


def test_check_prints_the_text_and_writes_table_and_figure(source, checked, tmp_path, zipo):
    worth = checked[1]
    files = ("--report", tmp_path / "check.tsv", "--figure", tmp_path / "check.png", "--log", tmp_path / "log")
    code, out, err = zipo("check", source, *OPTIONS, *files)
    assert (code, out) == (0, worth.text() + "\n")
    assert err.splitlines()[1:4] == [
        "holding out a tenth of the molecules: 2 trainings, one of them on permuted counts",
        "training 1 of 2, on the molecules that are not held out",
        "training 2 of 2, on permuted counts",
    ]
    table = pd.read_csv(tmp_path / "check.tsv", sep="\t", index_col="gene")
    np.testing.assert_allclose(table["explained"], worth.genes["explained"])
    assert list(table["judgement"]) == list(worth.genes["judgement"])
    assert (tmp_path / "check.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["check.png", "check.tsv", "in.h5ad", "log"]
    assert zipo("check", source, *OPTIONS[:4], "--epochs", 1, *files)[0] == 0  # which replaces its own files


@pytest.mark.parametrize(
    ("option", "name", "problem"),
    [
        (
            "--report",
            "mine.tsv",
            "mine.tsv: exists, and is not as zipo wrote it; remove it, or give another by --report",
        ),
        (
            "--figure",
            "mine.png",
            "mine.png: exists, and is not as zipo wrote it; remove it, or give another by --figure",
        ),
        ("--figure", "check.pdf", "the figure is a .png; give --figure a name that ends so"),
        ("--report", "in.h5ad", "this is the file of the counts itself; give --report another name"),
        ("--report", "none/check.tsv", "none does not exist"),
    ],
)
def test_files_of_others_are_left_alone(source, tmp_path, zipo, option, name, problem):
    for kind in ("tsv", "png"):
        (tmp_path / f"mine.{kind}").write_text("mine")
    code, out, err = zipo("check", source, *OPTIONS, option, tmp_path / name)
    assert (code, out) == (2, "")
    assert problem in err
    assert (tmp_path / "mine.tsv").read_text() == (tmp_path / "mine.png").read_text() == "mine"


def test_denoise_adds_the_check_to_its_file_and_plot_draws_it(source, checked, tmp_path, zipo):
    adata, worth = checked
    target = tmp_path / "out.h5ad"
    code, out, _ = zipo("denoise", source, target, *OPTIONS, "--check")
    assert (code, out) == (0, worth.text() + "\n")
    actual = ad.read_h5ad(target)
    for name in ("obs", "var"):
        expected = getattr(adata, name)["zipo_explained"]
        np.testing.assert_array_equal(getattr(actual, name)["zipo_explained"], expected)
    assert actual.uns["zipo_check"]["text"] == worth.text()
    assert "denoised" in actual.layers
    code, out, _ = zipo("plot", target)
    assert (code, out.split()[-1]) == (0, f"{tmp_path}/out.plots/check.png")
    table = pd.read_csv(tmp_path / "out.plots" / "check.tsv", sep="\t")
    np.testing.assert_allclose(table["explained"], adata.var["zipo_explained"])
    assert zipo("plot", target)[0] == 0


def test_bad_counts_are_refused_in_one_sentence(structured, tmp_path, zipo):
    few = structured[:20].copy()
    few.write_h5ad(tmp_path / "few.h5ad")
    code, out, err = zipo("check", tmp_path / "few.h5ad", *OPTIONS, "--report", tmp_path / "check.tsv")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("error: counts: 20 cells are too few to tell what denoising is worth")
    assert not (tmp_path / "check.tsv").exists()
