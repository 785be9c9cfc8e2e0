"""The engine learns as plain PyTorch does: the same losses, step by step, from the same weights and batches."""

import numpy as np
import pytest

from benchmarks.agreement import CASES, CELLS, LIKELIHOODS, OPTIONS, losses_of_both


@pytest.mark.parametrize(("likelihood", "options"), CASES)
def test_fifty_steps_give_the_losses_of_plain_pytorch(simulated, likelihood, options):
    actual, expected = losses_of_both(simulated.X, np.zeros((CELLS, 0)), likelihood=likelihood, **OPTIONS[options])
    assert len(expected) == 50
    assert np.ptp(expected) > 0.01 * expected[0]  # the weights have moved
    assert actual == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_with_covariates_too(simulated, likelihood):
    rng = np.random.default_rng(5)
    covariates = np.column_stack([rng.normal(size=CELLS), rng.integers(2, size=CELLS)])
    actual, expected = losses_of_both(simulated.X, covariates, likelihood=likelihood)
    assert actual == pytest.approx(expected, rel=1e-5)
