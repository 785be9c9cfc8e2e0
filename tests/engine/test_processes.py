"""The engine in threads, in forked processes, and where nothing can be cached."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

import zipo

SMALL = {"encoder": "16-6", "batch_size": 64, "max_epochs": 2}


def denoised(simulated, seed: int) -> np.ndarray:
    return zipo.ZiPo(seed=seed, **SMALL).fit(simulated).denoise(simulated)


def test_seeds_give_the_same_numbers_in_threads_as_one_by_one(simulated):
    before = torch.random.get_rng_state()
    one_by_one = [denoised(simulated, seed) for seed in (1, 2, 3, 4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: denoised(simulated, seed), (1, 2, 3, 4)))
    for one, other in zip(one_by_one, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one_by_one[0], one_by_one[1])
    assert torch.equal(torch.random.get_rng_state(), before)  # the caller's generator is left alone


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_that_was_forked_after_use_comes_to_its_end(simulated):
    torch.set_num_threads(2)
    try:
        denoised(simulated, 1)
        child = multiprocessing.get_context("fork").Process(target=denoised, args=(simulated, 1))
        child.start()
        child.join(60)
        ended = child.exitcode
        child.kill()
    finally:
        torch.set_num_threads(1)
    assert ended == 0


def test_loops_are_compiled_where_nothing_can_be_kept(tmp_path):
    code = """
import numba.core.caching as caching, numpy as np
caching.CacheImpl._locator_classes = []  # as in a container without a home, whose packages cannot be written to
from zipo.engine.kernels import load
starts, columns = np.array([0, 2, 3]), np.array([0, 1, 1], np.int32)
values = np.array([5, 6, 7], np.float32)
print(load("rows").take(starts, columns, values, values, np.array([1]))[2])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(zipo.__file__).parents[1]
    )
    assert (done.stdout, done.returncode) == ("[7.]\n", 0), done.stderr
