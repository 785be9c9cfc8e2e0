"""Order along a trajectory: whether the nearest neighbours of a cell are at its place.

The known place of each cell is predicted as the mean over its nearest neighbours in the principal components of the
denoised counts, itself left out. That needs neither the start of the trajectory nor the branches, which methods of
trajectory inference have to be given or to guess (Saelens 2019, doi 10.1038/s41587-019-0071-9), and whose own faults
would be scored with those of the denoising.
"""

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.neighbours import drawn, jittered_components, nearest_of_all
from zipo.metrics.shared.rank_correlation import spearman

title = "Order along a trajectory"
measures = {"trajectory_order": "high"}
purpose = {"trajectory_order": "to order cells along a trajectory"}
needs = ("pseudotime",)

FEWEST_CELLS = 50
"""Among fewer, the neighbours are a good part of all cells."""


def score(case: Case) -> dict[str, float]:
    """Spearman correlation of the known places with those predicted: 1 in order, about 0 where all cells are alike.

    NaN for few cells, and for cells all of one place.
    """
    cells = drawn(np.flatnonzero(np.isfinite(case.pseudotime)), case.seed)
    places = case.pseudotime[cells]
    if len(cells) < FEWEST_CELLS:
        return {"trajectory_order": float("nan")}
    predicted = places[nearest_of_all(jittered_components(case)[cells], case.seed)].mean(axis=1)
    return {"trajectory_order": float(spearman(predicted[:, None], places[:, None])[0])}
