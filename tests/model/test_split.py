"""Splits partition the cells, depend on the seed alone, and refuse too few cells."""

import numpy as np
import pytest

from zipo.model.split import split
from zipo.shared.errors import InputError


def test_parts_partition_the_cells_in_the_shares_asked_for():
    parts = split(1937, 1, 0.1, 0.1)
    assert [len(parts.training), len(parts.validation), len(parts.test)] == [1549, 194, 194]
    together = np.concatenate([parts.training, parts.validation, parts.test])
    np.testing.assert_array_equal(np.sort(together), np.arange(1937))


def test_the_seed_decides():
    np.testing.assert_array_equal(split(50, 3, 0.1, 0.2).test, split(50, 3, 0.1, 0.2).test)
    assert set(split(50, 3, 0.1, 0.2).test) != set(split(50, 4, 0.1, 0.2).test)


def test_no_test_cells_where_none_are_asked_for():
    assert len(split(10, 1, 0.1, 0).test) == 0


def test_too_few_cells_are_refused():
    with pytest.raises(InputError, match="3 cells are too few"):
        split(3, 1, 0.1, 0.1)
