"""Selection of rows of a sparse matrix."""

import numpy as np

from zipo.engine.kernels.compiling import compiled


@compiled
def take(starts, columns, values, constants, cells):
    """Select cells of counts in CSR, in the order of `cells`: their starts, columns, values, constants."""
    new_starts = np.zeros(len(cells) + 1, np.int64)
    for number, cell in enumerate(cells):
        new_starts[number + 1] = new_starts[number] + starts[cell + 1] - starts[cell]
    entries = new_starts[-1]
    new_columns, new_values = np.empty(entries, columns.dtype), np.empty(entries, values.dtype)
    new_constants = np.empty(entries, constants.dtype)
    for number, cell in enumerate(cells):
        low, high, begin, end = new_starts[number], new_starts[number + 1], starts[cell], starts[cell + 1]
        new_columns[low:high] = columns[begin:end]
        new_values[low:high] = values[begin:end]
        new_constants[low:high] = constants[begin:end]
    return new_starts, new_columns, new_values, new_constants
