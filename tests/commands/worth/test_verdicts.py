"""Verdicts by intervals, and judgements of genes."""

import numpy as np
import pytest

from zipo.commands.worth.estimates import Estimate
from zipo.commands.worth.verdicts import LEAST_GAIN, judgements, least_gain, verdict

NOTHING = Estimate(-0.01, -0.02, 0.0)
WITHOUT = {"mixture": True, "PCA": False}


def around(value, half=0.002):
    return Estimate(value, value - half, value + half)


@pytest.mark.parametrize(
    ("mixture", "pca", "expected"),
    [
        (around(0.02), around(0.03), "worth it"),
        (around(LEAST_GAIN + 0.001), around(0.03), "as well without"),  # the interval goes below what is needed
        (around(0.02), around(0.0), "as well without"),
        (around(0.02), around(-0.05), "as well without"),  # PCA denoises, too
        (around(-0.001), around(0.03), "as well without"),
        (around(-0.01), around(0.03), "do not denoise"),
    ],
)
def test_the_verdict_is_by_the_ends_of_the_intervals(mixture, pca, expected):
    assert verdict({"mixture": mixture, "PCA": pca}, WITHOUT, NOTHING) == expected


def test_what_is_gained_where_there_is_nothing_does_not_count():
    gains = {"mixture": around(0.02), "PCA": around(0.03)}
    assert least_gain(around(0.012)) == pytest.approx(LEAST_GAIN + 0.014)
    assert verdict(gains, WITHOUT, around(0.012)) == "as well without"
    assert verdict(gains, WITHOUT, around(0.005)) == "worth it"


def test_genes_are_judged_by_three_errors_and_twenty_molecules():
    error = np.full(8, 0.1)
    explained = np.array([0.31, 0.29, -0.29, -0.31, 0.31, -0.31, np.nan, 0.31])
    gain = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.31])
    molecules = np.array([20, 20, 20, 20, 19, 19, 50, 20])
    assert list(judgements((explained, error), (gain, error), molecules)) == [
        "explained",
        "not told apart",
        "not told apart",
        "doubtful",
        "too few molecules",
        "too few molecules",
        "too few molecules",
        "doubtful",
    ]
