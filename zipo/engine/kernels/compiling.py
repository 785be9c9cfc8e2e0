"""How loops are compiled: once a machine where the outcome can be stored, else in each process."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache

inner = njit(error_model="numpy")
"""Decorator of a loop that only other loops call, and that is compiled as a part of them."""


def compiled(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a loop that is called from Python: compiled at its first call, without Python's lock.

    The outcome is stored beside the package, in NUMBA_CACHE_DIR or in the user's cache folder, whichever can be
    written; in a container that can write nowhere it is compiled anew in each process.
    """
    dispatcher: Any = njit(loop, error_model="numpy", nogil=True)
    with suppress(RuntimeError):  # "no locator available": numba finds no folder for it
        dispatcher._cache = KernelCache(loop)
    return dispatcher


class KernelCache(FunctionCache):
    """numba's cache, in which an outcome is found again only while all files of this folder are as they were.

    numba itself looks at the file of the compiled loop alone, and would go on using loops of other files, which were
    compiled into it, after these had been edited.
    """

    def _index_key(self, *arguments: Any) -> tuple[Any, ...]:
        return (*super()._index_key(*arguments), sources_digest(Path(__file__).parent))


@cache
def sources_digest(folder: Path) -> str:
    """SHA-256 of the names and contents of a folder's modules."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        digest.update(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
