"""What the tests of downloads share."""

import tempfile

import pytest


@pytest.fixture
def own_connections(tmp_path, monkeypatch):
    """The slots of connections of a test and its processes are theirs alone; no proxy stands before loopback."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
