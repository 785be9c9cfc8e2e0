"""Counts with a known truth, drawn from a model that scDesigner fits to real counts.

scDesigner 0.0.25 is a Python package after scDesign3 (Song 2023, doi 10.1038/s41587-023-01772-1).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from zipo.datasets.source import Fetching, Source
from zipo.datasets.sources.package import PackageSource
from zipo.shared.digest import digest
from zipo.shared.errors import InputError

if TYPE_CHECKING:
    import anndata as ad

HERE = Path(__file__).resolve().parents[1]
PINS = HERE / "environments" / "scdesigner.txt"
SCRIPT = HERE / "fit_scdesigner.py"
LONGEST_REASON = 300  # characters


class ScDesignerSource(Source):
    """Counts drawn from negative binomials and a Gaussian copula that were fitted to real counts with known types."""

    kind: Literal["scdesigner"]
    """Drawn from what scDesigner fits."""
    fitted_to: PackageSource
    """The real counts; they need the types of the cells."""
    least_cells: Annotated[int, Field(ge=2)] = 50
    """Cells that a type must have; those of rarer types are left out, since their means can hardly be told."""
    genes: Annotated[int, Field(ge=2)] = 1000
    """Number of genes, those with the most variable Pearson residuals."""
    seed: int = 1
    """Seed of the draw; the fit has its own."""

    has_truth: ClassVar[bool] = True

    def download(self, downloads: Path) -> Path:
        """What is fitted, under a name that tells fits to other counts apart."""
        values = {"fitted_to": self.fitted_to.model_dump(mode="json"), "least_cells": self.least_cells}
        return downloads / f"scdesigner-{digest([PINS, SCRIPT], values | {'genes': self.genes})[:12]}.npz"

    def fetch(self, target: Path, fetching: Fetching) -> None:
        """Fetch the real counts and fit to them, in the environment `environments/scdesigner` beside the target."""
        import tempfile

        from zipo.shared.environments import make

        environment = make(PINS, target.parent / "environments" / "scdesigner")
        if environment.status != "ok":
            raise InputError(f"scdesigner: its environment could not be made: {environment.reason}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            self.fitted_to.fetch(self.fitted_to.download(Path(folder)), fetching)
            fit(self, Path(environment.python), Path(folder), target)

    def read(self, downloads: Path) -> tuple[ad.AnnData, dict[str, str]]:
        """Counts with their truth, and the checksum of the fit, which can differ a little from machine to machine."""
        from zipo.datasets.designed import draw
        from zipo.datasets.transfer.integrity import sha256_of

        file = self.download(downloads)
        return draw(file, self.seed), {file.name: sha256_of(file)}


def fit(source: ScDesignerSource, python: Path, folder: Path, target: Path) -> None:
    """Fit to the counts that were fetched into a folder, by a Python with scDesigner; `target` appears complete or not.

    Beside what is fitted, it holds the names of the genes, and each cell's type and library size. Raises InputError if
    the counts have no types or the fit fails.
    """
    import os
    import subprocess

    import numpy as np

    from zipo.datasets.formats import h5ad
    from zipo.shared.atomic_files import atomic_write

    cells = fitted_cells(source, folder)
    h5ad.write(cells, folder / "counts.h5ad", "lzf")
    result = folder / "fit.npz"
    # -P leaves the files beside the script out of what can be imported
    command = [str(python), "-P", str(SCRIPT), str(folder / "counts.h5ad"), str(result), "1"]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    if done.returncode:
        sys.stderr.write(done.stderr)
        last = (done.stderr.strip() or "it printed no error").splitlines()[-1]
        raise InputError(f"scdesigner: the fit ended with exit code {done.returncode}: {last[:LONGEST_REASON]}")
    with np.load(result) as stored:
        fitted = dict(stored)
    fitted |= {"genes": cells.var_names.to_numpy(str), "library": np.asarray(cells.X.sum(axis=1)).ravel()}
    fitted["cell_types"] = np.searchsorted(fitted["types"], cells.obs["cell_type"].to_numpy(str))
    with atomic_write(target) as part, part.open("wb") as file:
        np.savez(file, **fitted)


def fitted_cells(source: ScDesignerSource, folder: Path) -> ad.AnnData:
    """The real counts that are fitted to: cells of the types that are frequent enough, and the most variable genes."""
    import anndata as ad
    import numpy as np

    from zipo.datasets import filters
    from zipo.datasets.catalogue import Filters

    adata, _ = source.fitted_to.read(folder)
    if "cell_type" not in adata.obs:
        raise InputError("scdesigner: fitted_to has no types of cells; name their file by labels")
    types = adata.obs["cell_type"].astype(str)
    frequent = types.map(types.value_counts()).to_numpy() >= source.least_cells
    if not frequent.any():
        raise InputError(f"scdesigner: no type has least_cells, {source.least_cells}, cells; ask for fewer")
    adata = filters.apply(
        adata[frequent].copy(), Filters(min_cells=source.least_cells // 5, most_variable=source.genes)
    )
    adata = adata[np.asarray(adata.X.sum(axis=1)).ravel() > 0]
    return ad.AnnData(adata.X.copy(), obs=adata.obs[["cell_type"]].astype(str), var=adata.var[[]].copy())
