"""Checks of downloaded files: length, checksum, and whether a gzip or a tar is complete."""

import gzip
import hashlib
import tarfile
import zlib
from pathlib import Path

from zipo.shared.errors import InputError
from zipo.shared.wording import words

CHUNK = 1 << 20
PAGES = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<!--", b"<?xml")


class Damaged(Exception):
    """The file arrived, but is not what it should be; the message says in which way."""


def sha256_of(path: Path) -> str:
    """Checksum of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sha256(path: Path, expected: str, source: str) -> None:
    """Raise InputError unless the file has the checksum that the catalogue of data sets gives for `source`."""
    actual = sha256_of(path)
    if actual != expected:
        hint = words(python="", command_line="", study=", or correct sha256 in config/datasets.yaml")
        raise InputError(
            f"{source}: {path.name} has sha256 {actual}, but the catalogue expects {expected}; "
            f"the file is damaged or another version: fetch it again{hint}"
        )


def is_page(start: bytes, name: str) -> bool:
    """Whether the first bytes of a file are those of a web page, though its name is none of a page."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return text.startswith(PAGES) and not name.lower().endswith((".html", ".htm", ".xml"))


def check(path: Path, name: str, size: int | None = None) -> None:
    """Raise Damaged unless `path` is a complete file of the kind that `name` ends in, of `size` bytes if given."""
    length = path.stat().st_size
    if size is not None and length != size:
        raise Damaged(f"{name} has {length:,} bytes where {size:,} are expected")
    if not length:
        raise Damaged(f"{name} has 0 bytes")
    name_kind = name.lower()
    with path.open("rb") as file:
        if is_page(file.read(512), name):
            raise Damaged(f"{name} is an HTML page, not the file; open the address in a browser to read it")
    if name_kind.endswith((".gz", ".tgz")):
        _check_gzip(path, name)
    elif name_kind.endswith(".tar"):
        _check_tar(path, name)


def _check_gzip(path: Path, name: str) -> None:
    try:
        with gzip.open(path) as file:
            # a server that packs what it sends packs its pages too
            if is_page(file.read(CHUNK), name):
                raise Damaged(
                    f"{name} is an HTML page in a gzip, not the file; open the address in a browser to read it"
                )
            while file.read(CHUNK):
                pass
    except EOFError:
        raise Damaged(f"{name} is a truncated gzip: it ends before its end mark") from None
    except gzip.BadGzipFile as error:
        if "CRC" in str(error):
            raise Damaged(f"{name} is a gzip with a bad CRC: its content is damaged") from None
        raise Damaged(f"{name} is not a whole gzip: {error}") from None
    except zlib.error as error:
        raise Damaged(f"{name} is a damaged gzip: {error}") from None


def _check_tar(path: Path, name: str) -> None:
    # tarfile takes a damaged or missing header for the end of the archive and says nothing; a sound archive
    # ends in a block of zeros
    last = "the beginning"
    try:
        with tarfile.open(path, "r:") as archive, path.open("rb") as file:
            for member in archive:
                last = member.name
            file.seek(archive.offset)
            end = file.read(tarfile.BLOCKSIZE)
    except tarfile.TarError as error:
        raise Damaged(f"{name} is not a whole tar: after {last}: {error}") from None
    if len(end) < tarfile.BLOCKSIZE:
        raise Damaged(f"{name} is a truncated tar: it ends after {last} without an end mark")
    if any(end):
        raise Damaged(f"{name} is a damaged tar: what follows {last} is no header of a member")
