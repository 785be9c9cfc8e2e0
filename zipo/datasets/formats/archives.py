"""Single files taken out of archives: of a zip, as a wheel is, of a zip within it, or of a gzipped tar."""

import shutil
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from zipo.shared.errors import InputError

SHOWN = 5  # files that an error lists


def extract(archive: Path, name: str, folder: Path, place: str) -> Path:
    """Copy a file out of an archive into a folder, under the last part of its path in the archive.

    The path of a file in a zip that lies in the archive begins with the path of that zip: data.zip/counts.h5ad.
    Raises InputError, which calls the archive `place`, if there is no such file.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            names = [entry.filename for entry in zipped.infolist() if not entry.is_dir()]
            outer = _outer(names, name, place)
            target = folder / PurePosixPath(outer).name
            with zipped.open(outer) as member, target.open("wb") as file:
                shutil.copyfileobj(member, file)
    else:
        with tarfile.open(archive, "r:gz") as tar:
            files = {member.name: member for member in tar if member.isfile()}
            outer = _outer(list(files), name, place)
            target = folder / PurePosixPath(outer).name
            content = tar.extractfile(files[outer])
            assert content is not None  # it is a file
            with content as member, target.open("wb") as file:
                shutil.copyfileobj(member, file)
    if outer == name:
        return target
    return extract(target, name.removeprefix(f"{outer}/"), folder, f"{place}: {outer}")


def _outer(names: list[str], name: str, place: str) -> str:
    """The file of an archive to extract: the one that is asked for, or the zip that it lies in."""
    if name in names:
        return name
    for zipped in names:
        if zipped.endswith(".zip") and name.startswith(f"{zipped}/"):
            return zipped
    alike = [other for other in names if other.endswith(PurePosixPath(name).suffix or "/")] or names
    shown = ", ".join(alike[:SHOWN]) + ", ..." * (len(alike) > SHOWN)
    raise InputError(f"{place}: no file {name!r} in it; there are {shown or 'none'}")
