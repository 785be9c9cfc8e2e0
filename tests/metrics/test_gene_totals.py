"""Gene totals by hand, of controls whose answer is known, and of the truth against its counting noise."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import poisson

from zipo.metrics import gene_totals
from zipo.metrics.shared.case import Case


def test_totals_by_hand():
    # 20 cells of a, 20 of b, 19 of c and one unknown; two genes of 10, 20, 10 and 1 molecules a cell, and one of 1
    types = np.repeat(["a", "b", "c", ""], [20, 20, 19, 1])
    counts = np.ones((60, 3))
    counts[:20, :2] = 10
    counts[20:40, :2] = 20
    counts[40:59, :2] = 10
    denoised = counts.copy()
    denoised[:20, 0] = 15  # 1.5 times as many in a
    denoised[20:40, 0] = 15  # .75 in b, so that the sum of both is right
    denoised[20:40, 1] = 22
    denoised[:, 2] = 9  # the gene of few molecules, which is not compared
    actual = gene_totals.score(Case(csr_matrix(counts), denoised, cell_types=types))
    # over all cells the errors are 0 and 40 / 791; in a .5 and 0, in b .25 and .1
    assert actual["gene_totals"] == pytest.approx(20 / 791)
    assert actual["gene_totals_within_types"] == pytest.approx(0.175)


def test_gene_means_are_right_over_all_cells_and_wrong_within_types(deep_cases):
    none, mean, zeros = (gene_totals.score(deep_cases[name]) for name in ("no_denoising", "gene_mean", "zeros"))
    assert none == dict.fromkeys(gene_totals.measures, 0.0)
    assert mean["gene_totals"] == pytest.approx(0, abs=1e-6)
    assert mean["gene_totals_within_types"] > 0.1
    assert zeros == dict.fromkeys(gene_totals.measures, 1.0)


def test_the_true_means_are_as_far_as_counting_noise():
    """The median of |mean / count - 1| of Poisson counts, by their distribution."""
    rng = np.random.default_rng(3)
    means = np.full((100, 2000), 2.0)  # 200 molecules a type and gene
    types = np.repeat(["a"], 100)
    counts = csr_matrix(rng.poisson(means))
    actual = gene_totals.score(Case(counts, means, cell_types=types))["gene_totals_within_types"]
    molecules = np.arange(100, 301)
    errors = np.abs(200 / molecules - 1)
    order = np.argsort(errors)
    expected = errors[order][np.searchsorted(np.cumsum(poisson.pmf(molecules, 200)[order]), 0.5)]
    assert actual == pytest.approx(expected, rel=0.1)
    assert expected == pytest.approx(0.67 / np.sqrt(200), rel=0.1)


def test_numbers_that_do_not_exist(deep_cases):
    bare = Case(deep_cases["no_denoising"].counts, deep_cases["no_denoising"].denoised)
    assert gene_totals.score(bare)["gene_totals"] == 0
    assert np.isnan(gene_totals.score(bare)["gene_totals_within_types"])
    few = Case(csr_matrix(np.ones((30, 2))), np.ones((30, 2)), cell_types=np.repeat(["a", "b"], 15))
    assert np.isnan(list(gene_totals.score(few).values())).all()
