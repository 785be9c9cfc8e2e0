"""The commit that a run is said to be of: that of the package's own checkout, by git itself, or why there is none."""

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

import zipo
from zipo.study import code_version
from zipo.study.code_version import git_commit

UNKNOWN = r"unknown \({}; files [0-9a-f]{{12}}\)"


@pytest.fixture(autouse=True)
def _asked_anew():
    """A commit is asked for once in a process."""
    git_commit.cache_clear()


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def write_package(root: Path) -> None:
    """A tree as a download of it holds it: the package, a lock file and results that git ignores."""
    for path, text in {
        "zipo/__init__.py": "",
        "zipo/methods/a.py": "a = 1\n",
        "config/data.lock.tsv": "file\n",
        ".gitignore": "results/\n__pycache__/\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout of the tree, committed."""
    root = tmp_path / "clone"
    write_package(root)
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "x")
    return root


def head(root: Path) -> str:
    return git(root, "rev-parse", "HEAD")[:12]


@pytest.mark.parametrize(
    ("path", "dirty"),
    [
        (None, ""),
        ("config/data.lock.tsv", ""),  # which a study writes itself
        ("config/mine.yaml", ""),
        ("zipo/__pycache__/a.pyc", ""),
        ("zipo/methods/a.py", "-dirty"),
        ("zipo/methods/mine.py", "-dirty"),
        (".gitignore", "-dirty"),
    ],
)
def test_a_checkout_is_named_by_its_commit_and_whether_the_code_differs(checkout, path, dirty):
    if path:
        (checkout / path).parent.mkdir(exist_ok=True)
        with (checkout / path).open("a") as file:
            file.write("more\n")
    assert git_commit(checkout) == head(checkout) + dirty


def test_a_hooks_repository_is_not_ours(checkout, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    git(other, "commit", "--quiet", "--allow-empty", "--message", "x")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert git_commit(checkout) == subprocess.run(
        ["git", "--git-dir", checkout / ".git", "rev-parse", "--short=12", "HEAD"],
        check=True, capture_output=True, text=True, env={"PATH": os.environ["PATH"]},
    ).stdout.strip()  # fmt: skip


def test_without_a_checkout_of_its_own_the_reason_and_the_files_are_given(checkout, tmp_path, monkeypatch):
    alone = tmp_path / "alone"
    write_package(alone)
    assert re.fullmatch(UNKNOWN.format("no checkout"), git_commit(alone))
    # unpacked inside another repository, and in its very root
    within = checkout / "downloads" / "zipo-main"
    write_package(within)
    assert re.fullmatch(
        UNKNOWN.format("no checkout: .*zipo-main is a folder of another repository"), git_commit(within)
    )
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "--quiet")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "x")
    write_package(root)
    assert re.fullmatch(UNKNOWN.format("the checkout does not hold the package"), git_commit(root))
    git(root, "add", ".")
    git(root, "update-ref", "-d", "HEAD")
    git_commit.cache_clear()
    assert re.fullmatch(UNKNOWN.format("git: your current branch .* does not have any commits yet"), git_commit(root))
    # the digest is that of names and contents
    before = git_commit(alone)
    (alone / "zipo" / "methods" / "a.py").rename(alone / "zipo" / "methods" / "b.py")
    git_commit.cache_clear()
    assert git_commit(alone) != before
    contents = hashlib.sha256(b'["__init__.py", "methods/b.py"]')
    for text in (b"", b"a = 1\n"):
        contents.update(hashlib.sha256(text).digest())
    assert f"files {contents.hexdigest()[:12]})" in git_commit(alone)
    monkeypatch.setenv("PATH", str(tmp_path))
    git_commit.cache_clear()
    assert re.fullmatch(UNKNOWN.format("git is not installed"), git_commit(checkout))


def test_gits_own_reason_is_given(checkout, tmp_path, monkeypatch):
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho \"fatal: detected dubious ownership in repository at '/x'\" >&2\nexit 128\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    assert re.fullmatch(UNKNOWN.format("git: detected dubious ownership in repository at '/x'"), git_commit(checkout))


def test_the_tree_is_the_packages():
    assert Path(zipo.__file__).parents[1] == code_version.ROOT
