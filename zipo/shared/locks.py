"""File locks: one process to a file, and a limited number of connections to a host."""

import fcntl
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from zipo.shared.progress import say


@contextmanager
def exclusive_lock(path: Path, waiting: str = "") -> Iterator[None]:
    """Wait until no other process or thread is inside `exclusive_lock` with this path; a file is at the path meanwhile.

    `waiting` is printed if there is a wait. The file of a process that was killed stays behind and does no harm: the
    lock is the kernel's, not the file.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            if waiting and not _try_lock(file):
                say(f"{waiting}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(path, file):
                continue  # its holder removed it while this process waited, and a third may hold a new one
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_at(path: Path, file: IO) -> bool:
    """Whether an open file is the one at a path, not one that was removed."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def connection_slot(host: str, limit: int) -> Iterator[None]:
    """Wait until fewer than `limit` connections to a host are open, over all of this user's processes here."""
    # not beside the downloads: two data sets that download at once into two folders share the host
    folder = Path(tempfile.gettempdir()) / f"zipo-connections-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    while (slot := _free_slot(folder, host, limit)) is None:
        time.sleep(random.uniform(0.05, 0.25))
    with slot:
        yield


def _free_slot(folder: Path, host: str, limit: int) -> IO | None:
    """The locked file of a connection that is free; None if all are taken."""
    for number in range(limit):
        slot = (folder / f"{host}.{number}").open("a")
        if _try_lock(slot):
            return slot
        slot.close()
    return None


def _try_lock(file: IO) -> bool:
    """Lock a file if nobody else holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
