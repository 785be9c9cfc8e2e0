"""Memory and time that a training job asks a cluster for, estimated from the size of the counts and the setting.

Memory follows from the sizes, and its constants were measured. Time is rough, since early stopping decides how long a
training takes: a job that is cut off goes on from its checkpoint with more of both, so an estimate that is too small
costs a start, and one that is too large waits longer in the queue.
"""

import errno
import math
import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from zipo.datasets.catalogue import Dataset
from zipo.parameters import Parameters
from zipo.shared.errors import InputError

# Memory, in bytes
START = 530e6  # Python with torch, numba and anndata
CUDA_START = 3e9  # the same with a GPU's libraries and context
NONZERO = 52  # a nonzero count: in the file's matrix, in the parts of the split, and in the engine's form
WEIGHT = 24  # a weight: itself, its gradient, two moments of Adam, its best value, and a copy under way
ENTRY = 24  # an entry of a batch: the outputs of two heads, their gradients, and some room

# Time
CALLS = 0.003  # seconds of a step that do not depend on sizes
OPERATIONS = 6  # floating-point operations of a weight and cell: forward, and twice that backward
LIKELIHOOD = 200  # the same of an entry; ZINB and NB take twice as many
MOVED = 28  # bytes that Adam reads and writes for a weight in a step
EPOCHS = 120  # of a training that stops early; the paper's need 60 to 200
MINUTES = 5  # for Python and the file system to start, and for reading the counts
RESERVE = 2.0  # times the estimate, for slower machines and longer trainings


@dataclass(frozen=True)
class Machine:
    """Sustained rates: floating-point operations and bytes per second."""

    operations: float
    bytes: float


CPU_THREAD = Machine(operations=2.5e10, bytes=5e9)
# A tenth of what an A100 can do. Not measured: benchmarks/gpu.py measures it where there is a GPU.
GPU = Machine(operations=5e12, bytes=5e11)


@dataclass(frozen=True)
class Size:
    """The size of a data set."""

    cells: int
    genes: int
    nonzeros: int


def size_of(dataset: Dataset, file: Path) -> Size:
    """The size of a data set from its file or, before there is one, from the catalogue.

    Raises FileNotFoundError with the file's name where neither has it, at which Snakemake asks again later, and
    InputError for a file that is no data set.
    """
    if not file.exists():
        if paper := dataset.paper:
            return Size(paper.cells, paper.genes, math.ceil(paper.cells * paper.genes * paper.nonzero_share))
        if size := dataset.source.size():
            cells, genes = size
            return Size(cells, genes, cells * genes)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file))
    import h5py  # not needed to plan a study whose data sets are still to be made

    try:
        with h5py.File(file) as h5:
            cells, genes = map(int, h5["X"].attrs["shape"])
            return Size(cells, genes, len(h5["X/data"]))
    except (OSError, KeyError) as error:
        raise InputError(f"{file}: damaged ({error}); remove it, and the same command makes it anew") from None


def weights_of(genes: int, p: Parameters) -> int:
    """Number of weights in the layers' matrices; biases and the like are few beside them."""
    widths = [genes, *p.encoder_widths]
    encoder = sum(before * after for before, after in pairwise(widths))
    residuals = sum(widths[-1 - p.residual_layers : -1]) * widths[-1] if p.residual_layers else 0
    decoder = [widths[-1], *p.decoder_widths]
    hidden = sum(before * after for before, after in pairwise(decoder))
    heads = 1 + p.zero_inflated + (p.overdispersed and p.dispersion != "gene")
    return encoder + residuals + hidden + heads * decoder[-1] * genes


def memory_mb(size: Size, p: Parameters, gpu: bool) -> int:
    """Memory of a training job on the host, in MB; a GPU holds weights and batches itself."""
    held = NONZERO * size.nonzeros + WEIGHT * weights_of(size.genes, p)
    batch = ENTRY * min(p.batch_size, size.cells) * size.genes * (2 if p.overdispersed else 1)
    return math.ceil(((CUDA_START if gpu else START + batch) + held) / 1e6)


def epoch_seconds(size: Size, p: Parameters, machine: Machine) -> float:
    """Time of one pass over the training cells."""
    weights, cells = weights_of(size.genes, p), size.cells * (1 - p.validation_share - p.test_share)
    work = OPERATIONS * weights + LIKELIHOOD * size.genes * (2 if p.overdispersed else 1)
    steps = math.ceil(cells / p.batch_size)
    return cells * work / machine.operations + steps * (CALLS + MOVED * weights / machine.bytes)


def minutes(size: Size, p: Parameters, seeds: int, gpu: bool, threads: int) -> int:
    """Time of a job that trains some seeds, in minutes."""
    machine = GPU if gpu else Machine(CPU_THREAD.operations * threads, CPU_THREAD.bytes)
    epochs = min(p.max_epochs, EPOCHS)
    return MINUTES + math.ceil(RESERVE * seeds * epochs * epoch_seconds(size, p, machine) / 60)
