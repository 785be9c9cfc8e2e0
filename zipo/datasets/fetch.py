"""Fetch a file over HTTPS, with patience, so that it appears whole, verified and under its name, or not at all."""

import errno
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from zipo.datasets import integrity
from zipo.datasets.exclusive import alone, connection
from zipo.datasets.integrity import Damaged, sha256_of
from zipo.datasets.lock import Lock
from zipo.datasets.progress import Progress, say
from zipo.datasets.transfer import Interrupted, Part, transfer
from zipo.errors import InputError

WORTHWHILE = 1 << 20  # bytes; a request that brings as many before it breaks is no failure
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Patience:
    """How long to put up with a server; the defaults suit a public archive on a bad day."""

    attempts: int = 8
    """Requests in a row that may fail before the fetch gives up."""
    rounds: int = 2
    """Times that a file may arrive damaged before the fetch gives up."""
    connect: float = 20.0
    """Seconds to wait for a connection."""
    stall: float = 60.0
    """Seconds without a byte after which a connection is given up."""
    backoff: float = 1.0
    """Seconds to wait after the first failure; doubled after each further one, and blurred by half."""
    longest_wait: float = 120.0
    """Seconds to wait at most between two requests, even if the server asks for more."""
    connections: int = 4
    """Connections at once to one host, over all processes of this user on this machine."""
    report: float = 5.0
    """Seconds between two lines of progress in a log."""


def fetch(
    url: str, target: Path, *, size: int | None = None, lock: Lock | None = None, patience: Patience = Patience()
) -> None:
    """Fetch `url` to `target`, unless it is there already and right; `size` in bytes, if known.

    The lock knows the file by the name of `target`. Raises InputError, and then leaves nothing under that name; bytes
    received before a failure of the network or Ctrl-C stay in `target`.part, and the next call goes on from there.
    """
    url = web_address(url)
    try:
        # whoever waits here finds the file done
        with alone(target.with_name(f"{target.name}.busy"), waiting=f"{target.name}: another process fetches it"):
            if _is_there(target, size, lock):
                return
            target.unlink(missing_ok=True)
            part = Part(target, url)
            try:
                _fetch_whole(url, part, target, size, patience)
                _finish(part, target, lock)
            except OSError as error:
                if error.errno in DISK_FULL:
                    part.drop()
                raise
    except OSError as error:
        if error.errno in DISK_FULL:
            raise InputError(
                f"{target}: the disk is full ({error.strerror}); make room in {target.parent} and run again"
            ) from error
        raise InputError(
            f"{error.filename or target}: {error.strerror or error}; the download cannot be written there"
        ) from error


def web_address(url: str) -> str:
    """The address to ask: https for ftp, the path quoted whether or not it was; InputError if it is no address."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https", "ftp"} and parts.hostname and (parts.port or True)
    except ValueError:  # a port that is no number
        known = False
    if not known:
        raise InputError(f"{url}: not an address; one such as https://host/folder/file.gz is expected")
    if parts.scheme == "ftp":  # the archives that began on FTP serve the same paths over HTTPS
        parts = parts._replace(scheme="https", netloc=parts.hostname or "")
    path = "/".join(quote(unquote(segment), safe="") for segment in parts.path.split("/"))
    return parts._replace(path=path, fragment="").geturl()


def _is_there(target: Path, size: int | None, lock: Lock | None) -> bool:
    """Does the target match the lock, or pass its check if the lock does not know it?"""
    if not target.exists():
        return False
    known = lock.entry(target.name) if lock else None
    if known:
        return known[:2] == (target.stat().st_size, sha256_of(target))
    try:
        integrity.check(target, target.name, size)
    except Damaged as problem:
        say(f"{problem}; it is fetched again")
        return False
    if lock:
        lock.check(target.name, target.stat().st_size, sha256_of(target))
    return True


def _fetch_whole(url: str, part: Part, target: Path, size: int | None, patience: Patience) -> None:
    """All bytes into `part`, and checked."""
    for number in range(1, patience.rounds + 1):
        try:
            if not part.complete:
                _receive(url, part, target.name, size, patience)
            integrity.check(part.path, target.name, size)
            return
        except Damaged as problem:
            part.drop()
            if number == patience.rounds:
                raise InputError(f"{url}: {problem} (fetched {number} times); nothing is kept") from None
            say(f"{problem}; it is fetched again")


def _receive(url: str, part: Part, name: str, size: int | None, patience: Patience) -> None:
    """All bytes into `part`, in as many requests as it takes."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    progress = Progress(name, patience.report)
    furthest, failures = part.received, 0
    while True:
        try:
            with connection(host, patience.connections):
                transfer(url, part, size, (patience.connect, patience.stall), progress)
            say(f"{name}: all {part.received:,} bytes are there")
            return
        except Interrupted as problem:
            # counted against the furthest point, so that a server that starts over each time is given up
            failures = 0 if part.received >= furthest + WORTHWHILE else failures + 1
            furthest = max(furthest, part.received)
            if failures >= patience.attempts:
                kept = f"; {part.path} keeps {part.received:,} bytes to go on from" if part.received else ""
                raise InputError(
                    f"{url}: {problem}; gave up after {failures} attempts{kept}: run again later"
                ) from None
            wait = max(problem.retry_after, patience.backoff * 2 ** max(failures - 1, 0) * random.uniform(0.5, 1.5))
            wait = min(wait, patience.longest_wait)
            say(f"{name}: {problem}, with {part.received:,} bytes there; asking again in {wait:.1f} s")
        time.sleep(wait)


def _finish(part: Part, target: Path, lock: Lock | None) -> None:
    """Verify the checked bytes against the lock and give them their name."""
    if lock:
        try:
            lock.check(target.name, part.received, sha256_of(part.path))
        except InputError:
            part.drop()
            raise
    part.become(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name is on the disk too
    finally:
        os.close(folder)
