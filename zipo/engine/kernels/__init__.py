"""Loops compiled for the processor (numba): what the engine does to sparse counts and to wide layers.

Arithmetic is strict. What the compiler may reorder or fuse it does in some of a loop's versions and not in others, and
which version runs depends on where arrays happen to lie, so that last bits would differ from run to run.
"""

from functools import cache
from importlib import import_module
from types import ModuleType

import torch


@cache
def _module(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")


def load(name: str) -> ModuleType:
    """A module of this folder, on as many threads as torch has; the compiler is loaded where it is first used."""
    import numba

    module, threads = _module(name), torch.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
    if torch.get_num_threads() != threads:  # numba starts its threads by telling OpenMP, which is torch's too
        torch.set_num_threads(threads)
    return module
