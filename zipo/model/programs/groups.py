"""Groups of cells to describe programs by: a column of obs, or clusters of the latents; and genes in them."""

import re
from collections.abc import Iterator
from importlib.util import find_spec

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from zipo.datasets.on_disk import on_disk
from zipo.model.estimator import ZiPo
from zipo.shared.embedding import leiden
from zipo.shared.errors import InputError

MOST = 100
"""Groups of a column; more are no grouping of cells."""
CHUNK = 10_000
"""Cells that are read at once."""


def groups_of(model: ZiPo, counts: ad.AnnData, by: str | None) -> pd.Series:
    """A group of each cell as text, missing ones as NA: those of a column of obs, or Leiden clusters of the latents.

    Raises InputError for a column that is not there, has no group or more than 100, and where scanpy and igraph, which
    find clusters, are not installed.
    """
    if by is None:
        if missing := [name for name in ("scanpy", "igraph") if find_spec(name) is None]:
            raise InputError(
                f"clusters: {missing[0]} is not installed; pip install scanpy igraph, or give a column of obs by `by`"
            )
        (clusters,) = leiden(model.latent(counts), model.seed)
        return pd.Series([f"cluster {name}" for name in clusters], counts.obs_names, name="cluster")
    if by not in counts.obs:
        columns = ", ".join(map(str, counts.obs.columns)) or "none"
        raise InputError(f"by {by!r}: no column of obs; its columns: {columns}")
    column = counts.obs[by]
    groups = column.astype(object).where(column.notna(), None)
    number = groups.nunique()
    if not 0 < number <= MOST:
        raise InputError(f"by {by!r}: it has {number} groups; a column with 1 to {MOST} is expected, as of cell types")
    return groups.map(lambda value: value if value is None else str(value))


def means_by(values: np.ndarray, groups: pd.Series) -> pd.DataFrame:
    """Means of the columns of values (cells, columns) in each group, groups in natural order."""
    table = pd.DataFrame(values).groupby(groups.to_numpy(), sort=False).mean()
    return table.loc[sorted(table.index, key=_natural)]


def expression_by(counts: ad.AnnData, groups: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(groups, genes) mean of log1p of counts scaled to the median library size, and share of cells with a count."""
    names, codes = np.unique(groups.dropna().to_numpy().astype(str), return_inverse=True)
    rows = np.flatnonzero(groups.notna())
    library = np.concatenate([np.asarray(part.sum(axis=1)).ravel() for part in _parts(counts, np.arange(len(groups)))])
    scale = np.median(library) / np.maximum(library, 1)
    sums, seen = np.zeros((len(names), counts.n_vars)), np.zeros((len(names), counts.n_vars))
    begin = 0
    for part in _parts(counts, rows):
        end = begin + part.shape[0]
        cells = np.arange(end - begin)
        of_group = csr_matrix((np.ones(len(cells)), (codes[begin:end], cells)), (len(names), len(cells)))
        logs = csr_matrix(part.multiply(scale[rows[begin:end], None])).log1p()
        sums += of_group @ logs
        seen += of_group @ (part > 0).astype(float)
        begin = end
    sizes = np.bincount(codes)[:, None]
    genes = counts.var_names
    return pd.DataFrame(sums / sizes, names, genes), pd.DataFrame(seen / sizes, names, genes)


def _parts(counts: ad.AnnData, rows: np.ndarray) -> Iterator[csr_matrix]:
    """The counts of these cells, some at a time."""
    stored = on_disk(counts, "counts")
    for part in np.array_split(rows, max(1, -(-len(rows) // CHUNK))):
        yield csr_matrix(stored.read(part) if stored is not None else counts.X[part])


def _natural(name: str) -> list[tuple[str, int]]:
    """Sort key: the numbers in a text by size."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", name)]
