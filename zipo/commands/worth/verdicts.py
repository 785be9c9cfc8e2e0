"""Rules by which counts are said to be worth denoising, from intervals and not from point estimates."""

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import pandas as pd

from zipo.commands.worth.estimates import Estimate

Verdict = Literal["worth it", "as well without", "do not denoise"]
Judgement = Literal["explained", "not told apart", "doubtful", "too few molecules"]

LEAST_GAIN = 0.005
"""Share by which denoising must lower the deviance of each simple prediction, by the lower end of the interval, beyond
what it gains on permuted counts."""
FEWEST_MOLECULES = 20
"""Held-out molecules of a gene, or of a cell, from which its explained share is told."""
ERRORS = 3.0
"""Standard errors by which a gene's explained share or gain must be above or below 0: for either, chance alone does so
one time in 700."""


def least_gain(of_permuted: Estimate) -> float:
    """What denoising must gain at least: LEAST_GAIN more than it gains where there is nothing to learn from."""
    return LEAST_GAIN + max(0.0, of_permuted.high)


def verdict(gains: Mapping[str, Estimate], without: Mapping[str, bool], of_permuted: Estimate) -> Verdict:
    """The verdict by what denoising gains over each simple prediction.

    - `without`: which of these denoise nothing.
    - `of_permuted`: the gain on permuted counts over those shrunk gene by gene.

    The verdicts are

    - worth it: it gains `least_gain` over every one;
    - do not denoise: one that denoises nothing predicts better, by the whole interval;
    - as well without: neither, so that one of them does as well, or PCA better.
    """
    if all(gain.low >= least_gain(of_permuted) for gain in gains.values()):
        return "worth it"
    if any(gain.high < 0 for name, gain in gains.items() if without[name]):
        return "do not denoise"
    return "as well without"


def judgements(
    explained: tuple[np.ndarray, np.ndarray], gain: tuple[np.ndarray, np.ndarray], held_out: np.ndarray
) -> pd.Categorical:
    """A judgement of each gene by its explained share, its gain over its counts shrunk to its mean, and its molecules.

    `explained` and `gain` are values and standard errors, all (genes,), as `held_out` is.

    - too few molecules: less than FEWEST_MOLECULES are held out.
    - doubtful: one of the two is below 0 by ERRORS standard errors.
    - explained: the share is above 0 by as much.
    - not told apart: none of these, so that the gene's mean predicts it as well.
    """
    known = (held_out >= FEWEST_MOLECULES) & np.isfinite(explained[0]) & np.isfinite(gain[0])
    chosen = np.full(len(held_out), "too few molecules", dtype=object)
    chosen[known] = "not told apart"
    with np.errstate(invalid="ignore"):
        chosen[known & (explained[0] > ERRORS * explained[1])] = "explained"
        for value, error in (explained, gain):
            chosen[known & (value < -ERRORS * error)] = "doubtful"
    return pd.Categorical(chosen, categories=get_args(Judgement))
