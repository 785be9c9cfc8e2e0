"""Files and folders that appear whole or not at all, however their writing ends; damaged files are set aside."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from zipo.shared.errors import InputError


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Write a file that appears whole or not at all: yields the path to write to, renamed to `target` at the end.

    An earlier file stays until then, and for good if the writing fails. A link stays, and what it points to is written.
    The path has the target's suffix, by which many writers tell formats; its contents are on the disk (fsync) before it
    is renamed. Raises InputError where the disk is full or the folder may not be written to.
    """
    place, part = behind_link(target), temporary_file(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)  # but none where a link leads, as in `atomic_folder`
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, place)
    except OSError as error:
        raise _not_written(target, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def temporary_file(target: Path) -> Path:
    """The name under which `atomic_write` has a file written, until it takes its own."""
    place = behind_link(target)
    return place.with_name(f"{place.stem}.part{target.suffix}")


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Write a folder of files that appears whole or not at all: yields an empty one, renamed to `target` at the end.

    An earlier folder stays until then, and for good if the writing fails. A link stays, and what it points to is
    written. Raises InputError as `atomic_write` does.
    """
    place = behind_link(target)
    part, earlier = temporary_folders(target)
    try:
        _restore(place, earlier)
        _remove(part)  # of a process that was killed
        part.mkdir(parents=place is target)  # where a link leads, as to a disk that is not mounted, none is made
        yield part
        for path in part.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        if place.exists():
            _remove(earlier)
            os.replace(place, earlier)
        os.replace(part, place)
        _remove(earlier)
    except OSError as error:
        raise _not_written(target, error) from error
    finally:
        with suppress(OSError):
            _restore(place, earlier)
        _remove(part)


def _restore(place: Path, earlier: Path) -> None:
    """Give a folder its name back whose replacement was cut off between the two renames."""
    if earlier.exists() and not place.exists():
        os.replace(earlier, place)


def _remove(folder: Path) -> None:
    """Remove a folder, if it is there and may be removed; of a link, which rmtree would not touch, the link alone."""
    with suppress(OSError):
        if folder.is_symlink():
            folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def temporary_folders(target: Path) -> tuple[Path, Path]:
    """The names that `atomic_folder` uses for a while: for the folder that is written, and for the one it replaces."""
    place = behind_link(target)
    return place.with_name(f"{place.name}.part"), place.with_name(f"{place.name}.earlier")


def behind_link(target: Path) -> Path:
    """What a link points to, whether it is there yet or not; any other path as it is."""
    return Path(os.path.realpath(target)) if target.is_symlink() else target


def _not_written(target: Path, error: OSError) -> InputError:
    reason = os.strerror(error.errno) if error.errno else error  # writers word it in many ways
    return InputError(
        f"{target}: cannot be written ({reason}); make room, or let its folder be written to, and run again"
    )


def set_aside(path: Path, damage: str) -> NoReturn:
    """Rename a damaged file, so that the same command makes it anew, and raise InputError."""
    aside = path.with_name(f"{path.name}.damaged")
    with suppress(FileNotFoundError):  # another job was first
        os.replace(path, aside)
    raise InputError(f"{path}: damaged ({damage}); it is set aside as {aside.name}: run again to make it anew")
