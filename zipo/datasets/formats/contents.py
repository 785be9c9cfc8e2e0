"""The counts and names that the reader of a format takes out of a file, before they are checked."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import spmatrix

from zipo.shared.errors import InputError


class Contents(NamedTuple):
    """Counts (cells x genes), the names of cells and genes, and the file's own columns about its cells."""

    matrix: spmatrix
    cells: Sequence[str]
    genes: Sequence[str]
    gene_ids: Sequence[str] | None = None
    """Accessions of the genes, where the file has them beside their symbols."""
    obs: pd.DataFrame | None = None
    """Columns about the cells, in their order; None for a format that has none."""
    types: Sequence[str] | None = None
    """Type of each feature, as 10x has them: that of genes is Gene Expression. None for a file without types."""

    def of_genes(self, places: np.ndarray) -> "Contents":
        """The same with some of the genes alone, by their positions."""
        genes = [self.genes[i] for i in places]
        gene_ids = None if self.gene_ids is None else [self.gene_ids[i] for i in places]
        types = None if self.types is None else [self.types[i] for i in places]
        return self._replace(matrix=self.matrix[:, places], genes=genes, gene_ids=gene_ids, types=types)


def unique_genes(genes: Sequence[str], gene_ids: Sequence[str] | None) -> list[str]:
    """Gene names where those that occur more than once, and blank ones, carry their accession: TBCE_ENSG00000116957.

    Every copy does, for none of them is more the gene of that name than another. Genes are never added up.
    """
    if gene_ids is None:
        return list(genes)
    copies = Counter(genes)
    return [
        accession if not gene else gene if copies[gene] == 1 else f"{gene}_{accession}"
        for gene, accession in zip(genes, gene_ids, strict=True)
    ]


def check_size(shape: Sequence[int], genes: int, cells: int, place: str) -> None:
    """Raise InputError unless a stored matrix (genes x cells) has as many rows and columns as there are names."""
    if tuple(shape) == (genes, cells):
        return
    remedy = "the parts belong to different data, or one is incomplete"
    if tuple(shape) == (cells, genes):
        remedy = "the matrix is stored as cells x genes: transpose it, as by .T in Python, and write it again"
    elif (genes - shape[0], cells - shape[1]) in ((1, 0), (0, 1), (1, 1)):
        remedy = "should the names begin with a line of titles, take that line away"
    raise InputError(
        f"{place}: the matrix is {shape[0]} genes x {shape[1]} cells, but {genes} genes and {cells} cells are "
        f"named; {remedy}"
    )
