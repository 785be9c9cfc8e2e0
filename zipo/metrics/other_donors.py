"""Differential expression in few denoised cells against the pseudobulk of donors that the method did not see.

May one test on denoised counts? Cells of two types are drawn, 30 against 30, and each gene is tested between them. The
other donors say which genes really differ between the types, as their biological replicates (Squair 2021,
doi 10.1038/s41467-021-25960-2). A test assumes that cells are independent, which a denoising that takes means over
cells undoes: differences that are none, or too small to matter, become significant.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from zipo.metrics.shared.case import Case, OtherDonors
from zipo.metrics.shared.chunks import DECIMALS
from zipo.metrics.shared.rank_sums import rank_sum_z
from zipo.metrics.shared.within_type import detected

title = "Differential expression confirmed by other donors"
measures = {"donors_ranking": "high", "donors_false_calls": "low", "donors_power": "high"}
purpose = {
    "donors_ranking": "to rank genes by their difference between cell types",
    "donors_false_calls": "to test few denoised cells for differential expression",
}
needs = ("other_donors", "cell_types")
unranked = {"donors_power": "a method by which every gene is significant has the most"}

GROUP = 30  # cells of each type in a test
DRAWS = 10  # for each pair of types
MOST_TYPES = 4  # the most frequent ones, of which all pairs are tested
FEWEST_CELLS = 20
"""Least cells of a type in a donor whose pseudobulk is taken."""
FEWEST_DONORS = 2
FEWEST_MOLECULES = 100
"""Least molecules of a gene in each type, in the sum over donors, for its fold change to be taken as known to be
small: its log2 has a standard error of 0.2 at most from their number."""
UNCHANGED = 0.25
"""Absolute log2 fold change, mean over donors, below which a gene is taken as unchanged: a factor of 1.19."""
CHANGED = 1.0
"""Absolute log2 fold change, in each donor and in the same direction, from which it is taken as changed."""
MOST_SHARE = 0.05
"""Largest share of a gene in a pseudobulk for it to count in the totals by which cells and pseudobulks are divided. A
hormone that is half of a cell's molecules in one donor and a third in another would shift all other genes."""
FEWEST_GENES = 10  # of a kind, to take a share of
LEVEL = 0.05
"""False discovery rate at which a gene is called (Benjamini & Hochberg 1995)."""


def score(case: Case) -> dict[str, float]:
    """The three measures, means over the draws and then over the pairs of types; NaN where no pair has enough.

    - donors_ranking: Spearman correlation of the rank-sum statistic (signed z) with the donors' log fold change, over
      all tested genes; 0 where all statistics are the same.
    - donors_false_calls: share of the unchanged genes that are called. Nothing is called by a method that gives the
      same for all cells: read it with the power.
    - donors_power: share of the changed genes that are called.
    """
    rng = np.random.default_rng(case.seed)
    rows = [pair_scores(case, pair, rng) for pair in tested_pairs(case)]
    if not rows:
        return dict.fromkeys(measures, float("nan"))
    values = np.array(rows)
    return {
        measure: float(np.nanmean(column)) if np.isfinite(column).any() else float("nan")
        for measure, column in zip(measures, values.T, strict=True)
    }


def tested_pairs(case: Case) -> Iterator[tuple[str, str]]:
    """Pairs of the most frequent types, of which case and donors have enough cells."""
    names, sizes = np.unique(case.cell_types[case.cell_types != ""], return_counts=True)
    frequent = [name for name in names[np.argsort(-sizes, kind="stable")] if (case.cell_types == name).sum() >= GROUP]
    for pair in combinations(frequent[:MOST_TYPES], 2):
        if len(donors_with(case.other_donors, pair)) >= FEWEST_DONORS:
            yield pair


