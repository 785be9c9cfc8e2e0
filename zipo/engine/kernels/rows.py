"""Rows of a sparse matrix."""

import numpy as np

from zipo.engine.kernels.compiling import compiled


@compiled
def take(starts, columns, values, constants, cells):
    """These cells of counts in CSR, in this order: starts, columns, values, constants."""
    taken = np.zeros(len(cells) + 1, np.int64)
    for number, cell in enumerate(cells):
        taken[number + 1] = taken[number] + starts[cell + 1] - starts[cell]
    entries = taken[-1]
    of_columns, of_values = np.empty(entries, columns.dtype), np.empty(entries, values.dtype)
    of_constants = np.empty(entries, constants.dtype)
    for number, cell in enumerate(cells):
        low, high, begin, end = taken[number], taken[number + 1], starts[cell], starts[cell + 1]
        of_columns[low:high] = columns[begin:end]
        of_values[low:high] = values[begin:end]
        of_constants[low:high] = constants[begin:end]
    return taken, of_columns, of_values, of_constants
