"""`make env`: an older Python is refused before anything is made, and an environment that is not whole is made anew."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

# says that it is Python 3.10, and is the tests' Python otherwise
OLDER = """#!/bin/sh
[ "$1" = -V ] && { echo Python 3.10.13; exit; }
[ "$1" = -c ] && { echo 3.10; exit; }
exec %s -c 'import runpy, sys; sys.version_info = (3, 10, 13, "final", 0); sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")' "$@"
"""
NEEDED = "Python 3.11 or newer is needed, and {} is 3.10: run make env PYTHON=/path/to/python3.11"


@pytest.fixture
def project(tmp_path) -> Path:
    folder = tmp_path / "project"
    (folder / "envs").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "envs/make_venv.py", "envs/zipo.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def older(tmp_path) -> Path:
    """A folder with a `python3`, and no other, that is too old."""
    folder = tmp_path / "older"
    folder.mkdir()
    (folder / "python3").write_text(OLDER % sys.executable)
    (folder / "python3").chmod(0o755)
    return folder


def make(project: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess:
    environment = os.environ | ({"PATH": path} if path else {})
    return subprocess.run(["make", *arguments], cwd=project, env=environment, capture_output=True, text=True)


def make_venv(project: Path, *arguments: str, python: str | Path = sys.executable) -> subprocess.CompletedProcess:
    return subprocess.run(
        [python, "envs/make_venv.py", *arguments],
        cwd=project,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )


def test_an_older_python_is_refused_before_anything_is_made(project, older):
    for done in (
        make(project, "env", "PYTHON=python3", path=f"{older}:/usr/bin:/bin"),
        make(project, "demo", f"PYTHON={older / 'python3'}"),
    ):
        assert done.returncode != 0
        assert NEEDED.format(sys.executable) in done.stderr
    assert not (project / ".venv").exists()


def test_an_environment_that_is_not_whole_is_made_anew_and_a_whole_one_left(project, older, tmp_path):
    # what a failed `make env` of an older Python leaves
    folder = project / ".venv" / "bin"
    folder.mkdir(parents=True)
    (project / ".venv" / "installed").touch()
    shutil.copy(older / "python3", folder / "python")
    (folder / "pip").write_text(f"#!{folder}/python\n")
    assert "make_venv.py" in make(project, "-n", "env", f"PYTHON={sys.executable}").stdout
    done = make_venv(project)
    version = ".".join(map(str, sys.version_info[:2]))
    assert (done.returncode, done.stdout) == (0, f".venv is of Python 3.10, not {version}: it is made anew\n")
    actual = subprocess.check_output([folder / "python", "-c", "import sys; print(sys.prefix)"], text=True)
    assert Path(actual.strip()) == project / ".venv"
    assert not (project / ".venv" / "installed").exists()

    (project / ".venv" / "mine").touch()
    assert (make_venv(project).stdout, make_venv(project, "--check").returncode) == ("", 0)
    (project / ".venv" / "installed").touch()
    assert "make_venv.py" not in make(project, "-n", "env").stdout
    assert (project / ".venv" / "mine").exists()

    moved = tmp_path / "moved"
    project.rename(moved)
    assert "make_venv.py" in make(moved, "-n", "env").stdout
    assert make_venv(moved, "--check").returncode == 1
    # never through a link
    (tmp_path / "linked").mkdir()
    (moved / ".venv").rename(tmp_path / "linked" / "shared")
    (moved / ".venv").symlink_to(tmp_path / "linked" / "shared")
    done = make_venv(moved)
    assert done.returncode != 0
    assert f".venv is a link to {tmp_path / 'linked' / 'shared'}, which was made in another folder" in done.stderr
    assert (tmp_path / "linked" / "shared" / "mine").exists()