def donors_with(other: OtherDonors, pair: tuple[str, str]) -> list[str]:
    """Donors with enough cells of both types."""
    return [
        donor
        for donor in np.unique(other.donors)
        if all(((other.donors == donor) & (other.cell_types == name)).sum() >= FEWEST_CELLS for name in pair)
    ]


def pair_scores(case: Case, pair: tuple[str, str], rng: np.random.Generator) -> list[float]:
    """The three measures for one pair of types, means over draws."""
    from scipy.stats import false_discovery_control, norm, rankdata

    other = case.other_donors
    groups = [np.flatnonzero(case.cell_types == name) for name in pair]
    bulks = pseudobulks(other, pair)
    in_total = (bulks / bulks.sum(axis=-1, keepdims=True)).max(axis=(0, 1)) < MOST_SHARE
    tested = detected(case.counts[np.concatenate(groups)][:, other.genes])
    changes = fold_changes(bulks, in_total)[:, tested]
    mean = changes.mean(axis=0)
    unchanged = (np.abs(mean) < UNCHANGED) & (bulks.sum(axis=0).min(axis=0)[tested] >= FEWEST_MOLECULES)
    changed = changed_in_each(changes)
    first = np.repeat([[1.0, 0.0]], GROUP, axis=1)
    draws = []
    for _ in range(DRAWS):
        cells = np.concatenate([rng.choice(group, GROUP, replace=False) for group in groups])
        values = np.asarray(case.denoised[cells], dtype=np.float64)[:, other.genes]
        logs = np.log1p(per_total(values, in_total) * 1e4)[:, tested]
        z = rank_sum_z(rankdata(np.round(logs, DECIMALS), axis=0), first)[0]
        called = false_discovery_control(2 * norm.sf(np.abs(z))) <= LEVEL
        draws.append([ranking(z, mean), share(called, unchanged), share(called, changed)])
    return list(np.mean(draws, axis=0))


def pseudobulks(other: OtherDonors, pair: tuple[str, str]) -> np.ndarray:
    """Molecules of each donor with enough cells of both types, float64 (donors, 2, genes)."""
    return np.array(
        [
            [
                np.asarray(other.counts[(other.donors == donor) & (other.cell_types == name)].sum(axis=0)).ravel()
                for name in pair
            ]
            for donor in donors_with(other, pair)
        ],
        dtype=np.float64,
    )


def fold_changes(bulks: np.ndarray, in_total: np.ndarray) -> np.ndarray:
    """log2 fold changes of the first type over the second, (donors, genes).

    One molecule on average is added to both types, in proportion to their totals: a gene that neither has is unchanged.
    """
    added = 1 / bulks[..., in_total].sum(axis=-1).mean(axis=1)
    logs = np.log2(per_total(bulks, in_total) + added[:, None, None])
    return logs[:, 0] - logs[:, 1]


def changed_in_each(changes: np.ndarray) -> np.ndarray:
    """Whether a gene's log2 fold change is CHANGED or more in each donor, in the same direction, (genes,)."""
    return np.logical_or((changes >= CHANGED).all(axis=0), (changes <= -CHANGED).all(axis=0))


def per_total(values: np.ndarray, in_total: np.ndarray) -> np.ndarray:
    """Values (..., genes) divided by their sums over some genes; zeros where that is zero."""
    total = values[..., in_total].sum(axis=-1, keepdims=True)
    return np.divide(values, total, out=np.zeros_like(values), where=total > 0)


def ranking(z: np.ndarray, changes: np.ndarray) -> float:
    """Spearman correlation; 0 if all of z are the same, NaN if there are too few genes."""
    from scipy.stats import spearmanr

    if len(z) < FEWEST_GENES:
        return float("nan")
    return float(spearmanr(z, changes).statistic) if np.ptp(z) > 0 else 0.0


def share(called: np.ndarray, genes: np.ndarray) -> float:
    """Share of some genes that are called; NaN if they are too few."""
    return float(called[genes].mean()) if genes.sum() >= FEWEST_GENES else float("nan")
