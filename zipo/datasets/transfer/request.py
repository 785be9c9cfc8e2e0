"""One request for a file: its bytes go to a .part file, after those that an earlier request brought."""

import json
import os
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from zipo import __version__
from zipo.datasets.transfer.integrity import Damaged, is_page
from zipo.shared.errors import InputError
from zipo.shared.progress import Progress

CHUNK = 1 << 16
TRY_AGAIN = {408, 425, 429}  # and 500 to 599
NOWHERE = {404, 410}
USER_AGENT = f"ZiPo/{__version__} (+https://doi.org/10.1109/TCBBIO.2025.3572783)"


class Unavailable(InputError):
    """A file that its server does not give; `problem` says why, `advice` what to do, `gone` that it is not there."""

    def __init__(self, problem: str, advice: str, gone: bool = False) -> None:
        super().__init__(f"{problem}{advice}")
        self.problem, self.advice, self.gone = problem, advice, gone


class Interrupted(Exception):
    """The bytes are not all there; another request may bring the rest."""

    def __init__(self, reason: str, retry_after: float = 0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after  # seconds that the server asks to wait


class Refusal(Interrupted):
    """The server answers 403, or with a web page in place of the file; a while later it may give the file."""


class Part:
    """The bytes of a file so far, and a note of the headers with which the server sent the first of them.

    The note holds the address, the length and the validators, by which a later request, perhaps of another process,
    knows whether the file is still the same. Bytes without a note, or of another address, are dropped.
    """

    def __init__(self, target: Path, url: str, suffix: str = "part") -> None:
        self.name, self.url = target.name, url
        self.path = target.with_name(f"{target.name}.{suffix}")
        self._note = target.with_name(f"{target.name}.{suffix}.json")
        try:
            self.note: dict[str, Any] = json.loads(self._note.read_text())
        except (FileNotFoundError, ValueError):  # a process killed while it wrote leaves half a note
            self.note = {}
        if self.note.get("url") != url or not self.path.exists():
            self.drop()

    @property
    def received(self) -> int:
        """Bytes so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def complete(self) -> bool:
        """Whether all bytes have arrived, as far as the server announced their number."""
        return self.path.exists() and self.received == self.note.get("total")

    def begin(self, note: dict[str, Any]) -> None:
        """Start at zero; a note never stands beside the bytes of an earlier one."""
        self.drop()
        self.path.touch()
        self._note.write_text(json.dumps(note))
        self.note = note

    def drop(self) -> None:
        """Remove the bytes and the note."""
        self._note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.note = {}

    def become(self, target: Path) -> None:
        """Give the file its name, once its bytes are safe on the disk."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(self.path, target)
        self._note.unlink(missing_ok=True)


def transfer(url: str, part: Part, size: int | None, timeouts: tuple[float, float], progress: Progress) -> None:
    """Ask for what is missing and append it; return when the last byte is there.

    `size` is the expected length in bytes, if known; `timeouts` are seconds to connect, and seconds without a byte.
    Raises Interrupted, Refusal, Damaged (not the file that is expected) or Unavailable (asking again will not help).
    """
    # lengths and ranges count the file's own bytes
    headers = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT}
    if part.received:
        headers["Range"] = f"bytes={part.received}-"
        etag = part.note["etag"] or ""
        # If-Range takes no weak ETag
        if validator := part.note["modified"] if etag.startswith("W/") or not etag else etag:
            headers["If-Range"] = validator
    try:
        with requests.get(url, headers=headers, stream=True, timeout=timeouts) as response:
            _check_status(response, part, url)
            first = b""
            if response.status_code == 206:
                _check_continuation(response, part)
            else:
                first = _next(response)
                if is_page(first, part.name):  # before what came earlier is dropped for it
                    raise Refusal("what the server sends is an HTML page, not the file")
                part.begin(_describe(response, url, size))
            _receive(response, part, first, progress)
    except (requests.RequestException, HTTPError) as error:
        raise Interrupted(_reason(error, timeouts)) from error
    total = part.note["total"]
    if total is not None and part.received != total:
        raise Interrupted(f"the connection ended after {part.received:,} of {total:,} bytes")


def _check_status(response: requests.Response, part: Part, url: str) -> None:
    status = response.status_code
    if status == 200 or (status == 206 and "Range" in response.request.headers):
        return
    answer = f"the server answers {status} {response.reason}"
    if status == 416:  # what is there cannot be gone on from
        part.drop()
        raise Interrupted(answer)
    if status == 403 or status in TRY_AGAIN or status >= 500:
        kind = Refusal if status == 403 else Interrupted
        raise kind(answer, _seconds(response.headers.get("Retry-After", "")))
    advice = "; check that the file still stands there and may be read by anyone"
    raise Unavailable(f"{url}: {answer}", advice, gone=status in NOWHERE)


def _check_continuation(response: requests.Response, part: Part) -> None:
    """Raise Interrupted, and start over, unless these are the next bytes of the same file."""
    content_range = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    note = part.note
    if not content_range or int(content_range[1]) != part.received:
        problem = f"asked to go on at byte {part.received:,}, the server sends {response.headers.get('Content-Range')}"
    elif content_range[2] != "*" and note["total"] not in (None, int(content_range[2])):
        problem = f"the file changed on the server from {note['total']} to {content_range[2]} bytes"
    elif any(note[key] and value and value != note[key] for key, value in _validators(response).items()):
        problem = "the file changed on the server"
    else:
        return
    part.drop()
    raise Interrupted(problem)


def _describe(response: requests.Response, url: str, size: int | None) -> dict[str, Any]:
    """The note for a file that is sent from its first byte; Damaged or Unavailable if it is not worth receiving."""
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else size
    if size is not None and total != size:
        raise Damaged(f"the server announces {total:,} bytes where {size:,} are expected")
    if total is None and "chunked" not in response.headers.get("Transfer-Encoding", ""):
        raise Unavailable(f"{url}: the server gives no length, so half a file would pass", "; use another server")
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding != "identity" and not url.lower().endswith(("gz", "gzip")):  # some servers so announce a .gz
        raise Unavailable(f"{url}: the server sends the file with {encoding} encoding, unasked", "; use another server")
    return {"url": url, "total": total, **_validators(response)}


def _validators(response: requests.Response) -> dict[str, str | None]:
    return {"etag": response.headers.get("ETag"), "modified": response.headers.get("Last-Modified")}


def _receive(response: requests.Response, part: Part, first: bytes, progress: Progress) -> None:
    """Append the first bytes and all that follow."""
    with part.path.open("ab") as file:
        progress.start(file.tell(), part.note["total"])
        chunk = first or _next(response)
        while chunk:
            file.write(chunk)
            file.flush()  # a process that is killed loses nothing
            progress.at(file.tell())
            chunk = _next(response)


def _next(response: requests.Response) -> bytes:
    """The bytes that have come; none at the end. read would lose up to a chunk when the connection ends."""
    return response.raw.read1(CHUNK, decode_content=False)


def _seconds(retry_after: str) -> float:
    """Retry-After, which is a number of seconds or a date, in seconds from now; 0 if it is neither."""
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def _reason(error: BaseException, timeouts: tuple[float, float]) -> str:
    """The cause of a broken connection in words; the libraries wrap it several times."""
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {timeouts[0]:g} seconds"
    while error.__context__ is not None:
        error = error.__context__
    if isinstance(error, IncompleteRead):
        return "the connection ended early"
    if isinstance(error, TimeoutError):
        return f"no byte came for {timeouts[1]:g} seconds"
    return f"the connection broke: {error}"
