"""Batches against cell types: how far the batches of a type lie apart, compared with the types of a batch.

Methods are ranked by sums over the cells of a type and batch, which noise hardly touches, and by a share, which stays
the same where all differences shrink. Neighbours of single cells, as in the LISI of Korsunsky 2019 (doi
10.1038/s41592-019-0619-0), are shown beside it and rank nothing: noise mixes batches, so that the true mean of counts
with a batch effect has less mixing than no denoising; a harmonic mean with purity, as in Tran 2020 (doi
10.1186/s13059-019-1850-9), does not change that.

Expected counts of a cell hold the effect of its batch. A method that is good at them has no need to remove it.
"""

from itertools import combinations

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import chunks, log_cp10k
from zipo.metrics.shared.neighbours import NEIGHBOURS, drawn, jittered_components, nearest_of_all

title = "Batches against cell types"
measures = {"batch_share": "low", "batch_mixing": "high", "type_purity": "high"}
purpose = {"batch_share": "to compare cells of different batches"}
needs = ("batches", "cell_types")
unranked = {
    "batch_mixing": "greatest where all cells are alike, as by gene_mean, and raised by noise",
    "type_purity": "as great where the batches of a type stay apart",
}

FEWEST_CELLS = 2 * NEIGHBOURS
"""Cells that a batch must have in a type; those of smaller groups are left out."""
ALIKE = 1e-10
"""Mean squared difference of log1p(CP10k) that rounding may leave."""


def score(case: Case) -> dict[str, float]:
    """Share of batches in the differences between groups, mixing of batches within types, and purity of types.

    Types in fewer than two batches are left out. NaN where no batch has two of the others.
    """
    types, batches, members = groups(case)
    if len(set(batches)) == len(batches):  # each type has two batches, but no batch two of the types
        return dict.fromkeys(measures, float("nan"))
    share = share_of_batches(log_cp10k(sums(case, members)), types, batches)
    cells = drawn(np.sort(np.concatenate(members)), case.seed)
    components = jittered_components(case)[cells]
    mixing, purity = mixing_and_purity(components, case.cell_types[cells], case.batches[cells], case.seed)
    return {"batch_share": share, "batch_mixing": mixing, "type_purity": purity}


def groups(case: Case) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Type, batch and cells of each group of FEWEST_CELLS at least, of the types that have two such groups."""
    kept: list[tuple[str, str, np.ndarray]] = []
    for cell_type in np.unique(case.cell_types[case.cell_types != ""]):
        batches = np.where(case.cell_types == cell_type, case.batches, "")
        of_type = [(cell_type, name, np.flatnonzero(batches == name)) for name in np.unique(batches[batches != ""])]
        of_type = [group for group in of_type if len(group[2]) >= FEWEST_CELLS]
        kept += of_type if len(of_type) > 1 else []
    return np.array([group[0] for group in kept]), np.array([group[1] for group in kept]), [group[2] for group in kept]


def sums(case: Case, members: list[np.ndarray]) -> np.ndarray:
    """Denoised counts of each group, added up over its cells, float64 (groups, genes)."""
    totals = np.zeros((len(members), case.counts.shape[1]))
    for rows in chunks(*case.counts.shape):
        part = np.asarray(case.denoised[rows], dtype=np.float64)
        for total, cells in zip(totals, members, strict=True):
            total += part[cells[(cells >= rows.start) & (cells < rows.stop)] - rows.start].sum(axis=0)
    return totals


def share_of_batches(means: np.ndarray, types: np.ndarray, batches: np.ndarray) -> float:
    """B / (B + T) of groups (groups, genes) by type and batch; 1, the worst, where all groups are alike.

    B and T are squared differences, means over genes, over all pairs of groups of one type (B) or one batch (T).
    """
    differences: dict[tuple[bool, bool], list[float]] = {}
    for i, j in combinations(range(len(means)), 2):
        same = bool(types[i] == types[j]), bool(batches[i] == batches[j])
        differences.setdefault(same, []).append(float(np.square(means[i] - means[j]).mean()))
    between_batches, between_types = np.mean(differences[True, False]), np.mean(differences[False, True])
    if between_types < ALIKE:
        return 1.0
    return float(between_batches / (between_batches + between_types))


def mixing_and_purity(
    coordinates: np.ndarray, types: np.ndarray, batches: np.ndarray, seed: int
) -> tuple[float, float]:
    """Means over types, 1 each for batches in random order within types, and for neighbours of one type alone.

    Mixing is 0 where all neighbours within a type are of the same batch; purity 0 where types are in random order.
    """
    graph = nearest_of_all(coordinates, seed)
    mixing, purity = [], []
    for cell_type in np.unique(types):
        inside = np.flatnonzero(types == cell_type)
        mixing.append(1 - beyond_chance(batches[inside], nearest_of_all(coordinates[inside], seed)))
        purity.append(beyond_chance(types, graph, inside))
    return float(np.mean(mixing)), float(np.mean(purity))


def beyond_chance(labels: np.ndarray, graph: np.ndarray, scored: np.ndarray | slice = slice(None)) -> float:
    """Share of neighbours with a cell's own label: 1 if all have it, 0 if as many as in random order.

    `graph` has the neighbours of all cells, (cells, neighbours); `scored` are the cells whose mean is taken.
    """
    codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)[1:]
    expected = ((sizes[codes] - 1) / (len(labels) - 1))[scored].mean()
    observed = (codes[graph] == codes[:, None])[scored].mean()
    return float((observed - expected) / (1 - expected))
