"""Loops compiled for the processor (numba): what the engine does to sparse counts and to wide layers.

Arithmetic is strict. What the compiler may reorder or fuse it does in some of a loop's versions and not in others, and
which version runs depends on where arrays happen to lie, so that last bits would differ from run to run.

Loops release Python's lock, and their first two arguments are the range of the work to do. numba's own threads are
not used: its parallel loops take half a minute to compile, and starting them resets the threads that torch computes on.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import Any

import torch


@cache
def load(name: str) -> ModuleType:
    """A module of this folder; the compiler is loaded where one is first used."""
    return import_module(f"{__name__}.{name}")


def share(loop: Callable[..., None], length: int, *arguments: Any, least: int = 1) -> None:
    """loop(first, last, *arguments) over all of a length, in as many pieces as torch has threads, but of no less than
    `least` each, at once."""
    threads = max(1, min(torch.get_num_threads(), length // least))
    bounds = [length * thread // threads for thread in range(threads + 1)]
    own, *others = pairwise(bounds)
    waiting = [_pool(threads - 1).submit(loop, *piece, *arguments) for piece in others]
    loop(*own, *arguments)
    for piece in waiting:
        piece.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="zipo")


def _after_fork() -> None:
    """Compute on one thread in a forked process: the other threads stayed behind, and waiting for them has no end."""
    _pool.cache_clear()
    if torch.get_num_threads() > 1:
        torch.set_num_threads(1)


os.register_at_fork(after_in_child=_after_fork)
