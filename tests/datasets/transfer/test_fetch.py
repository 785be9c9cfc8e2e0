"""Downloads from a server that misbehaves end in the right bytes, or in one sentence with nothing half-written."""

import gzip
import hashlib
import random
import re
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

import zipo
from tests.datasets.fault_server import Fault, FaultServer
from zipo.datasets.transfer import fetch as module
from zipo.datasets.transfer.fetch import Patience, fetch, web_address
from zipo.shared.errors import InputError

pytestmark = pytest.mark.usefixtures("own_connections")

QUICK = Patience(attempts=4, stall=20, backoff=0.01, longest_wait=0.02)
REFUSED = Patience(attempts=3, backoff=0.01)
SHORT_OF_PATIENCE = Patience(attempts=3, stall=0.5, backoff=0.01)
NAME = "GSE1_CD45+_matrix.mtx.gz"
OTHER = gzip.compress(random.Random(2).randbytes(250_000), mtime=0)
GOOD = gzip.compress(random.Random(1).randbytes(300_000), mtime=0)  # random bytes do not shrink
PAGE = b"<!DOCTYPE html><html><body>We are down for maintenance</body></html>\n"


@pytest.fixture
def server(tmp_path):
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


def get(server, target, **options) -> None:
    fetch(f"{server.url}/{NAME}", target, **{"patience": QUICK} | options)


def refused(server, target, problem, **options) -> None:
    """The fetch ends in one sentence, and not a byte of it is left."""
    with pytest.raises(InputError, match=problem) as error:
        get(server, target, **options)
    assert "\n" not in str(error.value)
    assert list(target.parent.iterdir()) == []


def right(target, content=GOOD) -> bool:
    """Are the bytes right, and alone in their folder?"""
    assert [file.name for file in target.parent.iterdir()] == [target.name]
    return hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(content).digest()


def statuses(server) -> list[int]:
    return [request.status for request in server.requests]


@pytest.mark.parametrize("spelling", ["CD45+_matrix", "CD45%2B_matrix", "%43D45%2b%5Fmatrix"])
def test_a_file_comes_whole_however_its_address_is_quoted(server, target, spelling):
    fetch(f"{server.url}/GSE1_{spelling}.mtx.gz", target, size=len(GOOD), patience=QUICK)
    assert right(target)
    (request,) = server.requests
    assert (request.path, request.status, request.range) == ("/GSE1_CD45%2B_matrix.mtx.gz", 200, None)
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["User-Agent"].startswith(f"ZiPo/{zipo.__version__} (")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ftp://ftp.ncbi.nlm.nih.gov/geo/a+b c.gz", "https://ftp.ncbi.nlm.nih.gov/geo/a%2Bb%20c.gz"),
        ("ftp://user@host:21/a", "https://host/a"),
        ("https://host/geo/download/?acc=1&file=a%2Bb%2Egz", "https://host/geo/download/?acc=1&file=a%2Bb%2Egz"),
        ("http://host:8000/a%2Fb/100%25/~c#part", "http://host:8000/a%2Fb/100%25/~c"),
    ],
)
def test_addresses_are_put_right(url, address):
    assert web_address(url) == address
    assert web_address(address) == address


@pytest.mark.parametrize(
    "url", ["", "host/file.gz", "file:///tmp/file.gz", "https:///file.gz", "https://host:port/file"]
)
def test_what_is_no_address_is_refused_without_asking(url, target):
    with pytest.raises(InputError, match="not an address"):
        fetch(url, target)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("reset", [False, True])
