"""Selection of genes for training: the most variable ones, or those that a file names."""

from collections.abc import Iterator
from pathlib import Path

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

from zipo.datasets.counts import as_counts, check_names, checked_counts
from zipo.datasets.formats.text import opened
from zipo.datasets.on_disk import on_disk
from zipo.shared.errors import InputError

THETA = 100.0  # size of the negative binomial, as Lause 2021 sets it for all genes
ENTRIES = 10_000_000  # of a chunk that is read at once
DENSE_ENTRIES = 500_000  # of a block: to get memory for larger ones takes as long as the arithmetic on them


def select_genes(adata: ad.AnnData, selection: str, place: str) -> np.ndarray:
    """Ascending indices of the selected genes: a number of the most variable ones, or those a file names, one a line.

    `place` names the data in errors. Raises InputError for a number below two, for names that the data lack, and
    where the data have a name twice.
    """
    check_names(adata.shape, adata.obs_names, adata.var_names, place)
    if selection.isdecimal():
        if int(selection) < 2:
            raise InputError(f"--genes {selection}: too few to learn from; ask for two genes or more")
        return np.flatnonzero(most_variable(adata, int(selection), place))
    if not Path(selection).is_file():
        raise InputError(f"--genes {selection}: neither a number of genes nor a file with a name on each line")
    with opened(Path(selection)) as file:
        names = list(dict.fromkeys(filter(None, map(str.strip, file))))
    if missing := [name for name in names if name not in adata.var_names]:
        raise InputError(
            f"--genes {selection}: {len(missing)} of {len(names)} genes are not in {place}, the first is "
            f"{missing[0]!r}; take them out of the file, or name them as the data do"
        )
    if len(names) < 2:
        raise InputError(f"--genes {selection}: fewer than two genes are named; too few to learn from")
    return np.sort(adata.var_names.get_indexer(names))


def most_variable(adata: ad.AnnData, genes: int, place: str) -> np.ndarray:
    """Mask (genes,) of the genes whose Pearson residuals vary most (Lause 2021, doi 10.1186/s13059-021-02451-7).

    Residuals of a negative binomial with rates of rank one, clipped at the square root of the number of cells. Only
    a block of the cells is ever dense.
    """
    library, gene_totals = np.zeros(adata.n_obs), np.zeros(adata.n_vars)
    for cells, counts in _chunks(adata, place):
        library[cells] = np.asarray(counts.sum(axis=1)).ravel()
        gene_totals += np.asarray(counts.sum(axis=0)).ravel()
    shares, limit = gene_totals / max(gene_totals.sum(), 1), np.sqrt(adata.n_obs)
    sums, squares = np.zeros(adata.n_vars), np.zeros(adata.n_vars)
    rows = max(1, DENSE_ENTRIES // adata.n_vars)
    for cells, counts in _chunks(adata, place):
        for begin in range(0, len(cells), rows):
            block = slice(begin, begin + rows)
            rates = library[cells[block], None] * shares
            spread = np.sqrt(rates + rates**2 / THETA)
            residuals = np.clip((counts[block].toarray() - rates) / np.where(spread > 0, spread, 1), -limit, limit)
            sums += residuals.sum(axis=0)
            squares += np.square(residuals).sum(axis=0)
    variances = squares / adata.n_obs - np.square(sums / adata.n_obs)
    mask = np.zeros(adata.n_vars, dtype=bool)
    mask[np.argsort(-variances, kind="stable")[:genes]] = True
    return mask


def _chunks(adata: ad.AnnData, place: str) -> Iterator[tuple[np.ndarray, csr_matrix]]:
    """Cells and their counts, checked, in chunks."""
    rows = on_disk(adata, place)
    chunks = np.array_split(np.arange(adata.n_obs), -(-adata.n_obs * adata.n_vars // ENTRIES))
    if rows is None:
        matrix = as_counts(adata.X, adata.obs_names, adata.var_names, place)
        yield from ((cells, matrix[cells]) for cells in chunks)
    else:
        for cells in chunks:
            yield cells, checked_counts(rows.read(cells), adata.obs_names[cells], adata.var_names, place)
