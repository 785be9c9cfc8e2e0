"""Simulated counts with held-out molecules, and controls whose order is known."""

import anndata as ad
import numpy as np
import pytest

from zipo.datasets.simulation import simulate
from zipo.datasets.sources.simulated import SimulatedSource
from zipo.datasets.thinning import thinned
from zipo.methods import gene_mean, no_denoising, oracle
from zipo.metrics.shared.case import Case

SHARE = 0.9


def zeros(counts: ad.AnnData, *, seed: int) -> ad.AnnData:
    """The worst control, for tests only: no counts at all."""
    answer = counts.copy()
    answer.layers["denoised"] = np.zeros(counts.shape, dtype=np.float32)
    return answer


CONTROLS = {
    "oracle": oracle.denoise,
    "no_denoising": no_denoising.denoise,
    "gene_mean": gene_mean.denoise,
    "zeros": zeros,
}


def cases(data: ad.AnnData, share: float = SHARE, kind: str = "split") -> dict[str, Case]:
    """Each control applied to a share of the molecules, by default to nine tenths."""
    training, held_out = thinned(data, share, seed=1)
    answers = {name: denoise(training, seed=1) for name, denoise in CONTROLS.items()}
    return {
        name: Case.of(training, answer, held_out=held_out, training_share=share, kind=kind, seconds=2.0, peak_mb=100.0)
        for name, answer in answers.items()
    }


@pytest.fixture(scope="session")
def deep() -> ad.AnnData:
    """So many molecules that cells differ by far more than their noise: a mean of 100 counts an entry."""
    options = {"cells": 300, "genes": 200, "cell_types": 4, "median_library": 20_000, "seed": 5}
    return simulate(SimulatedSource(kind="simulated", **options))


@pytest.fixture(scope="session")
def deep_cases(deep) -> dict[str, Case]:
    return cases(deep)


@pytest.fixture(scope="session")
def shallow_cases(simulated) -> dict[str, Case]:
    """Three molecules an entry before a good part is lost to zero inflation."""
    return cases(simulated)
