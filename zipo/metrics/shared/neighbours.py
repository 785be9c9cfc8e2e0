"""Nearest neighbours of cells, and whether there is anything by which cells can be told apart."""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import chunks
from zipo.metrics.shared.components import COMPONENTS, principal_components

ALIKE = 1e-3
"""Range of coordinates of log1p(CP10k) below which cells differ by the rounding of float32 alone."""
NEIGHBOURS = 15
MOST_CELLS = 10_000
"""Cells that are compared, drawn at random: the time grows with their square."""
JITTER = 1e-4
"""Standard deviation of the noise on each component. Cells that a method makes alike differ by rounding alone, at
most by 1e-5, and would otherwise be neighbours by their library sizes or by their order in the file."""


def jittered_components(case: Case) -> np.ndarray:
    """Components of the denoised log1p(CP10k) of all cells, float64 (cells, components), with negligible noise."""
    components = principal_components(case.denoised, COMPONENTS, case.seed)
    return components + np.random.default_rng(case.seed).normal(0, JITTER, size=components.shape)


def drawn(cells: np.ndarray, seed: int) -> np.ndarray:
    """At most MOST_CELLS of some cells, in their order."""
    if len(cells) <= MOST_CELLS:
        return cells
    return np.sort(np.random.default_rng(seed).choice(cells, MOST_CELLS, replace=False))


def alike(coordinates: np.ndarray) -> bool:
    """Whether all cells are at one place, so that neighbours and clusters would be those of rounding errors."""
    return bool(np.ptp(coordinates, axis=0).max(initial=0.0) < ALIKE)


def nearest(coordinates: np.ndarray, cells: np.ndarray, k: int, seed: int) -> np.ndarray:
    """The k cells nearest to each of `cells` by Euclidean distance, itself left out; (cells, k), in no order.

    `coordinates` are (all cells, dimensions). Of cells equally far away, which are taken is random and not by their
    place in the data set, where cells of a type often stand together.
    """
    order = np.random.default_rng(seed).permutation(len(coordinates))
    shuffled = coordinates[order]
    place = np.argsort(order)[cells]
    lengths = np.square(shuffled).sum(axis=1)
    parts = []
    for rows in chunks(len(cells), len(coordinates)):
        own = place[rows]
        distance = lengths - 2 * shuffled[own] @ shuffled.T  # less the cell's own length, which is the same for all
        distance[np.arange(len(own)), own] = np.inf
        parts.append(order[np.argpartition(distance, k - 1, axis=1)[:, :k]])
    return np.concatenate(parts)


def nearest_of_all(coordinates: np.ndarray, seed: int) -> np.ndarray:
    """The NEIGHBOURS nearest to each cell, (cells, NEIGHBOURS)."""
    return nearest(coordinates, np.arange(len(coordinates)), NEIGHBOURS, seed)
