"""Checks of the folders that a command fills, before hours of training: of a model, and of its checkpoints."""

from collections.abc import Sequence
from pathlib import Path

from zipo.shared.atomic_files import behind_link
from zipo.shared.errors import InputError


def check_outside(folder: Path, written: Sequence[Path | None]) -> None:
    """Raise InputError where a path to write to lies in the folder of a model, which is replaced as a whole."""
    for path in written:
        if path is not None and folder.resolve() in path.resolve().parents:
            raise InputError(f"{path}: lies in {folder}, which is for a model alone; give a place outside of it")


def check_checkpoints(target: Path) -> None:
    """Raise InputError where the folder of a training's checkpoints holds other files."""
    folder = checkpoints_beside(target)
    if not folder.exists():
        return
    if not folder.is_dir() or any(path.suffix != ".npz" or not path.name[:6].isdigit() for path in folder.iterdir()):
        raise InputError(
            f"{folder}: the training keeps its checkpoints there, but it holds something else; remove it, or give the "
            "output another name"
        )


def checkpoints_beside(target: Path) -> Path:
    """The folder of a training's checkpoints, beside what it is to write; of a link, beside what that points to."""
    place = behind_link(target)
    return place.with_name(f"{place.name}.checkpoints")
