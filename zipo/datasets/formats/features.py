"""Features beside the genes: antibodies, guides and peaks by their type, and unassigned reads by their name."""

import re
import sys
import warnings
from collections import Counter
from collections.abc import Sequence

import anndata as ad
import numpy as np
import pandas as pd

from zipo.datasets.names import matching
from zipo.shared.errors import InputError

GENE_EXPRESSION = "Gene Expression"
OTHER_TYPES = ("Custom", "Peaks", "VDJ", "VDJ-T", "VDJ-B")  # of features, besides those that are some ... Capture
COLUMN = "feature_types"  # of var, as the readers of scanpy and muon name it
UNASSIGNED = "unassigned reads"
NAMES_OF_UNASSIGNED = re.compile(  # rows of htseq-count and of STAR
    "__(no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)"
    "|N_(unmapped|multimapping|noFeature|ambiguous)"
)
LEFT_OUT = "left_out_features"  # entry of uns


def types_in(var: pd.DataFrame) -> list[str] | None:
    """The type of each feature, from the column of var; a gene's where it is missing. None without such a column."""
    if COLUMN not in var:
        return None
    types = var[COLUMN].astype(object)
    return types.where(types.notna(), GENE_EXPRESSION).astype(str).tolist()


def genes_among(names: Sequence[str], types: Sequence[str] | None, place: str) -> tuple[np.ndarray, dict[str, int]]:
    """Positions of the features that are genes, and how many others there are of each type, of which a line is printed.

    Where no type is one of 10x's they are something else, such as a gene's biotype or chromosome, and all are genes.
    Raises InputError where none is a gene.
    """
    if types is not None and len(types) and not _are_of_10x(types):
        problem = f"{types[0]!r}, in the place of a feature's type, is none of 10x; all features are taken as genes"
        print(f"{place}: {problem}", file=sys.stderr)
    kinds = _kinds(names, types)
    others = Counter(kind for kind in kinds if kind != GENE_EXPRESSION)
    if kinds and others.total() == len(kinds):
        raise InputError(
            f"{place}: no feature is of type {GENE_EXPRESSION!r}; there are {', '.join(others)}; give the matrix of "
            "gene expression"
        )
    for kind, number in others.items():
        print(f"{place}: left out {number} features of type {kind!r}, which are no genes", file=sys.stderr)
    return np.flatnonzero([kind == GENE_EXPRESSION for kind in kinds]), dict(others)


def warn_of_others(adata: ad.AnnData) -> None:
    """Warn of features beside the genes in an AnnData that is to be trained on, and say how to leave them out."""
    names = list(map(str, adata.var_names))
    others = Counter(kind for kind in _kinds(names, types_in(adata.var)) if kind != GENE_EXPRESSION)
    if not others or others.total() == len(names):
        return
    numbers = " and ".join(f"{number} of type {kind!r}" for kind, number in others.items())
    without = f"adata[:, adata.var[{COLUMN!r}] == {GENE_EXPRESSION!r}]"
    if set(others) == {UNASSIGNED}:
        without = f"adata[:, ~adata.var_names.isin({matching(names, NAMES_OF_UNASSIGNED)})]"
    message = (
        f"of the {len(names)} features {numbers} are no genes, but count as genes in training and library sizes; leave "
        f"them out by {without}"
    )
    # as if from here, so that it is shown once where a function that warns calls another
    warnings.warn(message, stacklevel=1)


def _kinds(names: Sequence[str], types: Sequence[str] | None) -> list[str]:
    """The type of each feature, where types are those of 10x; otherwise all but unassigned reads are genes."""
    kinds = list(types) if types is not None and _are_of_10x(types) else [GENE_EXPRESSION] * len(names)
    unassigned = set(matching(names, NAMES_OF_UNASSIGNED))
    return [UNASSIGNED if name in unassigned else kind for name, kind in zip(names, kinds, strict=True)]


def _are_of_10x(types: Sequence[str]) -> bool:
    """Whether any type of a feature is one of 10x's."""
    return any(kind == GENE_EXPRESSION or kind in OTHER_TYPES or kind.endswith(" Capture") for kind in types)