def test_a_cut_connection_is_gone_on_from_where_it_was_cut(server, target, seed, reset):
    first, second = random.Random(seed).sample(range(1, len(GOOD) // 2), 2)
    server.fail(NAME, Fault(cut=first, reset=reset), Fault(cut=second, reset=reset))
    get(server, target)
    assert right(target)
    assert statuses(server) == [200, 206, 206]
    starts = [int(request.range.removeprefix("bytes=").removesuffix("-")) for request in server.requests[1:]]
    if reset:  # what was on its way may be lost
        assert 0 < starts[0] <= first
        assert starts[0] < starts[1] <= starts[0] + second
    else:
        assert starts == [first, first + second]
        assert sum(request.sent for request in server.requests) == len(GOOD)
    etag = f'"{hashlib.md5(GOOD).hexdigest()}"'
    assert [request.headers.get("If-Range") for request in server.requests] == [None, etag, etag]


def test_a_connection_that_is_cut_before_the_answer_is_asked_again(server, target):
    server.fail(NAME, Fault(times=2, cut=0))
    get(server, target)
    assert right(target)


def test_a_stall_is_noticed_and_gone_on_from(server, target):
    server.fail(NAME, Fault(stall=1000))
    get(server, target, patience=SHORT_OF_PATIENCE)
    assert right(target)
    assert [request.range for request in server.requests][:2] == [None, "bytes=1000-"]


def test_a_server_that_only_stalls_is_given_up_and_the_bytes_are_kept(server, target):
    server.fail(NAME, Fault(stall=1000), Fault(times=None, stall=0))
    with pytest.raises(InputError, match=r"no byte came for 0\.5 seconds; gave up after 3 attempts.*keeps 1,000 bytes"):
        get(server, target, patience=SHORT_OF_PATIENCE)
    assert [request.range for request in server.requests] == [None, "bytes=1000-", "bytes=1000-"]
    assert sorted(file.name for file in target.parent.iterdir()) == [f"{NAME}.part", f"{NAME}.part.json"]
    assert target.with_name(f"{NAME}.part").read_bytes() == GOOD[:1000]


def test_connections_that_bring_much_are_no_failures(server, target):
    large = random.Random(3).randbytes(5 << 20)
    (server.folder / "large.bin").write_bytes(large)
    server.fail("large.bin", Fault(times=None, cut=(1 << 20) + 1))
    target = target.with_name("large.bin")
    fetch(f"{server.url}/large.bin", target, patience=Patience(attempts=1, backoff=0.01))
    assert right(target, large)
    assert statuses(server) == [200, 206, 206, 206, 206]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503, 504])
def test_passing_refusals_are_waited_out(server, target, status):
    server.fail(NAME, Fault(times=2, status=status))
    get(server, target)
    assert right(target)
    assert statuses(server) == [status, status, 200]


def test_waits_double_and_heed_the_server_within_reason(server, target, monkeypatch):
    waits = []
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=waits.append))
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    retry_after = ["9", "3600", later, "soon", "0"]
    server.fail(NAME, *(Fault(status=503, headers={"Retry-After": value}) for value in retry_after), Fault(status=500))
    get(server, target, patience=Patience(backoff=0.1, longest_wait=120))
    assert right(target)
    assert waits[:2] == [9, 120]
    assert 50 < waits[2] <= 60
    for wait, doublings in zip(waits[3:], [3, 4, 5], strict=True):
        assert 0.5 <= wait / (0.1 * 2**doublings) <= 1.5


@pytest.mark.parametrize("status", [401, 404, 410])
def test_lasting_refusals_end_at_once(server, target, status):
    server.fail(NAME, Fault(times=None, status=status))
    refused(server, target, rf"/GSE1_CD45%2B_matrix\.mtx\.gz: the server answers {status} .*check that the file")
    assert len(server.requests) == 1


def test_a_server_that_is_not_there_is_named(target):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, but not listening
        with pytest.raises(InputError, match="Connection refused; gave up after 2 attempts: run again later"):
            fetch(f"http://127.0.0.1:{held.getsockname()[1]}/a.gz", target, patience=Patience(attempts=2, backoff=0.01))
    assert list(target.parent.iterdir()) == []


def test_the_whole_file_in_answer_to_a_range_replaces_what_was_there(server, target):
    server.fail(NAME, Fault(cut=1000), Fault(ignore_range=True))
    get(server, target)
    assert right(target)
    assert statuses(server) == [200, 200]
    assert server.requests[1].range == "bytes=1000-"


def test_another_range_than_the_one_asked_for_is_not_appended(server, target):
    wrong = {"Content-Range": f"bytes 900-{len(GOOD) - 1}/{len(GOOD)}"}
    server.fail(NAME, Fault(cut=1000), Fault(headers=wrong))
    get(server, target)
    assert right(target)
    assert statuses(server) == [200, 206, 200]


def test_a_range_past_the_end_starts_over(server, target):
    shrunk = gzip.compress(b"1")

    def shrink():
        (server.folder / NAME).write_bytes(shrunk)

    server.fail(NAME, Fault(cut=1000, after=shrink), Fault(ignore_if_range=True))
    get(server, target)
    assert right(target, shrunk)
    assert statuses(server) == [200, 416, 200]


