"""Checks of the paths that results go to, before hours of work; files that zipo did not write stay untouched."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from zipo.datasets.formats.foreign import ADDRESS
from zipo.datasets.formats.hdf5 import is_marked, open_hdf5
from zipo.shared.atomic_files import behind_link, temporary_file
from zipo.shared.errors import InputError


def check_file(target: Path) -> None:
    """Raise InputError unless an .h5ad can be written to a path where there is no file yet, or one that zipo wrote."""
    if target.suffix != ".h5ad":
        raise InputError(f"{target}: the output is an .h5ad; give a name that ends so")
    check_replaceable(target, is_marked)


def check_replaceable(target: Path, is_ours: Callable[[Path], bool], another: str = "another name") -> None:
    """Raise InputError unless a file can be written to a path: none is there yet, or one of which `is_ours` is true.

    An empty file may be replaced too: there is nothing in it to lose. `another` is what the user could give instead.
    """
    if target.exists() and not target.is_file():
        kind = "folder" if target.is_dir() else "device or a pipe"
        raise InputError(f"{target}: this is a {kind}, but the output is a file; give {another}")
    if target.exists() and target.stat().st_size and not is_ours(target):
        raise InputError(f"{target}: exists, and is not as zipo wrote it; remove it, or give {another}")
    part = temporary_file(target)
    if part.is_file() and not _is_left_over(part) and not is_ours(part):
        raise InputError(
            f"{part}: exists, and is not as zipo wrote it, but {target} is written under this name first; "
            f"remove it, or give {another}"
        )
    check_folder_of(target)


def check_apart(written: Mapping[str, Path | None], counts: Sequence[Path] = ()) -> None:
    """Raise InputError where a path to write to is a file of the counts or given twice, whichever links lead there.

    The keys are the arguments that give the paths.
    """
    targets = [(name, path) for name, path in written.items() if path is not None]
    for number, (name, path) in enumerate(targets):
        if any(_same_file(path, source) for source in counts):
            raise InputError(f"{path}: this is the file of the counts itself; give {name} another name")
        part = temporary_file(path.absolute())
        if any(_same_file(part, source) for source in counts):
            raise InputError(f"{path}: is written as {part.name}, the file of the counts; give {name} another name")
        for other, earlier in targets[:number]:
            if _same_file(path, earlier):
                raise InputError(f"{path}: both {other} and {name} would be written there; give one another name")


def check_folder_of(target: Path) -> None:
    """Raise InputError unless something can be written beside a target; of a link, beside what that points to."""
    if ADDRESS.match(str(target)):
        raise InputError(f"{target}: this is an address, but results are written to this computer; give a path on it")
    place = behind_link(target)
    if place.is_symlink():
        raise InputError(f"{target}: this is a link that leads back to itself; remove it, or give another name")
    folder = place.absolute().parent
    if not folder.is_dir():
        problem = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{target}: cannot be written, since {folder} {problem}; make that folder, or give another")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"{target}: cannot be written, since nothing can be in {folder} ({error.strerror}); give another folder"
        ) from None


def _is_left_over(part: Path) -> bool:
    """Whether a file is empty or an incomplete .h5ad, as a process that was killed leaves it."""
    if not part.stat().st_size:
        return True
    if part.suffix != ".h5ad":
        return False
    try:
        with open_hdf5(part):
            return False
    except InputError:
        return True


def _same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, or would if it existed."""
    if one.exists() and other.exists():
        return os.path.samefile(one, other)
    return os.path.realpath(one) == os.path.realpath(other)  # resolve fails at a link that leads back to itself
