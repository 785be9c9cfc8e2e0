"""The simulation has the moments it is asked for, and its truth explains its counts."""

import numpy as np
import pytest
from scipy import stats

from zipo.datasets.simulation import simulate
from zipo.datasets.sources.simulated import SimulatedSource


def source(**options) -> SimulatedSource:
    return SimulatedSource(**{"kind": "simulated", "cells": 800, "genes": 300} | options)


def test_libraries_are_log_normal_around_their_median():
    adata = simulate(source(median_library=3000, library_spread=0.5))
    log_library = np.log(adata.layers["true_rates"].sum(1))
    assert stats.kstest(log_library, stats.norm(np.log(3000), 0.5).cdf).pvalue > 0.001


def test_counts_are_poisson_given_the_truth():
    adata = simulate(source())
    x, m = adata.X.toarray(), adata.layers["true_rates"].astype(float)
    assert ((x - m) ** 2 / m)[m > 0.5].mean() == pytest.approx(1, abs=0.02)
    assert (x - m).mean() == pytest.approx(0, abs=5 * np.sqrt(m.mean() / m.size))


def test_zero_inflation_loses_the_share_it_says():
    adata = simulate(source(dropout_midpoint=0.0))
    x, m, z = adata.X.toarray(), adata.layers["true_rates"], adata.layers["true_zero_probability"]
    expected = z + (1 - z) * np.exp(-m)
    assert (x == 0).mean() == pytest.approx(expected.mean(), abs=5 / np.sqrt(4 * x.size))
    at_midpoint = np.abs(np.log(m)) < 0.05
    assert z[at_midpoint].mean() == pytest.approx(0.5, abs=0.02)


def test_dispersion_is_the_squared_variation_within_a_type():
    adata = simulate(source(cells=3000, genes=40, cell_types=1, dispersion=0.4, library_spread=0.0))
    rates = adata.layers["true_rates"]
    shares = rates / rates.sum(1, keepdims=True)
    variation = (shares.std(0) / shares.mean(0)) ** 2
    small = shares.mean(0) < 0.05  # a dominant gene's variation also moves the sum
    assert np.median(variation[small]) == pytest.approx(0.4, rel=0.15)


def test_cell_types_differ_and_the_seed_decides():
    one, again, other = simulate(source(seed=3)), simulate(source(seed=3)), simulate(source(seed=4))
    assert (one.X != again.X).nnz == 0
    assert (one.X != other.X).nnz > 0
    assert one.obs["cell_type"].nunique() == 5