@pytest.mark.parametrize("heeds_if_range", [True, False])
@pytest.mark.parametrize("validators", [True, False])
def test_a_file_that_changes_between_two_requests_is_not_glued(server, target, heeds_if_range, validators):
    server.validators = validators  # without them, the length tells
    fault = Fault(ignore_if_range=not heeds_if_range)
    server.fail(NAME, Fault(cut=1000, after=lambda: (server.folder / NAME).write_bytes(OTHER)), fault)
    get(server, target)
    assert right(target, OTHER)
    assert statuses(server) == ([200, 200] if heeds_if_range and validators else [200, 206, 200])


def test_a_change_that_neither_length_nor_content_betrays_is_told_by_the_etag(server, target):
    old, new = (random.Random(seed).randbytes(3000) for seed in (4, 5))  # no gzip, so that no CRC comes to help
    file, target = server.folder / "a.bin", target.with_name("a.bin")
    file.write_bytes(old)
    server.fail("a.bin", Fault(cut=1000, after=lambda: file.write_bytes(new)), Fault(ignore_if_range=True))
    fetch(f"{server.url}/a.bin", target, patience=QUICK)
    assert right(target, new)
    assert statuses(server) == [200, 206, 200]


def test_a_weak_etag_is_not_offered_as_a_condition(server, target):
    weak = {"ETag": 'W/"1"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.fail(NAME, Fault(cut=1000, headers=weak), Fault(headers=weak))
    get(server, target)
    assert right(target)
    assert server.requests[1].headers["If-Range"] == weak["Last-Modified"]
    assert statuses(server) == [200, 206]


def test_a_length_that_is_too_long_once_is_overcome(server, target):
    server.fail(NAME, Fault(length=len(GOOD) + 10))
    get(server, target)
    assert right(target)


def test_a_length_that_is_always_too_long_is_given_up(server, target):
    server.fail(NAME, Fault(times=None, length=len(GOOD) + 10))
    with pytest.raises(InputError, match="gave up after 4 attempts"):
        get(server, target)
    assert not target.exists()


def test_a_length_that_is_too_short_is_noticed_by_the_gzip(server, target):
    server.fail(NAME, Fault(length=len(GOOD) - 10))
    get(server, target)
    assert right(target)
    server.fail(NAME, Fault(times=None, length=len(GOOD) - 10))
    target.unlink()
    refused(server, target, "is a truncated gzip.*fetched 2 times")


def test_a_length_other_than_the_expected_one_is_refused_unread(server, target):
    problem = f"announces {len(GOOD):,} bytes where {len(GOOD) + 1:,} are expected .fetched 2 times"
    refused(server, target, problem, size=len(GOOD) + 1)


DAMAGED = [
    (GOOD[:-2000], "is a truncated gzip: it ends before its end mark"),
    (GOOD[:-8] + bytes(4) + GOOD[-4:], "is a gzip with a bad CRC: its content is damaged"),
    (gzip.compress(PAGE, mtime=0), "is an HTML page in a gzip, not the file"),
    (b"", "has 0 bytes"),
]


@pytest.mark.parametrize(("body", "problem"), DAMAGED, ids=["truncated", "bad_crc", "packed_page", "empty"])
def test_a_damaged_file_is_fetched_again(server, target, body, problem, capsys):
    server.fail(NAME, Fault(body=body))
    get(server, target)
    assert right(target)
    assert problem in capsys.readouterr().err
    assert [request.range for request in server.requests] == [None, None]


@pytest.mark.parametrize(("body", "problem"), DAMAGED, ids=["truncated", "bad_crc", "packed_page", "empty"])
def test_a_file_that_stays_damaged_is_refused(server, target, body, problem):
    server.fail(NAME, Fault(times=None, body=body))
    refused(server, target, rf"{problem}.*\(fetched 2 times\); nothing is kept")
    assert len(server.requests) == 2


REFUSALS = [
    (Fault(status=403), "the server answers 403 Forbidden"),
    (Fault(body=PAGE), "what the server sends is an HTML page, not the file"),
    (Fault(body=b'<?xml version="1.0"?>\n<!DOCTYPE html>\n'), "what the server sends is an HTML page, not the file"),
]


@pytest.mark.parametrize(("fault", "problem"), REFUSALS, ids=["403", "page", "xhtml"])
def test_refusals_are_waited_out_longer_than_failures(server, target, fault, problem, monkeypatch, capsys):
    waits = []
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=waits.append))
    server.fail(NAME, replace(fault, times=2))
    get(server, target, patience=Patience(backoff=0.1))
    assert right(target)
    assert problem in capsys.readouterr().err
    for wait, middle in zip(waits, [0.8, 3.2], strict=True):
        assert 0.5 <= wait / middle <= 1.5


