"""Matching against all permutations, and stability of programs whose partners are known."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cosine

from zipo.model.programs.contributions import Contributions
from zipo.model.programs.matching import cosines, matched, shares_of_first, stability


def of(columns):
    """Programs with these contributions (G, P)."""
    genes, number = columns.shape
    names = pd.Index([f"G{gene}" for gene in range(genes)])
    return Contributions(names, np.ones(genes, bool), columns, None, np.arange(1, number + 1), np.ones(number))


def test_cosines_are_those_of_scipy_and_0_for_columns_of_zeros():
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(9, 3)), rng.normal(size=(9, 4))
    one[:, 2] = 0
    actual = cosines(one, other)
    for i, j in itertools.product(range(2), range(4)):
        assert actual[i, j] == pytest.approx(1 - cosine(one[:, i], other[:, j]))
    assert not actual[2].any()


@pytest.mark.parametrize("sizes", [(5, 5), (4, 6), (6, 4)])
def test_the_matching_is_the_best_of_all(sizes):
    rng = np.random.default_rng(sum(sizes) + sizes[0])
    one, other = rng.normal(size=(8, sizes[0])), rng.normal(size=(8, sizes[1]))
    similarity = cosines(one, other)
    wide = similarity if sizes[0] <= sizes[1] else similarity.T
    best = max(
        sum(wide[row, column] for row, column in enumerate(columns))
        for columns in itertools.permutations(range(wide.shape[1]), wide.shape[0])
    )
    partners, values = matched(one, other)
    assert values.sum() == pytest.approx(best)
    used = partners[partners >= 0]
    assert len(set(used)) == len(used) == min(sizes)
    for row, partner in enumerate(partners):
        assert values[row] == pytest.approx(similarity[row, partner] if partner >= 0 else 0)


def test_shares_of_the_first_genes_count_those_in_both():
    one = np.array([[5.0, 1], [4, 2], [3, 3], [-9, 4]])
    other = np.array([[5.0, 1], [0, 2], [3, 3], [4, 4]])
    assert shares_of_first(one, other, np.array([0, -1]), first=3).tolist() == [2 / 3, 0.0]  # G0 and G2 of three
    assert shares_of_first(one, other, np.array([1, 0]), first=1).tolist() == [0.0, 0.0]


def test_genes_without_a_part_are_not_shared_by_sparse_programs():
    one = np.zeros((50, 2))
    one[40:44, 0] = [4, 3, 2, 1]
    other = one.copy()
    other[40:42, 0] = 0
    other[45, 0] = 1
    assert shares_of_first(one, other, np.array([0, 1])).tolist() == [0.5, 0.0]  # two genes of four and three


def test_programs_that_come_back_in_another_order_are_stable_and_others_are_not():
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(200, 4))
    again = columns[:, [2, 0, 1, 3]] * 7.0
    again[:, 3] = rng.normal(size=200)
    half = columns[:, [1, 2, 0, 3]].copy()
    table = stability(of(columns), [of(again), of(half)])
    assert table["program"].tolist() == ["program_1", "program_2", "program_3", "program_4"]
    assert table["stable"].tolist() == [True, True, True, False]
    np.testing.assert_allclose(table["similarity"][:3], 1)
    np.testing.assert_allclose(table["shared_genes"][:3], 1)
    assert table["similarity"][3] == pytest.approx((1 + 1 - cosine(columns[:, 3], again[:, 3])) / 2)


def test_a_program_turned_over_is_another():
    columns = np.random.default_rng(3).normal(size=(50, 1))
    assert not stability(of(columns), [of(-columns)])["stable"].any()
