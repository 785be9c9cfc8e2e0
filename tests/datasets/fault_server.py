"""A web server on loopback that serves a folder honestly, as archives do, and misbehaves where it is told to."""

import hashlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Request:
    """One request as the server saw it, and its answer so far."""

    path: str
    """Path as it was sent, still quoted."""
    headers: dict[str, str]
    """Headers of the request."""
    status: int = 0
    """Answer; 0 as long as there is none."""
    sent: int = 0
    """Bytes of the body that were sent."""

    @property
    def range(self) -> str | None:
        """Header Range."""
        return self.headers.get("Range")


@dataclass
class Fault:
    """What goes wrong with a path: for the first `times` requests that are left, or always (None)."""

    times: int | None = 1
    """Requests that suffer."""
    cut: int | None = None
    """Close the connection after this many bytes of the body."""
    reset: bool = False
    """Let the cut be a reset of the connection, as by a crashed machine, in place of an orderly end."""
    stall: int | None = None
    """Send nothing more after this many bytes of the body, but keep the connection."""
    status: int | None = None
    """Answer with this status and a short HTML page."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers to add or to replace, such as Retry-After or a wrong Content-Range."""
    ignore_range: bool = False
    """Answer 200 with the whole file to a request for a part."""
    ignore_if_range: bool = False
    """Send the part although the file is no longer the one that If-Range names."""
    length: int | None = None
    """Announce this Content-Length."""
    unsized: bool = False
    """Announce no length, and end the body by closing the connection, as HTTP/1.0 did."""
    chunked: bool = False
    """Announce no length, and send the body in chunks."""
    body: bytes | None = None
    """Serve these bytes in place of the file's."""
    before: Callable[[], object] | None = None
    """Called before the answer, to make the client wait."""
    after: Callable[[], object] | None = None
    """Called before the connection is cut, to change the file between two requests."""


class FaultServer:
    """Context manager; `url` is its address, `requests` what it was asked, in order of arrival."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.requests: list[Request] = []
        self.busiest = 0  # most requests at once that waited for the start of their answer
        self.validators = True  # send ETag and Last-Modified
        self.otherwise = Fault()  # what requests suffer that have no fault of their own
        self.stopping = threading.Event()
        self._faults: dict[str, list[Fault]] = {}
        self._busy = 0
        self._mutex = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"faults": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "FaultServer":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def fail(self, path: str, *faults: Fault) -> None:
        """Let requests for a path (unquoted) suffer these faults, one after another.

        GEO's second address of a file, download/?acc=...&format=file&file=NAME, has the path download/NAME.
        """
        self._faults.setdefault("/" + path.lstrip("/"), []).extend(faults)

    def next_fault(self, path: str) -> Fault:
        """What the next request for a path suffers."""
        with self._mutex:
            faults = self._faults.get(path, [])
            while faults and faults[0].times == 0:
                faults.pop(0)
            if not faults:
                return self.otherwise
            if faults[0].times is not None:
                faults[0].times -= 1
            return faults[0]

    @contextmanager
    def waiting(self, request: Request) -> Iterator[None]:
        """Record a request, and count it among those that wait for their answer."""
        with self._mutex:
            self.requests.append(request)
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
        yield
        with self._mutex:
            self._busy -= 1


class _Handler(BaseHTTPRequestHandler):
    faults: FaultServer
    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def log_message(self, *_) -> None:
        """Say nothing; the requests are recorded."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path)
        if path.endswith("/download/"):
            path += parse_qs(address.query, strict_parsing=True)["file"][0]
        fault = self.faults.next_fault(path)
        self.request_seen = Request(self.path, dict(self.headers.items()))
        with self.faults.waiting(self.request_seen):
            if fault.before:
                fault.before()
        try:
            self._answer(path, fault)
        except (BrokenPipeError, ConnectionResetError):  # the client left
            self.close_connection = True

    def _answer(self, path: str, fault: Fault) -> None:
        file = self.faults.folder / path.lstrip("/")
        if "/download/" in path and (named := list(self.faults.folder.rglob(file.name))):
            file = named[0]
        if fault.status or not file.is_file():
            status = fault.status or HTTPStatus.NOT_FOUND
            body = b"<!DOCTYPE html><html><body>something went wrong</body></html>\n"
            return self._send(status, {"Content-Type": "text/html"}, body, fault)
        body = file.read_bytes() if fault.body is None else fault.body
        headers = {"Accept-Ranges": "bytes"}
        if self.faults.validators:
            headers["ETag"] = f'"{hashlib.md5(body).hexdigest()}"'
            headers["Last-Modified"] = formatdate(file.stat().st_mtime, usegmt=True)
        headers |= fault.headers
        byte_range = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers["Range"] or "")
        condition = self.headers["If-Range"]
        same = condition in {None, headers.get("ETag"), headers.get("Last-Modified")} or fault.ignore_if_range
        if byte_range and same and not fault.ignore_range:
            start, total = int(byte_range[1]), len(body)
            if start >= total:
                headers["Content-Range"] = f"bytes */{total}"
                return self._send(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers, b"", fault)
            body = body[start : int(byte_range[2]) + 1 if byte_range[2] else total]
            headers = {"Content-Range": f"bytes {start}-{start + len(body) - 1}/{total}"} | headers
            return self._send(HTTPStatus.PARTIAL_CONTENT, headers, body, fault)
        return self._send(HTTPStatus.OK, headers, body, fault)

    def _send(self, status: int, headers: dict[str, str], body: bytes, fault: Fault) -> None:
        self.request_seen.status = int(status)
        self.send_response(status)
        if fault.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif not fault.unsized:
            headers["Content-Length"] = str(len(body) if fault.length is None else fault.length)
        for name, value in (headers | fault.headers).items():
            self.send_header(name, value)
        self.end_headers()
        end = min(end for end in (fault.cut, fault.stall, len(body)) if end is not None)
        self._write(body[:end], fault.chunked)
        if fault.stall is not None:
            self.faults.stopping.wait()
        if fault.after:  # before the connection ends, and with it the client's request
            fault.after()
        broken = fault.stall is not None or fault.cut is not None
        if fault.chunked and not broken:
            self.wfile.write(b"0\r\n\r\n")
        if broken or fault.unsized or fault.length is not None:
            self._close(fault.reset)

    def _write(self, body: bytes, chunked: bool) -> None:
        for start in range(0, len(body), 1 << 16):
            piece = body[start : start + (1 << 16)]
            self.request_seen.sent += len(piece)  # first, for the client may be done before the write returns
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)

    def _close(self, reset: bool) -> None:
        self.close_connection = True
        if reset:  # lingering for 0 seconds makes the kernel send RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            self.connection.shutdown(socket.SHUT_RDWR)
