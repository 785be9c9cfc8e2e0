"""Download a file over HTTPS with retries, so that it appears under its name complete and verified, or not at all."""

import errno
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from zipo.datasets.transfer import integrity
from zipo.datasets.transfer.integrity import Damaged, sha256_of
from zipo.datasets.transfer.lock import Lock
from zipo.datasets.transfer.request import Interrupted, Part, Refusal, Unavailable, transfer
from zipo.shared.errors import InputError
from zipo.shared.locks import connection_slot, exclusive_lock
from zipo.shared.progress import Progress, say

WORTHWHILE = 1 << 20  # bytes; a request that brings as many before it breaks is no failure
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Patience:
    """Limits and waiting times of a download; the defaults suit a public archive on a bad day."""

    attempts: int = 8
    """Requests in a row that may fail before the fetch gives up."""
    refusals: int = 3
    """Times in a row that a server may answer 403, or with a web page, before the fetch gives its address up."""
    rounds: int = 2
    """Times that a file may arrive damaged before the fetch gives up."""
    connect: float = 20.0
    """Seconds to wait for a connection."""
    stall: float = 60.0
    """Seconds without a byte after which a connection is given up."""
    backoff: float = 1.0
    """Seconds to wait after the first failure, doubled after each further one; eight times that after a refusal,
    fourfold after each further one; all blurred by half."""
    longest_wait: float = 120.0
    """Seconds to wait at most between two requests, even if the server asks for more."""
    connections: int = 4
    """Connections at once to one host, over all processes of this user on this machine."""
    report: float = 5.0
    """Seconds between two lines of progress in a log."""


def fetch(
    url: str,
    target: Path,
    *,
    other: str | None = None,
    size: int | None = None,
    lock: Lock | None = None,
    patience: Patience = Patience(),
) -> None:
    """Fetch `url` to `target`, unless it is there already and right; `size` in bytes, if known.

    `other` is a second address of the same file, tried where the first does not give it, unless the answer is that
    there is no such file. The lock knows the file by the name of `target`. Raises InputError, which is Unavailable
    where the servers are the reason, and then leaves nothing under that name; bytes received before a failure of the
    network or Ctrl-C stay in `target`.part, and the next call goes on from there. A file that stood there and is not
    right is then kept as `target`.damaged.
    """
    addresses = [web_address(address) for address in (url, other) if address is not None]
    try:
        # a process that waits for this lock finds the file complete
        with exclusive_lock(
            target.with_name(f"{target.name}.busy"), waiting=f"{target.name}: another process fetches it"
        ):
            _take_unquoted(target)
            problem = _problem_of(target, size, lock)
            if problem is None:
                return
            aside = target.with_name(f"{target.name}.damaged")
            if target.exists():
                say(f"{problem}; it is fetched again")
                os.replace(target, aside)
            try:
                _fetch_from(addresses, target, size, lock, patience)
            except Unavailable as error:
                if not aside.exists():
                    raise
                earlier = f"{error.problem}; what stood there is set aside as {aside.name}: {problem}"
                raise Unavailable(earlier, error.advice, error.gone) from None
            aside.unlink(missing_ok=True)
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


def _take_unquoted(target: Path) -> None:
    """Rename to `target` a file that a browser saved under the quoted name, with %2B for +."""
    if target.exists():
        return
    for path in target.parent.glob("*%*"):
        if unquote(path.name) == target.name:
            os.replace(path, target)
            return


def _problem_of(target: Path, size: int | None, lock: Lock | None) -> str | None:
    """The fault of `target` in words; None if it matches the lock or, without a record in it, passes its check."""
    if not target.exists():
        return f"{target.name} is not there"
    known = lock.entry(target.name) if lock else None
    if lock and known:
        actual = (target.stat().st_size, sha256_of(target))
        if known[:2] == actual:
            return None
        if not lock.update:
            return (
                f"{target.name} has sha256 {actual[1]} ({actual[0]:,} bytes), but {lock.path} records {known.sha256} "
                f"({known.size:,} bytes)"
            )
    try:
        integrity.check(target, target.name, size)
    except Damaged as problem:
        return str(problem)
    if lock:
        lock.check(target.name, target.stat().st_size, sha256_of(target))
    return None


def _fetch_from(addresses: list[str], target: Path, size: int | None, lock: Lock | None, patience: Patience) -> None:
    """Download the file from the first address that gives it, and give it its name."""
    # what the first address gave is not lost to an attempt at the second
    parts = [Part(target, url, suffix) for url, suffix in zip(addresses, ("part", "other.part"), strict=False)]
    problems = []
    for part in parts:
        try:
            _fetch_checked(part, target, size, patience)
            _finish(part, target, lock)
            break
        except Unavailable as error:
            problems.append(error.problem)
            if part is parts[-1] or error.gone:
                raise Unavailable("; ".join(problems), error.advice, error.gone) from None
            say(f"{error.problem}; trying its other address")
        except OSError as error:
            if error.errno in DISK_FULL:
                part.drop()
            raise
    for part in parts:
        part.drop()


def _fetch_checked(part: Part, target: Path, size: int | None, patience: Patience) -> None:
    """Download all bytes into `part` and check them, again if they arrive damaged."""
    for number in range(1, patience.rounds + 1):
        try:
            if not part.complete:
                _receive(part, target, size, patience)
            integrity.check(part.path, target.name, size)
            return
        except Damaged as problem:
            part.drop()
            if number == patience.rounds:
                advice = f"; nothing is kept: {_what_to_do(target)}"
                raise Unavailable(f"{part.url}: {problem} (fetched {number} times)", advice) from None
            wait = _wait(patience, number)
            say(f"{problem}; it is fetched again in {wait:.1f} s")
        time.sleep(wait)


def _receive(part: Part, target: Path, size: int | None, patience: Patience) -> None:
    """Download all bytes into `part`, in as many requests as it takes."""
    host = urlsplit(part.url).netloc.rpartition("@")[2]
    progress = Progress(target.name, patience.report)
    furthest, failures = part.received, 0
    while True:
        try:
            with connection_slot(host, patience.connections):
                transfer(part.url, part, size, (patience.connect, patience.stall), progress)
            say(f"{target.name}: all {part.received:,} bytes are there")
            return
        except Interrupted as problem:
            # counted against the furthest point, so that a server that starts over each time is given up
            failures = 0 if part.received >= furthest + WORTHWHILE else failures + 1
            furthest = max(furthest, part.received)
            refused = isinstance(problem, Refusal)
            if failures >= (min(patience.refusals, patience.attempts) if refused else patience.attempts):
                partial = f"; {part.path} keeps {part.received:,} bytes to go on from" if part.received else ""
                asks = f", to be asked again in {problem.retry_after:,.0f} s" if problem.retry_after else ""
                reason = f"{part.url}: {problem}{asks}; gave up after {failures} attempts{partial}"
                raise Unavailable(reason, f": {_what_to_do(target)}") from None
            wait = min(max(problem.retry_after, _wait(patience, failures, refused)), patience.longest_wait)
            say(f"{target.name}: {problem}, with {part.received:,} bytes there; asking again in {wait:.1f} s")
        time.sleep(wait)


def _wait(patience: Patience, failures: int, refused: bool = False) -> float:
    """Seconds to wait after so many failures in a row."""
    longer = 8 * 4 ** max(failures - 1, 0) if refused else 2 ** max(failures - 1, 0)
    return min(patience.backoff * longer * random.uniform(0.5, 1.5), patience.longest_wait)


def _what_to_do(target: Path) -> str:
    return f"run again later, or open the address in a browser, save the file unchanged as {target} and run again"


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
