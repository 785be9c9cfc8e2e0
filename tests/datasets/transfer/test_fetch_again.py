"""What a fetch makes of what is there already: the file, its lock, a part of it, and other fetches."""

import gzip
import hashlib
import os
import random
import threading

import pytest

from tests.datasets.fault_server import Fault, FaultServer
from zipo.datasets.transfer.fetch import Patience, fetch
from zipo.datasets.transfer.lock import Lock
from zipo.shared.errors import InputError

NAME = "GSE1_genes.tsv.gz"
GOOD = gzip.compress(random.Random(1).randbytes(30_000), mtime=0)
OTHER = gzip.compress(random.Random(2).randbytes(20_000), mtime=0)


@pytest.fixture
def server(tmp_path, own_connections):
    """A server of one good file."""
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / NAME).write_bytes(GOOD)
    with FaultServer(folder) as running:
        yield running


@pytest.fixture
def target(tmp_path):
    """Where the file is to be, in a folder of its own."""
    return tmp_path / "downloads" / NAME


def get(server, target, lock: Lock | None = None) -> None:
    fetch(f"{server.url}/{NAME}", target, lock=lock)


def right(target, content=GOOD) -> bool:
    """Are the bytes right, and alone in their folder?"""
    assert [file.name for file in target.parent.iterdir()] == [target.name]
    return target.read_bytes() == content


def test_what_is_there_and_right_is_not_fetched_again(server, target, tmp_path):
    get(server, target)
    get(server, target)  # passes its check
    lock = Lock(tmp_path / "lock.tsv")
    get(server, target, lock=lock)  # is recorded
    assert lock.entry(NAME)[:2] == (len(GOOD), hashlib.sha256(GOOD).hexdigest())
    get(server, target, lock=lock)  # matches the lock
    assert len(server.requests) == 1


@pytest.mark.parametrize("locked", [True, False])
def test_what_is_there_and_damaged_is_fetched_again(server, target, locked, tmp_path):
    lock = Lock(tmp_path / "lock.tsv") if locked else None
    get(server, target, lock=lock)
    target.write_bytes(GOOD[:-1] if not locked else OTHER)  # whole, but not what the lock knows
    get(server, target, lock=lock)
    assert right(target)
    assert len(server.requests) == 2


def test_what_is_there_and_damaged_does_not_stay_under_its_name_if_there_is_nothing_better(server, target):
    target.parent.mkdir()
    target.write_bytes(GOOD[:-1])
    (server.folder / NAME).unlink()
    with pytest.raises(InputError, match=rf"answers 404 .*{NAME}\.damaged: {NAME} is a truncated gzip"):
        get(server, target)
    (aside,) = target.parent.iterdir()
    assert (aside.name, aside.read_bytes()) == (f"{NAME}.damaged", GOOD[:-1])


@pytest.mark.parametrize("name", [NAME, "%47SE1%5Fgenes.tsv%2Egz"])
def test_a_file_put_there_by_hand_is_checked_recorded_and_taken(server, target, tmp_path, name):
    server.otherwise = Fault(status=403)
    target.parent.mkdir()
    target.with_name(name).write_bytes(GOOD)
    lock = Lock(tmp_path / "lock.tsv")
    get(server, target, lock=lock)
    assert right(target)
    assert lock.entry(NAME)[:2] == (len(GOOD), hashlib.sha256(GOOD).hexdigest())
    assert server.requests == []


def test_a_file_put_there_by_hand_that_the_lock_does_not_know_so_is_named_and_taken_on_demand(server, target, tmp_path):
    path = tmp_path / "lock.tsv"
    get(server, target, lock=Lock(path))
    server.fail(NAME, Fault(times=None, status=410))
    target.write_bytes(OTHER)
    old, new = (hashlib.sha256(content).hexdigest() for content in (GOOD, OTHER))
    with pytest.raises(InputError, match=rf"410 .*{NAME}\.damaged: {NAME} has sha256 {new} .*records {old} "):
        get(server, target, lock=Lock(path))
    target.write_bytes(OTHER)
    get(server, target, lock=Lock(path, update=True))
    assert Lock(path).entry(NAME).sha256 == new


def test_a_file_that_differs_from_the_lock_is_refused_until_the_lock_is_updated(server, target, tmp_path):
    path = tmp_path / "lock.tsv"
    get(server, target, lock=Lock(path))
    target.unlink()
    (server.folder / NAME).write_bytes(OTHER)
    old, new = (hashlib.sha256(content).hexdigest() for content in (GOOD, OTHER))
    with pytest.raises(InputError, match=rf"{new} .*differs from {old} .*--update-lock"):
        get(server, target, lock=Lock(path))
    assert list(target.parent.iterdir()) == []
    get(server, target, lock=Lock(path, update=True))
    assert right(target, OTHER)
    assert Lock(path).entry(NAME).sha256 == new


def test_bytes_of_another_address_or_without_a_note_are_dropped(server, target):
    target.parent.mkdir()
    part = target.with_name(f"{NAME}.part")
    part.write_bytes(OTHER[:1000])
    get(server, target)
    assert right(target)
    target.unlink()
    part.write_bytes(OTHER[:1000])
    part.with_name(f"{part.name}.json").write_text('{"url": "http://elsewhere/a.gz", "total": 300, "etag": null}')
    get(server, target)
    assert right(target)
    assert [request.range for request in server.requests] == [None, None]


def test_a_folder_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path / "downloads").write_text("a file, not a folder")
    with pytest.raises(InputError, match=r"downloads: File exists; the download cannot be written there"):
        get(server, tmp_path / "downloads" / NAME)
    assert server.requests == []


def test_a_host_is_asked_for_few_files_at_once(server, target):
    pause = threading.Event()
    names = [f"{number}.txt" for number in range(6)]
    for name in names:
        (server.folder / name).write_text(name)
        server.fail(name, Fault(before=lambda: pause.wait(0.3)))
    few = Patience(connections=2)
    threads = [
        threading.Thread(target=fetch, args=(f"{server.url}/{name}", target.with_name(name)), kwargs={"patience": few})
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(os.listdir(target.parent)) == names
    assert server.busiest == 2
