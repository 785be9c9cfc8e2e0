"""Version of the code that runs: the commit of its checkout, or a digest of its files and why there is no commit."""

import os
import subprocess
from functools import cache
from pathlib import Path

import zipo
from zipo.shared.digest import digest

ROOT = Path(zipo.__file__).resolve().parents[1]
# variables of git that name a repository: within a hook they name another one than ours
REPOSITORY_VARIABLES = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_CEILING_DIRECTORIES",
)  # fmt: skip
WITHOUT_LOCK = ":(exclude)config/data.lock.tsv"  # in which a study records its downloads


class _NoCommitError(Exception):
    """There is no commit; the message says why."""


@cache
def git_commit(root: Path = ROOT) -> str:
    """Commit of the tree at `root`, with -dirty if its files differ from it or its package has files beside it.

    Where the tree is no checkout of its own, "unknown" with the reason and the digest of the package's files.
    """
    try:
        top = _git(root, "rev-parse", "--show-toplevel")
        if not os.path.samefile(top, root):
            raise _NoCommitError(f"no checkout: {root} is a folder of another repository")
        if not _git(root, "ls-files", "zipo/__init__.py"):
            raise _NoCommitError("the checkout does not hold the package")
        commit = _git(root, "log", "-1", "--format=%h", "--abbrev=12")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", WITHOUT_LOCK)
        added = _git(root, "ls-files", "--others", "--exclude-standard", "--", "zipo", "workflow")
        return f"{commit}-dirty" if changed or added else commit
    except _NoCommitError as reason:
        return f"unknown ({reason}; files {_digest(root / 'zipo')})"


def _git(root: Path, *arguments: str) -> str:
    """Output of a command of git on a tree; raises _NoCommitError with git's reason where it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in REPOSITORY_VARIABLES}
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, env=environment | {"LC_ALL": "C"}, capture_output=True, text=True, timeout=10)
    except FileNotFoundError:
        raise _NoCommitError("git is not installed") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _NoCommitError(f"git: {error}") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        reason = lines[0].removeprefix("fatal: ")
        raise _NoCommitError("no checkout" if reason.startswith("not a git repository") else f"git: {reason}")
    return done.stdout.strip()


def _digest(package: Path) -> str:
    """First twelve digits of a digest of the names and contents of the package's Python files."""
    files = sorted(package.rglob("*.py"))
    return digest(files, [str(file.relative_to(package)) for file in files])[:12]
