"""Data of the figures, from one run of each method: zeros by mean expression, and latents in two dimensions."""

from collections.abc import Iterator
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from zipo.benchmark.running.launch import Result
from zipo.benchmark.scores import case_of
from zipo.metrics.shared.case import Case
from zipo.metrics.zero_calibration import curves
from zipo.shared.embedding import tsne

BINS = 25
"""Groups of genes of similar mean expression, of equal size."""
CELLS = 2_000
"""Cells in a panel of figure 20; more are drawn from at random, the same for all methods. t-SNE of all cells of all
methods took longer than many a method."""
SEED = 1


def zeros_of(runs: list[dict]) -> pd.DataFrame:
    """Zero shares by mean expression: dataset, method, then means over each bin's genes of mean, observed, expected,
    poisson and nb; see zipo.metrics.zero_calibration.curves."""
    parts = []
    for run, case in _cases(runs):
        genes = curves(case)
        genes = genes[genes["mean"] > 0]
        bins = pd.qcut(genes["mean"].rank(method="first"), min(BINS, len(genes)), labels=False)
        binned = genes.groupby(bins).mean().reset_index(drop=True)
        parts.append(binned.assign(dataset=run["dataset"], method=run["method"]))
    columns = ["dataset", "method", "mean", "observed", "expected", "poisson", "nb"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def tsne_coordinates(runs: list[dict]) -> pd.DataFrame:
    """t-SNE of the latents of each method that has them, of at most CELLS cells: dataset, method, x, y, cell_type (""
    if not known)."""
    parts = []
    for run, case in _cases(runs):
        if case.latent is None or case.cell_types is None:
            continue
        latents, types = np.asarray(case.latent), np.asarray(case.cell_types)
        if len(latents) > CELLS:
            drawn = np.sort(np.random.default_rng(SEED).choice(len(latents), CELLS, replace=False))
            latents, types = latents[drawn], types[drawn]
        x, y = tsne(latents, SEED).T
        coordinates = {"dataset": run["dataset"], "method": run["method"], "x": x, "y": y, "cell_type": types}
        parts.append(pd.DataFrame(coordinates))
    columns = ["dataset", "method", "x", "y", "cell_type"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _cases(runs: list[dict]) -> Iterator[tuple[dict, Case]]:
    """The successful runs, each with its case."""
    for run in runs:
        folder = Path(run["folder"])
        if Result.read(folder).status == "ok":
            yield run, case_of(ad.read_h5ad(run["counts"]), folder, run["split"])