@pytest.mark.parametrize(("fault", "problem"), REFUSALS, ids=["403", "page", "xhtml"])
def test_a_server_that_only_refuses_is_given_up(server, target, fault, problem):
    server.fail(NAME, replace(fault, times=None))
    refused(
        server, target, rf"{problem}; gave up after 3 attempts: run again later, or open .* as {re.escape(str(target))}"
    )
    assert len(server.requests) == 3


def test_a_page_does_not_cost_what_was_received_before(server, target):
    server.fail(NAME, Fault(cut=1000), Fault(body=PAGE, ignore_range=True))
    get(server, target)
    assert right(target)
    assert [request.range for request in server.requests] == [None, "bytes=1000-", "bytes=1000-"]


def test_the_wait_that_a_refusal_asks_for_is_heeded_and_named(server, target, monkeypatch):
    waits = []
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=waits.append))
    for status in (403, 429):
        server.fail(NAME, Fault(times=3, status=status, headers={"Retry-After": "7"}))
        refused(server, target, f"answers {status} .*, to be asked again in 7 s; gave up after 3", patience=REFUSED)
    assert waits == [7, 7, 7, 7]


OTHER_ADDRESS = "download/?acc=GSE1&format=file&file=GSE1_CD45%2B_matrix.mtx.gz"


@pytest.mark.parametrize(
    "fault",
    [Fault(status=403), Fault(body=PAGE), Fault(status=429), Fault(status=401), Fault(cut=1000), Fault(body=b"")],
)
def test_a_file_that_one_address_does_not_give_comes_from_the_other(server, target, fault):
    server.fail(NAME, replace(fault, times=None))
    get(server, target, other=f"{server.url}/{OTHER_ADDRESS}")
    assert right(target)
    assert server.requests[-1].path == f"/{OTHER_ADDRESS}"


def test_a_file_that_is_nowhere_is_not_asked_for_at_the_other_address(server, target):
    server.fail(NAME, Fault(status=404))
    refused(server, target, "the server answers 404", other=f"{server.url}/{OTHER_ADDRESS}")
    assert len(server.requests) == 1


def test_both_addresses_are_named_where_neither_gives_the_file_and_no_bytes_are_lost(server, target):
    server.fail(NAME, Fault(cut=1000), Fault(times=None, status=503))
    server.fail(f"download/{NAME}", Fault(times=None, body=PAGE))
    with pytest.raises(
        InputError, match=r"matrix\.mtx\.gz: the server answers 503 .*keeps 1,000 .*download/.*HTML page"
    ):
        get(server, target, other=f"{server.url}/{OTHER_ADDRESS}")
    assert target.with_name(f"{NAME}.part").read_bytes() == GOOD[:1000]


def test_chunks_without_a_length_are_followed_to_their_end(server, target):
    server.fail(NAME, Fault(chunked=True, cut=1000))
    get(server, target)
    assert right(target)
    assert [request.range for request in server.requests] == [None, "bytes=1000-"]
    target.unlink()
    server.fail(NAME, Fault(chunked=True))
    get(server, target)
    assert right(target)


def test_without_any_length_a_file_is_taken_only_if_its_size_is_known(server, target):
    server.fail(NAME, Fault(unsized=True), Fault(unsized=True, cut=1000))
    refused(server, target, "the server gives no length, so half a file would pass")
    get(server, target, size=len(GOOD))
    assert right(target)
    assert server.requests[-1].range == "bytes=1000-"


def test_an_encoding_that_was_not_asked_for_is_taken_only_as_the_name_of_a_gzip(server, target):
    server.fail(NAME, Fault(headers={"Content-Encoding": "gzip"}))
    get(server, target)
    assert right(target)
    (server.folder / "a.txt").write_bytes(b"1\n")
    server.fail("a.txt", Fault(headers={"Content-Encoding": "gzip"}))
    with pytest.raises(InputError, match="with gzip encoding, unasked"):
        fetch(f"{server.url}/a.txt", target.with_name("a.txt"), patience=QUICK)
    assert right(target)
