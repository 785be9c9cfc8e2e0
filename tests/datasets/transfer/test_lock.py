"""The lock file: recorded once, verified ever after, safe for processes side by side, refused when damaged."""

import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from zipo.datasets.transfer.lock import Lock
from zipo.shared.errors import InputError

A, B = "a" * 64, "b" * 64
HEADER = "file\tbytes\tsha256\trecorded\n"


def test_files_are_recorded_in_the_order_of_their_names(tmp_path):
    path = tmp_path / "config" / "data.lock.tsv"
    lock = Lock(path)
    lock.check("second.gz", 20, B)
    lock.check("first.gz", 10, A)
    today = datetime.now(UTC).date().isoformat()
    comment, *rows = path.read_text().splitlines(keepends=True)
    assert comment.startswith("# ")
    assert rows == [HEADER, f"first.gz\t10\t{A}\t{today}\n", f"second.gz\t20\t{B}\t{today}\n"]
    assert [file.name for file in path.parent.iterdir()] == ["data.lock.tsv"]


def test_comments_and_dates_stay_and_what_is_the_same_is_not_written_again(tmp_path):
    path = tmp_path / "data.lock.tsv"
    path.write_text(f"# ours\n#\n{HEADER}m.gz\t10\t{A}\t2020-02-29\n")
    path.chmod(0o444)
    written = path.stat()
    Lock(path).check("m.gz", 10, A)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    Lock(path).check("a.gz", 1, B)
    lines = path.read_text().splitlines()
    assert lines[:2] == ["# ours", "#"]
    assert lines[4] == f"m.gz\t10\t{A}\t2020-02-29"


def test_a_changed_file_is_refused_with_both_checksums_until_the_lock_is_updated(tmp_path):
    path = tmp_path / "data.lock.tsv"
    path.write_text(f"{HEADER}m.gz\t10\t{A}\t2020-02-29\n")
    before = path.read_text()
    with pytest.raises(
        InputError, match=rf"m\.gz: sha256 {B} \(11 bytes\) differs from {A} .*2020-02-29.*--update-lock"
    ):
        Lock(path).check("m.gz", 11, B)
    with pytest.raises(InputError, match=r"10 bytes.*differs"):
        Lock(path).check("m.gz", 10, B)
    assert path.read_text() == before

    Lock(path, update=True).check("m.gz", 11, B)
    today = datetime.now(UTC).date()
    assert Lock(path).entry("m.gz") == (11, B, today)
    Lock(path).check("m.gz", 11, B)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: the header must be file, bytes, sha256, recorded"),
        ("# only a comment\n", "line 2: the header must be"),
        (f"m.gz\t1\t{A}\t2020-01-01\n", "line 1: the header must be"),
        (f"{HEADER}m.gz\t1\t{A}\n", "line 2: 3 columns where 4 are expected"),
        (f"# c\n{HEADER}m.gz\t1\t{A}\t2020-01-01\n\n", "line 4: 1 columns where 4 are expected"),
        (f"{HEADER}m.gz\t1\t{A[:-1]}\t2020-01-01\n", "line 2: sha256 is 'a{63}' where 64 hexadecimal"),
        (f"{HEADER}m.gz\t1\t{A[:-1]}g\t2020-01-01\n", "line 2: sha256 is 'a{63}g' where"),
        (f"{HEADER}m.gz\t-1\t{A}\t2020-01-01\n", "line 2: bytes is '-1' where a whole number"),
        (f"{HEADER}m.gz\t1\t{A}\t2020-02-30\n", "line 2: recorded is '2020-02-30' where a date"),
        (f"{HEADER}\t1\t{A}\t2020-01-01\n", "line 2: the file has no name"),
        (f"{HEADER}m\t1\t{A}\t2020-01-01\nm\t1\t{A}\t2020-01-01\n", "line 3: m stands here a second time"),
    ],
)
def test_a_damaged_lock_is_refused_by_line_and_left_alone(tmp_path, text, problem):
    path = tmp_path / "data.lock.tsv"
    path.write_text(text)
    for lock in Lock(path), Lock(path, update=True):
        with pytest.raises(InputError, match=rf"{re.escape(str(path))}, {problem}"):
            lock.check("n.gz", 1, A)
    assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


RECORD = """
import sys
from pathlib import Path
from zipo.datasets.transfer.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
for number in range(40):
    lock.check(f"{sys.argv[2]}-{number:02}", number, f"{number:064x}")
    lock.check(f"shared-{number:02}", number, f"{number:064x}")
"""


def test_two_processes_record_at_once_and_lose_nothing(tmp_path):
    path = tmp_path / "data.lock.tsv"
    command = [sys.executable, "-c", RECORD, str(path)]
    writers = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for name in ("one", "two")
    ]
    for writer in writers:
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        writer.stdin.close()
    assert [writer.wait(30) for writer in writers] == [0, 0]
    for writer in writers:
        writer.stdout.close()
    rows = [line.split("\t")[:3] for line in path.read_text().splitlines()[2:]]
    names = [f"{name}-{number:02}" for name in ("one", "shared", "two") for number in range(40)]
    assert rows == [[name, str(int(name[-2:])), f"{int(name[-2:]):064x}"] for name in names]
    assert list(tmp_path.iterdir()) == [path]
