"""Pictures of an output, by the numbers behind them."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from tests.commands.conftest import SMALL
from tests.datasets.writers import write_v3
from zipo.commands import plots
from zipo.commands.plots import groupings


@pytest.fixture
def output(source, tmp_path, zipo):
    assert zipo("denoise", source, tmp_path / "out.h5ad", *SMALL)[0] == 0
    return tmp_path / "out.h5ad"


def test_pictures_show_what_the_file_holds(cells, output, tmp_path, zipo):
    code, out, _ = zipo("plot", output, "--colour", "donor", "--colour", "age")
    folder = tmp_path / "out.plots"
    assert (code, out.split()) == (0, [f"{folder}/{name}.png" for name in ("training", "latent", "zeros")])
    tables = {name: pd.read_csv(folder / f"{name}.tsv", sep="\t") for name in ("training", "latent", "zeros")}
    actual = ad.read_h5ad(output)
    assert tables["training"]["epoch"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(tables["training"]["validation_nll"], actual.uns["zipo"]["history"]["validation_nll"])
    assert tables["latent"].columns.tolist() == ["cell", "x", "y", "donor", "age", "zipo_library_size"]
    assert tables["latent"]["donor"].tolist() == cells.obs["donor"].tolist()
    np.testing.assert_allclose(tables["zeros"]["mean"], cells.X.toarray().mean(axis=0))
    np.testing.assert_allclose(tables["zeros"]["observed"], (cells.X.toarray() == 0).mean(axis=0))
    assert all((folder / f"{name}.{kind}").stat().st_size > 1000 for name in tables for kind in ("png", "pdf"))


def test_the_latents_places_keep_cells_of_a_kind_together(output, cells):
    actual = ad.read_h5ad(output)
    actual.obsm["X_zipo"] = np.random.default_rng(1).normal(size=(150, 4)) + 20 * pd.get_dummies(
        cells.obs["cell_type"]
    ).to_numpy(float) @ np.eye(3, 4)
    places = plots.embedded(actual, ["cell_type"], seed=1)
    spread = places.groupby("cell_type", observed=True)[["x", "y"]].std().max().max()
    assert places[["x", "y"]].std().min() > 2 * spread


def test_columns_of_the_names_of_ours_are_drawn(output, zipo, monkeypatch):
    monkeypatch.setattr("zipo.shared.embedding.tsne", lambda latents, seed: latents[:, :2])
    adata = ad.read_h5ad(output)
    adata.obs["x"], adata.obs["y"] = np.arange(150.0), np.where(np.arange(150) % 3, "near", "far")
    adata.obs["cell"] = adata.obs["donor"].to_numpy()
    adata.write_h5ad(output)
    for options in (("--colour", "x", "--colour", "y", "--colour", "cell"), ()):
        assert zipo("plot", output, *options)[0] == 0
        table = pd.read_csv(output.with_suffix(".plots") / "latent.tsv", sep="\t")
        np.testing.assert_allclose(table["x"], adata.obsm["X_zipo"][:, 0], rtol=1e-6)
        assert table["obs.y"].tolist() == adata.obs["y"].tolist()
        assert table["obs.cell"].tolist() == adata.obs["donor"].tolist()
        assert ("obs.x" in table) == bool(options)


def test_of_many_cells_some_are_drawn(output, monkeypatch):
    monkeypatch.setattr(plots, "CELLS", 60)
    places = plots.embedded(ad.read_h5ad(output, backed="r"), ["donor"], seed=1)
    assert (len(places), places["cell"].is_unique) == (60, True)
    figure = plots.draw_latent(places, 150)
    assert figure.get_suptitle() == "Latent variables of 60 of 150 cells"


def test_columns_that_group_cells_are_shown_unasked():
    obs = pd.DataFrame({"barcode": [f"c{i}" for i in range(60)], "age": range(60), "tissue": "liver"})
    obs["type"] = pd.Categorical(["a", "b"] * 30)
    obs["treated"] = [True, False] * 30
    assert groupings(obs) == ["type", "treated"]
    for name in "vwxyz":
        obs[name] = obs["type"].astype(str)
    assert groupings(obs) == ["type", "treated", "v", "w"]


def test_what_cannot_be_drawn_is_named(source, output, zipo):
    assert zipo("plot", "nowhere.h5ad") == (
        2, "", "error: nowhere.h5ad: no such file; give what `zipo denoise` or `zipo apply` wrote\n"
    )  # fmt: skip
    assert zipo("plot", source) == (
        2, "", f"error: {source}: holds no results of zipo; give what `zipo denoise` or `zipo apply` wrote\n"
    )  # fmt: skip
    for number, (change, problem) in enumerate(
        (
            (lambda x: x.uns.__setitem__("zipo", "mine"), "holds no results of zipo"),
            (lambda x: x.uns["zipo"].pop("history"), "holds no results of zipo"),
            (lambda x: x.uns["zipo"]["history"].pop("validation_nll"), "holds no results of zipo"),
            (lambda x: x.uns["zipo"].__setitem__("training", {"epochs": 1}), "holds no results of zipo"),
            (lambda x: x.obsm.pop("X_zipo"), "holds no results of zipo"),
            (lambda x: x.obs.pop("zipo_library_size"), "its obs lacks 'zipo_library_size', which zipo fills"),
            (lambda x: x._inplace_subset_obs([0, 1]), "2 cells are too few for pictures"),
        )
    ):
        other = ad.read_h5ad(output)
        change(other)
        other.write_h5ad(output.with_name(f"{number}.h5ad"))
        code, _, err = zipo("plot", output.with_name(f"{number}.h5ad"))
        assert (code, err.count("\n")) == (2, 1)
        assert problem in err
    write_v3(output.with_name("other.h5"))
    code, _, err = zipo("plot", output.with_name("other.h5"))
    assert code == 2
    assert "other.h5: no .h5ad that anndata can read" in err
    code, _, err = zipo("plot", output, "--color", "batch")
    assert code == 2
    assert err.startswith("error: --colour batch: no column of obs; there are cell_type, donor, age")
