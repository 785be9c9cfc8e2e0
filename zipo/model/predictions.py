"""Arrays over all cells from predictions for batches of cells."""

from collections.abc import Iterable, Mapping

import numpy as np
from torch import Tensor


def stacked(parts: Iterable[Mapping[str, Tensor]], cells: int) -> dict[str, np.ndarray]:
    """Named values of consecutive batches, each (B, ...), as float32 arrays (cells, ...).

    The arrays are filled batch by batch: joining the batches at the end would take the memory twice.
    """
    arrays: dict[str, np.ndarray] = {}
    begin = end = 0
    for part in parts:
        for name, values in part.items():
            if name not in arrays:
                arrays[name] = np.empty((cells, *values.shape[1:]), np.float32)
            end = begin + len(values)
            arrays[name][begin:end] = values.cpu().numpy()
        begin = end
    return arrays
