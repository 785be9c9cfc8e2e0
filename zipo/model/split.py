"""Random split into training, validation and test cells; of one seed, it is the same for all settings."""

from dataclasses import dataclass

import numpy as np

from zipo.shared.errors import InputError


@dataclass
class Split:
    """Indices of the cells, each in ascending order."""

    training: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split(cells: int, seed: int, validation_share: float, test_share: float) -> Split:
    """Split cells at random; the shares are rounded to whole cells, at least one where a share is asked for."""
    validation = max(1, round(cells * validation_share)) if validation_share else 0
    test = max(1, round(cells * test_share)) if test_share else 0
    if cells - validation - test < 2:
        many = f"{cells} cells are" if cells != 1 else "1 cell is"
        tested = f" and {test} for tests" if test else ""
        raise InputError(f"{many} too few: 2 at least are needed to train, beside {validation} to validate{tested}")
    order = np.random.default_rng(seed).permutation(cells)
    parts = np.split(order, [test, test + validation])
    return Split(training=np.sort(parts[2]), validation=np.sort(parts[1]), test=np.sort(parts[0]))
