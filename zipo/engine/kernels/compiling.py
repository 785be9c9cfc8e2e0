"""How loops are compiled: once a machine where the outcome can be stored, else in each process."""

import hashlib
import logging
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

    def load_overload(self, *arguments: Any) -> Any:
        """A loop's outcome; None, and once in a process a message, where it has to be compiled."""
        outcome = super().load_overload(*arguments)
        if outcome is None:
            _announce_compiling()
        return outcome

    def _index_key(self, *arguments: Any) -> tuple[Any, ...]:
        return (*super()._index_key(*arguments), sources_digest(Path(__file__).parent))


@cache
def _announce_compiling() -> None:
    logging.getLogger(__name__).info("compiling loops for this processor, which takes some seconds at their first use")


@cache
def sources_digest(folder: Path) -> str:
    """SHA-256 of the names and contents of a folder's modules."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        digest.update(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
