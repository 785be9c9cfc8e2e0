"""The Freeman-Tukey transform of counts, by which Poisson noise is alike at all means, and its inverse."""

import numpy as np


def freeman_tukey(values: np.ndarray) -> np.ndarray:
    """sqrt(x) + sqrt(x + 1)."""
    return np.sqrt(values) + np.sqrt(values + 1)


def inverse(transformed: np.ndarray) -> np.ndarray:
    """The counts x of which `freeman_tukey` makes these values; of values below 1, which none makes, zero."""
    squares = np.square(np.maximum(transformed, 1))
    return np.square(squares - 1) / (4 * squares)
