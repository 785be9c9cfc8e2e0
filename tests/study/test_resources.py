"""Estimates of memory and time against runs that were measured, and against the network itself."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from zipo.datasets.catalogue import Dataset
from zipo.datasets.prepared import write
from zipo.engine.model import Network
from zipo.parameters import Parameters
from zipo.shared.errors import InputError
from zipo.study.resources import CPU_THREAD, RESERVE, Size, epoch_seconds, memory_mb, minutes, size_of, weights_of

PAPER = {"encoder": "2048-1024-512-256-128"}
DEMO = {"encoder": "256-128-64-32-16", "batch_size": 64}
# size, setting, peak memory in MB, on a CPU
MEMORY = [
    (Size(4000, 19536, 7_032_000), PAPER, 1697),
    (Size(4000, 19536, 7_032_000), PAPER | {"likelihood": "zinb"}, 1816),
    (Size(4000, 27992, 2_172_000), PAPER, 2034),
    (Size(12000, 19536, 21_096_000), {"encoder": "256-64-16"}, 1819),
    (Size(1937, 1000, 336_437), DEMO, 517),
    (Size(1937, 1000, 336_437), DEMO | {"encoder": "512-64-8"}, 517),
    (Size(700, 765, 174_400), DEMO | {"likelihood": "zinb"}, 504),
]
# size, setting, seconds per epoch, on one thread of a CPU
EPOCHS = [
    (Size(1937, 1000, 336_437), DEMO, 0.097),
    (Size(1937, 1000, 336_437), DEMO | {"likelihood": "zinb"}, 0.126),
    (Size(1937, 1000, 336_437), DEMO | {"encoder": "512-64-8"}, 0.128),
    (Size(700, 765, 174_400), DEMO, 0.036),
    (Size(2000, 500, 341_031), DEMO | {"likelihood": "zinb"}, 0.105),
]


@pytest.mark.parametrize(("size", "parameters", "measured"), MEMORY)
def test_memory_is_enough_and_not_wasteful(size, parameters, measured):
    assert 1 <= memory_mb(size, Parameters(**parameters), gpu=False) / measured < 1.5


@pytest.mark.parametrize(("size", "parameters", "measured"), EPOCHS)
def test_time_is_enough_and_not_wasteful(size, parameters, measured):
    assert 1 <= RESERVE * epoch_seconds(size, Parameters(**parameters), CPU_THREAD) / measured < 6


@pytest.mark.parametrize(
    "parameters",
    [PAPER, PAPER | {"likelihood": "zinb"}, {"encoder": "64-16", "residuals": "none", "decoder": "32-64"}],
)
def test_weights_are_the_networks(parameters):
    p = Parameters(**parameters)
    matrices = [weights for weights in Network(500, p).parameters() if weights.dim() == 2]
    assert weights_of(500, p) == pytest.approx(sum(weights.numel() for weights in matrices), rel=0.03)


def test_more_seeds_take_longer_and_a_gpu_less():
    liver, p = Size(68_100, 19_536, 120_000_000), Parameters(**PAPER)
    assert minutes(liver, p, 12, gpu=True, threads=1) > 2 * minutes(liver, p, 4, gpu=True, threads=1)
    assert minutes(liver, p, 1, gpu=False, threads=4) < minutes(liver, p, 1, gpu=False, threads=1)
    assert minutes(liver, p, 12, gpu=True, threads=1) < minutes(liver, p, 12, gpu=False, threads=16)


def test_the_size_is_the_files_and_before_that_the_catalogues(tmp_path, simulated):
    entry = {"title": "Toy", "source": {"kind": "geo", "accession": "GSE125188"}}
    file = tmp_path / "toy.h5ad"
    with pytest.raises(FileNotFoundError) as raised:
        size_of(Dataset(**entry), file)
    assert raised.value.filename == str(file)  # by which Snakemake knows that it is asked too early
    known = Dataset(**entry, paper={"cells": 100, "genes": 50, "nonzero_share": 0.1})
    assert size_of(known, file) == Size(100, 50, 500)
    source = {"kind": "simulated", "cells": 30, "genes": 20}
    assert size_of(Dataset(title="Toy", source=source), file) == Size(30, 20, 600)
    write(simulated, file)
    assert size_of(known, file) == Size(600, 150, np.count_nonzero(csr_matrix(simulated.X).toarray()))


@pytest.mark.parametrize("content", [b"", b"no HDF5"])
def test_a_damaged_file_is_named(tmp_path, content):
    file = tmp_path / "toy.h5ad"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"toy\.h5ad: damaged \(.*\); remove it, and the same command makes it anew"):
        size_of(Dataset(title="Toy", source={"kind": "geo", "accession": "GSE125188"}), file)
