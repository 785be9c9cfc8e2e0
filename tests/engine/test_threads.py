"""Threads of a training, by a count of multiply-adds made by hand."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from zipo.engine import threads
from zipo.engine.batches import Counts
from zipo.engine.model import Network
from zipo.engine.threads import threads_for, work_of_step
from zipo.engine.training import train
from zipo.parameters import Parameters

GENES = 20
SETTING = Parameters(
    encoder="6-3", residuals="none", likelihood="zip", batch_norm="none", library="observed", max_epochs=1, batch_size=8
)
# two layers of the encoder, two heads, and log_excess
WEIGHTS = (20 * 6 + 6) + (6 * 3 + 3) + 2 * (3 * 20 + 20) + 1


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_work_is_three_passes_over_the_weights_and_the_likelihood():
    assert work_of_step(Network(GENES, SETTING), 8) == 8 * (3 * WEIGHTS + 60 * 2 * 20)


def test_threads_are_those_that_have_work_and_no_more_than_torch_has(two_threads, monkeypatch):
    network = Network(GENES, SETTING)
    work = work_of_step(network, 8)
    for of_a_thread, expected in ((work + 1, 1), (work // 2 + 1, 1), (work // 2, 2), (work // 5, 2)):
        monkeypatch.setattr(threads, "WORK_OF_A_THREAD", of_a_thread)
        assert threads_for(network, 8) == expected
    torch.set_num_threads(1)
    assert threads_for(network, 8) == 1


@pytest.mark.parametrize(("of_a_thread", "expected"), [(10**9, 1), (1, 2)])
@pytest.mark.parametrize("fails", [False, True])
def test_a_training_has_its_threads_and_the_caller_has_his_back(two_threads, monkeypatch, of_a_thread, expected, fails):
    monkeypatch.setattr(threads, "WORK_OF_A_THREAD", of_a_thread)
    counts = Counts(
        csr_matrix(np.random.default_rng(1).poisson(1.0, (24, GENES))), np.zeros((24, 0)), torch.device("cpu")
    )
    seen = []

    def on_epoch(epoch: int, nll: float) -> None:
        seen.append(torch.get_num_threads())
        if fails:
            raise KeyboardInterrupt

    try:
        train(Network(GENES, SETTING), counts, counts, 1, on_epoch)
    except KeyboardInterrupt:
        assert fails
    assert seen == [expected]
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")],
)
def test_torch_is_loaded_with_threads_that_do_not_spin_for_long(given, expected):
    command = "import zipo, os, sys; assert 'torch' not in sys.modules; print(os.environ.get('GOMP_SPINCOUNT'))"
    mine = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    ended = subprocess.run(
        [sys.executable, "-c", command], env=mine | given, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == expected
