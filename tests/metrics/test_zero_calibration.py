"""Calibration of zeros and counts against counts drawn from known distributions."""

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_matrix

from zipo.metrics import zero_calibration
from zipo.metrics.shared import chunks
from zipo.metrics.shared.case import Case

CELLS, GENES = 3000, 40


@pytest.fixture(scope="module")
def rates() -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.lognormal(0, 0.3, size=(CELLS, 1)) * np.geomspace(0.05, 20, GENES)


@pytest.fixture(scope="module")
def zinb(rates) -> Case:
    """Counts of a ZINB, scored by the ZINB itself."""
    rng = np.random.default_rng(2)
    size, z = np.linspace(0.5, 5, GENES), np.full(rates.shape, 0.2)
    counts = rng.negative_binomial(size, size / (size + rates)) * (rng.random(rates.shape) > z)
    return Case(csr_matrix(counts.astype(np.float32)), rates * (1 - z), rates=rates, zero_probability=z, size=size)


def test_zero_shares_by_brute_force(zinb):
    observed, expected = zero_calibration.zero_shares(zinb)
    np.testing.assert_allclose(observed, (zinb.counts.toarray() == 0).mean(0), rtol=1e-12)
    pmf = stats.nbinom.pmf(0, zinb.size, zinb.size / (zinb.size + zinb.rates))
    np.testing.assert_allclose(expected, (0.2 + 0.8 * pmf).mean(0), rtol=1e-9)
    difference = zero_calibration.score(zinb)["zero_calibration"]
    assert difference == pytest.approx(np.abs(observed - expected).mean(), rel=1e-12)
    assert difference < 2 / np.sqrt(CELLS) / 2


def test_the_right_distribution_is_calibrated_and_others_are_not(zinb):
    right = zero_calibration.score(zinb)["pit_distance"]
    poisson = zero_calibration.score(Case(zinb.counts, zinb.denoised))["pit_distance"]
    nb = zero_calibration.score(Case(zinb.counts, zinb.denoised, size=zinb.size))["pit_distance"]
    assert right < 3 / np.sqrt(CELLS * GENES)
    assert right < 0.1 * min(poisson, nb)


def test_pit_by_brute_force():
    """One count of 2 under Poisson(3): u is uniform between F(1) and F(2)."""
    case = Case(csr_matrix(np.full((4000, 1), 2.0)), np.full((4000, 1), 3.0))
    histogram = zero_calibration.pit_histogram(case)
    low, high = stats.poisson.cdf([1, 2], 3.0) * zero_calibration.PIT_BINS
    assert histogram.sum() == pytest.approx(1)
    assert np.flatnonzero(histogram).tolist() == list(range(int(low), int(high) + 1))
    assert zero_calibration.score(case)["pit_distance"] == pytest.approx(1 - high / 100, abs=0.01)


def test_chunks_change_nothing(zinb, monkeypatch):
    whole = zero_calibration.score(zinb)
    monkeypatch.setattr(chunks, "ENTRIES", 1100)
    assert zero_calibration.score(zinb) == pytest.approx(whole, rel=1e-9)


def test_some_cells_stand_for_all(monkeypatch):
    """Each with its own counts: cells of every size are among them."""
    monkeypatch.setattr(zero_calibration, "PIT_ENTRIES", 20_000)
    rates = np.geomspace(0.1, 1000, CELLS)[:, None] * np.ones((1, GENES))
    counts = csr_matrix(np.random.default_rng(4).poisson(rates).astype(np.float32))
    assert zero_calibration.score(Case(counts, rates))["pit_distance"] < 3 / np.sqrt(20_000)


def test_curves_of_counts_that_follow_them():
    """Counts of an NB of one size lie on the NB's curve, which is refound, and above the Poisson's."""
    rng = np.random.default_rng(3)
    mean = np.geomspace(0.05, 5, GENES) * np.ones((CELLS, 1))
    counts = csr_matrix(rng.negative_binomial(2.0, 2 / (2 + mean)).astype(np.float32))
    table = zero_calibration.curves(Case(counts, mean, size=np.full(GENES, 2.0)))
    np.testing.assert_allclose(table["mean"], np.asarray(counts.mean(axis=0)).ravel(), rtol=1e-5)
    np.testing.assert_allclose(table["nb"], table["observed"], atol=0.03)
    np.testing.assert_allclose(table["expected"], table["observed"], atol=0.04)
    common = table["mean"] > 1
    assert (table["observed"] > table["poisson"] + 0.05)[common].all()
