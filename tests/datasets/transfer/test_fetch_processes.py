"""Downloads by real processes: interrupted, killed, side by side, and on a disk that is full."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest

from tests.datasets.fault_server import Fault, FaultServer

NAME = "counts.mtx"
CONTENT = random.Random(1).randbytes(1_000_000)
BEFORE = 1_001  # bytes that come before the server stalls; few enough for a buffer of a file to hold back

FETCH = """
import resource, signal, sys
from pathlib import Path
from zipo.datasets.transfer.fetch import Patience, fetch
from zipo.shared.errors import InputError
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
url, target, limit = sys.argv[1:]
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    fetch(url, Path(target), patience=Patience(stall=60))
except InputError as error:
    sys.exit(f"error: {error}")
"""


@pytest.fixture
def server(tmp_path, own_connections):
    """A server of one file."""
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / NAME).write_bytes(CONTENT)
    with FaultServer(folder) as running:
        yield running


@contextlib.contextmanager
def fetching(server: FaultServer, folder: Path, limit: int = 0):
    """A process that fetches the file into a folder, and may write files of `limit` bytes at most, if not 0."""
    command = [sys.executable, "-c", FETCH, f"{server.url}/{NAME}", str(folder / NAME), str(limit)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition) -> None:
    """Look again until it holds; a failure after half a minute."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_second_run_goes_on_where_the_first_was_ended(server, tmp_path, ending):
    folder = tmp_path / "downloads"
    part = folder / f"{NAME}.part"
    server.fail(NAME, Fault(stall=BEFORE))
    with fetching(server, folder) as first:
        wait_until(lambda: part.exists() and part.stat().st_size == BEFORE)
        first.send_signal(ending)
        assert first.wait(30) != 0
    assert not (folder / NAME).exists()
    assert part.read_bytes() == CONTENT[:BEFORE]

    with fetching(server, folder) as second:
        assert second.wait(30) == 0
    assert (folder / NAME).read_bytes() == CONTENT
    assert os.listdir(folder) == [NAME]
    assert [(request.range, request.status) for request in server.requests] == [(None, 200), (f"bytes={BEFORE}-", 206)]
    assert server.requests[1].sent == len(CONTENT) - BEFORE


def test_a_process_killed_between_the_last_byte_and_the_name_leaves_nothing_to_ask(server, tmp_path):
    folder = tmp_path / "downloads"
    part = folder / f"{NAME}.part"
    server.fail(NAME, Fault(stall=BEFORE))
    with fetching(server, folder) as first:
        wait_until(lambda: part.exists() and part.stat().st_size == BEFORE)
        first.kill()
    part.write_bytes(CONTENT)
    with fetching(server, folder) as second:
        assert second.wait(30) == 0
    assert (folder / NAME).read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_of_two_processes_one_fetches_and_the_other_finds_it_done(server, tmp_path):
    folder = tmp_path / "downloads"
    both_are_there = Event()
    server.fail(NAME, Fault(before=lambda: both_are_there.wait(30)))
    with fetching(server, folder) as first:
        wait_until(lambda: server.requests)
        with fetching(server, folder) as second:
            assert second.stderr.readline() == f"{NAME}: another process fetches it; waiting for it\n"
            both_are_there.set()
            assert (first.wait(30), second.wait(30)) == (0, 0)
    assert os.listdir(folder) == [NAME]
    assert (folder / NAME).read_bytes() == CONTENT
    assert [(request.status, request.sent) for request in server.requests] == [(200, len(CONTENT))]


def test_the_one_that_waits_takes_over_when_the_first_is_killed(server, tmp_path):
    folder = tmp_path / "downloads"
    server.fail(NAME, Fault(stall=BEFORE))
    part = folder / f"{NAME}.part"
    with fetching(server, folder) as first:
        wait_until(lambda: part.exists() and part.stat().st_size == BEFORE)
        with fetching(server, folder) as second:
            assert "waiting" in second.stderr.readline()
            first.kill()
            assert second.wait(30) == 0
    assert os.listdir(folder) == [NAME]
    assert (folder / NAME).read_bytes() == CONTENT
    assert server.requests[1].range == f"bytes={BEFORE}-"


def ends_for_want_of_room(server: FaultServer, folder: Path, **options) -> None:
    with fetching(server, folder, **options) as process:
        _, printed = process.communicate(timeout=30)
    assert process.returncode == 1
    last = printed.splitlines()[-1]
    assert last.startswith(f"error: {folder / NAME}: the disk is full (")
    assert last.endswith(f"make room in {folder} and run again")
    assert "Traceback" not in printed
    assert os.listdir(folder) == []


def test_a_full_disk_is_one_sentence_and_gets_its_room_back(server, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk, and not in every container")
    try:
        ends_for_want_of_room(server, disk)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_limit_on_the_size_of_files_is_told_as_a_full_disk(server, tmp_path):
    folder = tmp_path / "downloads"
    ends_for_want_of_room(server, folder, limit=BEFORE)
