"""Alignment of a data set's genes with those of a model, by name."""

import math
from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from zipo.datasets.counts import check_names, plain_names
from zipo.datasets.on_disk import on_disk, some_genes
from zipo.datasets.raw_counts import CountsInData, check_anndata, counts_of, raw_in_memory
from zipo.shared.errors import InputError
from zipo.shared.wording import setting


@dataclass(frozen=True)
class Alignment:
    """How the genes of a data set fit a model's."""

    genes: pd.Index
    """The genes of the aligned data, in order: the model's, then those that were added."""
    shared: int
    """Genes that both have."""
    missing: int
    """Genes of the model that the data lack."""
    extra: int
    """Genes of the data that the model lacks."""
    added: bool
    """Whether the extra genes are added to the model; else they are left out."""
    zeros: bool
    """Whether the missing genes count as zeros; else the model does without them."""

    @property
    def message(self) -> str:
        """One line for the user."""
        clauses = [f"{self.shared:,} of the model's {self.shared + self.missing:,} genes are in the data"]
        if self.missing:
            fate = "count as zeros" if self.zeros else "have no part in the result"
            clauses.append(f"{self.missing:,} are not and {fate}")
        if self.extra:
            fate = "added to the model" if self.added else "left out"
            clauses.append(f"{self.extra:,} others of the data are {fate}")
        return ", ".join(clauses)

    @classmethod
    def of(cls, data_genes: pd.Index, genes: pd.Index, added: bool = False, zeros: bool = True) -> "Alignment":
        """The alignment of a data set's genes with a model's. Raises InputError where they have none in common."""
        data_genes, genes = plain_names(data_genes), plain_names(genes)
        extra = data_genes[~data_genes.isin(genes)]
        shared = len(data_genes) - len(extra)
        if not shared:
            raise InputError(
                f"none of the {len(data_genes)} genes of the data, such as {data_genes[0]!r}, is among "
                f"the {len(genes)} of the model, such as {genes[0]!r}; name the genes as the model does"
            )
        return cls(genes.append(extra) if added else genes, shared, len(genes) - shared, len(extra), added, zeros)

    def check_share(self, genes: pd.Index, data_genes: pd.Index, min_genes: float) -> None:
        """Raise InputError where the data have less than the share `min_genes` of the model's genes: from so few the
        result would say little about the cells."""
        if self.shared >= min_genes * len(genes):
            return
        share = math.floor(100 * self.shared / len(genes)) / 100
        known = genes.isin(data_genes)
        raise InputError(
            f"{self.shared:,} of the model's {len(genes):,} genes are in the data, such as {genes[known][0]!r}, "
            f"but not {genes[~known][0]!r}: less than the share {min_genes:g}; name the genes as the model does, or "
            f"do without the others with {setting('min_genes', share)}"
        )


def aligned(adata: ad.AnnData, genes: pd.Index, min_genes: float = 0.5) -> tuple[ad.AnnData, Alignment]:
    """The data with exactly these genes, in this order: others are left out, those that are missing count as zeros.

    Where none is missing the result is a view, whose counts stay on disk if they lie there; else the counts are read
    into memory, and var and layers are left out. A model takes such zeros for counts, and expects too little of the
    other genes: `zipo.fine_tuning.with_shared_genes` gives one that does without the missing. Raises InputError for
    genes that occur twice, or none in common, and where the data have less than the share `min_genes` of the model's.
    """
    check_anndata(adata, "counts")
    alignment = Alignment.of(adata.var_names, genes)
    alignment.check_share(genes, adata.var_names, min_genes)
    return with_genes(adata, genes), alignment


def aligned_with_all(source: CountsInData, genes: pd.Index, min_genes: float = 0.5) -> tuple[CountsInData, Alignment]:
    """As `aligned`, for counts and the AnnData that they belong to; all of it is kept where no gene is missing."""
    counts, alignment = aligned(source.counts, genes, min_genes)
    if source.data is source.counts and not alignment.missing:
        return CountsInData(counts, counts, source.left_out), alignment
    if not alignment.missing:
        return CountsInData(with_genes(source.data, genes), counts, source.left_out), alignment
    data = ad.AnnData(
        counts.X,
        obs=counts.obs,
        var=pd.DataFrame(index=counts.var_names),
        obsm=dict(source.data.obsm),
        obsp=dict(source.data.obsp),
        uns=dict(source.data.uns),
        raw=raw_in_memory(source.data),
    )
    of_genes = [
        *(["X"] if source.data is not source.counts else []),
        *(f"layers[{name!r}]" for name in source.data.layers),
        *(f"var[{name!r}]" for name in source.data.var),
        *(f"{group}[{name!r}]" for group in ("varm", "varp") for name in getattr(source.data, group)),
    ]
    left_out = f"left out, since they lack genes of the model: {', '.join(of_genes)}" if of_genes else ""
    return CountsInData(data, counts, "; ".join(filter(None, (source.left_out, left_out)))), alignment


def with_genes(adata: ad.AnnData, genes: pd.Index) -> ad.AnnData:
    """The data with exactly these genes, in this order; missing ones count as zeros, as in `aligned`."""
    names, genes = plain_names(adata.var_names), plain_names(genes)
    if names.equals(genes):
        return adata
    check_names(adata.shape, adata.obs_names, names, "counts")
    positions = names.get_indexer(genes)  # -1 for those that are missing
    if (positions >= 0).all():
        return some_genes(adata, positions)
    present = np.flatnonzero(positions >= 0)
    counts = _in_memory(adata, positions[present])
    matrix = csr_matrix((counts.data, present[counts.indices], counts.indptr), shape=(adata.n_obs, len(genes)))
    var = pd.DataFrame(index=genes.rename(adata.var_names.name))
    return ad.AnnData(matrix, obs=adata.obs, var=var, obsm=dict(adata.obsm), uns=dict(adata.uns))


def _in_memory(adata: ad.AnnData, genes: np.ndarray) -> csr_matrix:
    """The counts of some genes, by their positions, in memory."""
    if (rows := on_disk(some_genes(adata, genes), "counts")) is not None:
        return rows.read(np.arange(adata.n_obs))
    return counts_of(adata, "counts").X[:, genes]
