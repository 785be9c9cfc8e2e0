"""Library sizes and cost by hand, and the memory that the metrics themselves take."""

import tracemalloc

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random

from zipo.metrics import (
    cost,
    gene_totals,
    held_out_counts,
    held_out_likelihood,
    held_out_posterior,
    library_size,
    simulated_truth,
    zero_calibration,
)
from zipo.metrics.shared.case import Case


def test_library_sizes_by_hand():
    counts = csr_matrix([[1.0, 3.0], [0.0, 5.0], [0.0, 0.0]])
    denoised = np.array([[2.0, 2.0], [1.0, 9.0], [1.0, 1.0]], dtype=np.float32)
    # log ratios 0 and log 2; the third cell has no counts
    assert library_size.score(Case(counts, denoised))["library_rmse"] == pytest.approx(np.log(2) / np.sqrt(2))


def test_cost_by_hand():
    case = Case(csr_matrix(np.ones((50, 2))), np.ones((50, 2)), seconds=4.0, peak_mb=300.0)
    assert cost.score(case) == {"seconds": 4.0, "cells_per_second": 12.5, "peak_mb": 300.0}


def test_slope_of_a_power_law():
    cells = np.array([1000, 2000, 8000])
    assert cost.slope(cells, 0.3 * cells**1.5) == pytest.approx(1.5)
    assert np.isnan(cost.slope(np.array([1000, 1000]), np.array([1.0, 2.0])))


def test_metrics_take_little_memory_beside_their_inputs():
    """Ten times the cells of a chunk: 84 MB as float64, of which a metric that is not chunked holds several."""
    rng = np.random.default_rng(1)
    counts = random(1000, 10_486, density=0.02, format="csr", rng=rng, data_rvs=lambda n: np.ones(n), dtype=np.float32)
    denoised = rng.random(counts.shape, dtype=np.float32)
    case = Case(csr_matrix(counts), denoised, held_out=csr_matrix(counts), training_share=0.9, true_rates=denoised)
    held_out = (held_out_counts, held_out_likelihood, held_out_posterior)
    for metric in (*held_out, gene_totals, library_size, simulated_truth, zero_calibration):
        tracemalloc.start()
        metric.score(case)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 150e6, f"{metric.title}: {peak / 1e6:.0f} MB"
