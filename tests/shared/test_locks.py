"""Locks between threads that hold them through files of their own, as processes do."""

import fcntl
import tempfile
import threading
import time

import pytest

from zipo.shared import locks
from zipo.shared.locks import connection_slot, exclusive_lock


def test_one_holder_at_a_time_and_no_file_is_left(tmp_path):
    path, inside, most = tmp_path / "new" / "lock", [0], []

    def work():
        for _ in range(20):
            with exclusive_lock(path):
                inside[0] += 1
                most.append(inside[0])
                time.sleep(0.0005)
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1] * 80
    assert not path.exists()


def test_a_lock_whose_file_is_replaced_while_one_waits_is_waited_for_anew(tmp_path, monkeypatch):
    path, waiting, entered, messages = tmp_path / "lock", threading.Event(), threading.Event(), []

    def say(text):
        messages.append(text)
        waiting.set()

    def wait():
        with exclusive_lock(path, "someone else works"):
            entered.set()

    monkeypatch.setattr(locks, "say", say)
    thread = threading.Thread(target=wait, daemon=True)
    with path.open("a") as old:
        fcntl.flock(old, fcntl.LOCK_EX)
        thread.start()
        assert waiting.wait(10)
        path.unlink()  # its holder is done, and a third process comes first
        with path.open("a") as new:
            fcntl.flock(new, fcntl.LOCK_EX)
            fcntl.flock(old, fcntl.LOCK_UN)
            assert not entered.wait(0.2)
    assert entered.wait(10)
    thread.join(10)
    assert messages[0] == "someone else works; waiting for it"
    assert not path.exists()


def test_an_error_frees_the_lock_and_a_file_that_a_killed_process_left_does_no_harm(tmp_path):
    (tmp_path / "lock").touch()
    with pytest.raises(KeyboardInterrupt), exclusive_lock(tmp_path / "lock"):
        raise KeyboardInterrupt
    with exclusive_lock(tmp_path / "lock"):
        assert (tmp_path / "lock").exists()
    assert not (tmp_path / "lock").exists()


def test_a_host_has_so_many_connections_and_others_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    entered = threading.Event()

    def connect():
        with connection_slot("host", 2):
            entered.set()

    thread = threading.Thread(target=connect, daemon=True)
    with connection_slot("host", 2):
        with connection_slot("host", 2), connection_slot("other", 1):
            thread.start()
            assert not entered.wait(0.4)
        assert entered.wait(10)
    thread.join(10)
