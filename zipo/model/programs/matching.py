"""Stability of programs: those of several models, of other seeds, matched by the genes that contribute to them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from zipo.model.programs.contributions import Contributions, largest_positive

FIRST = 20
"""Leading genes that matched programs are compared by."""
STABLE_SIMILARITY, STABLE_SHARE = 0.7, 0.5
"""Least mean similarity and least mean share of the first genes of a program that counts as stable."""
COLUMNS = ["program", "similarity", "shared_genes", "stable"]


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(P, Q) cosine similarity of the columns of (G, P) and (G, Q); 0 for a column of zeros."""

    def unit(columns: np.ndarray) -> np.ndarray:
        columns = np.asarray(columns, float)
        return columns / np.maximum(np.linalg.norm(columns, axis=0), np.finfo(float).tiny)

    return unit(one).T @ unit(other)


def matched(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The one-to-one matching of columns (G, P) with others (G, Q) of the largest sum of cosine similarities (Hungarian
    algorithm; Kuhn 1955).

    Returns (P,) the matched column, -1 for columns left over where P > Q, and (P,) their similarity, there 0.
    """
    from scipy.optimize import linear_sum_assignment

    similarity = cosines(one, other)
    rows, columns = linear_sum_assignment(similarity, maximize=True)
    partners, values = np.full(len(similarity), -1), np.zeros(len(similarity))
    partners[rows], values[rows] = columns, similarity[rows, columns]
    return partners, values


def shares_of_first(one: np.ndarray, other: np.ndarray, partners: np.ndarray, first: int = FIRST) -> np.ndarray:
    """(P,) share of the first genes, by positive contribution, that each program has in common with its partner: of the
    longer list, where one has fewer; 0 without a partner, or without genes."""

    def leading(column: np.ndarray) -> set[int]:
        return set(largest_positive(column, first))

    shares = []
    for program, partner in enumerate(partners):
        mine, theirs = leading(one[:, program]), leading(other[:, partner]) if partner >= 0 else set()
        shares.append(len(mine & theirs) / max(len(mine), len(theirs), 1))
    return np.array(shares)


def stability(programs: Contributions, others: Sequence[Contributions]) -> pd.DataFrame:
    """How well the programs of a model come back in models of other seeds, in the same cells.

    Columns: program; similarity, mean over the models of the cosine of the contributions of matched programs;
    shared_genes, mean share of the first 20 genes that they have in common; stable, whether these are at least .7 and
    .5. The models have the same genes.
    """
    similarities, shares = [], []
    for other in others:
        partners, similarity = matched(programs.contribution, other.contribution)
        similarities.append(similarity)
        shares.append(shares_of_first(programs.contribution, other.contribution, partners))
    similarity, shared = np.mean(similarities, axis=0), np.mean(shares, axis=0)
    return pd.DataFrame(
        {
            "program": programs.names,
            "similarity": similarity,
            "shared_genes": shared,
            "stable": (similarity >= STABLE_SIMILARITY) & (shared >= STABLE_SHARE),
        },
        columns=COLUMNS,
    )
