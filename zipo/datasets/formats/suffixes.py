"""The formats of counts that can be read, and the suffixes of their files."""

from pathlib import PurePath
from typing import Literal

FileFormat = Literal["h5ad", "10x_h5", "10x_mtx", "table", "loom"]
SUFFIXES: dict[str, FileFormat] = {
    ".h5ad": "h5ad",
    ".h5": "10x_h5",
    ".csv": "table",
    ".tsv": "table",
    ".txt": "table",
    ".loom": "loom",
}


def format_by_suffix(path: PurePath) -> FileFormat | None:
    """The format that a file's name tells; None for other names, as those of folders are."""
    suffix = path.suffix.lower()
    if suffix != ".gz":
        return SUFFIXES.get(suffix)
    # none of the binary formats is read through gzip
    return "table" if SUFFIXES.get(PurePath(path.stem).suffix.lower()) == "table" else None
