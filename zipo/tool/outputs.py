"""Where results are to go, looked at before hours of training rather than after."""

import shutil
import tempfile
from pathlib import Path

from zipo.errors import InputError


def check_file(target: Path, source: Path | None = None) -> None:
    """Raise InputError unless an .h5ad can be written under this name, which must not be that of the counts."""
    if target.suffix != ".h5ad":
        raise InputError(f"{target}: the output is an .h5ad; give a name that ends so")
    if target.is_dir():
        raise InputError(f"{target}: this is a folder, but the output is a file; give another name")
    if source is not None and target.exists() and target.samefile(source):
        raise InputError(f"{target}: this is the file of the counts itself; give the output another name")
    check_folder_of(target)


def check_model(folder: Path) -> None:
    """Raise InputError unless a folder for a model can be made under this name: none is there, or one of a model."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: this is a file, but a model is kept in a folder; give another name")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "model.json").exists():
        raise InputError(f"{folder}: this folder holds other files than a model's; give another name")
    check_folder_of(folder)


def check_folder_of(target: Path) -> None:
    """Raise InputError unless something can be written beside a target."""
    folder = target.absolute().parent
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


def check_room(target: Path, cells: int, genes: int, layers: int) -> None:
    """Raise InputError unless the disk has room for so many dense layers of float32."""
    needed, free = 4 * cells * genes * layers, shutil.disk_usage(target.absolute().parent).free
    if needed > free:
        raise InputError(
            f"{target}: about {needed / 1e9:.1f} GB are needed, but its disk has {free / 1e9:.1f} GB left; make room, "
            "or take fewer genes by --genes"
        )
