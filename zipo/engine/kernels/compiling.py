"""How loops are compiled: once a machine where that can be kept, else in each process."""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(loop: Callable[..., Any]) -> Callable[..., Any]:
    """A loop that is called from Python: compiled at its first call, without Python's lock.

    The outcome is kept beside the package, in NUMBA_CACHE_DIR or in the user's cache folder, whichever can be written;
    in a container that can write nowhere it is compiled anew in each process.
    """
    try:
        return njit(loop, cache=True, error_model="numpy", nogil=True)
    except RuntimeError:  # "no locator available": numba finds no folder for it
        return njit(loop, error_model="numpy", nogil=True)
