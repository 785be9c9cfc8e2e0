"""Whole files pass; each kind of damage is told by its own sentence."""

import gzip
import io
import tarfile

import pytest

from zipo.datasets.transfer import integrity
from zipo.datasets.transfer.integrity import Damaged

TEXT = b"".join(b"ENSG%011d\tGENE%d\n" % (number, number) for number in range(5000))
GZIP = gzip.compress(TEXT, mtime=0)
PAGE = b"\n<!DOCTYPE HTML>\n<html><head><title>Not found</title></head></html>\n"


def tar(*members: tuple[str, bytes]) -> bytes:
    """An archive of members, as GNU tar writes it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


# header at 0, data at 512 and 1024; header at 1536, data at 2048; then zeros
TAR = tar(("GSM1_AB1.txt.gz", b"x" * 700), ("GSM2_AB2.txt.gz", b"y" * 512))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("matrix.mtx.gz", GZIP),
        ("MATRIX.MTX.GZ", GZIP),
        ("two-members.gz", GZIP + GZIP),
        ("plates.tar", TAR),
        ("a-long-name.tar", tar(("n" * 300, b"1"))),
        ("filelist.txt", b"#Archive/File\tName\n"),
        ("page.html", PAGE),
    ],
)
def test_whole_files_pass(tmp_path, name, content):
    path = tmp_path / "x.part"
    path.write_bytes(content)
    integrity.check(path, name)
    integrity.check(path, name, len(content))
    with pytest.raises(Damaged, match=rf"{name} has {len(content):,} bytes where {len(content) + 1:,} are expected"):
        integrity.check(path, name, len(content) + 1)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.txt", b"", "a.txt has 0 bytes"),
        ("a.gz", b"", "a.gz has 0 bytes"),
        ("a.gz", PAGE, "a.gz is an HTML page, not the file"),
        ("a.tsv", b"\xef\xbb\xbf<html>", "a.tsv is an HTML page, not the file"),
        ("a.tar", PAGE, "a.tar is an HTML page, not the file"),
        ("a.gz", b'<?xml version="1.0" encoding="utf-8"?>' + PAGE, "a.gz is an HTML page, not the file"),
        ("a.gz", gzip.compress(PAGE, mtime=0), "a.gz is an HTML page in a gzip, not the file"),
        ("a.gz", TEXT, "a.gz is not a whole gzip: Not a gzipped file"),
        ("a.gz", GZIP[:-1], "a.gz is a truncated gzip"),
        ("a.gz", GZIP[: len(GZIP) // 2], "a.gz is a truncated gzip"),
        ("a.gz", GZIP[:5], "a.gz is a truncated gzip"),
        ("a.gz", GZIP[:-8] + bytes([GZIP[-8] ^ 1]) + GZIP[-7:], "a.gz is a gzip with a bad CRC"),
        ("a.gz", GZIP[:-4] + bytes([GZIP[-4] ^ 1]) + GZIP[-3:], "a.gz is not a whole gzip: Incorrect length"),
        ("a.gz", GZIP + PAGE, "a.gz is not a whole gzip: Not a gzipped file"),
        ("a.gz", GZIP[:10] + b"\xff" * 40 + GZIP[50:], "a.gz is a damaged gzip: Error -3"),
        ("a.tar", GZIP, "a.tar is not a whole tar: after the beginning"),
        ("a.tar", TAR[:1000], "a.tar is not a whole tar: after GSM1_AB1.txt.gz: unexpected end"),
        ("a.tar", TAR[:1536], "a.tar is a truncated tar: it ends after GSM1_AB1.txt.gz without"),
        ("a.tar", TAR[:1700], "a.tar is a truncated tar: it ends after GSM1_AB1.txt.gz without"),
        ("a.tar", TAR[:2560], "a.tar is a truncated tar: it ends after GSM2_AB2.txt.gz without"),
        ("a.tar", TAR[:1536] + b"?" + TAR[1537:], "a.tar is a damaged tar: what follows GSM1_AB1.txt.gz is no header"),
    ],
)
def test_damage_is_told(tmp_path, name, content, problem):
    path = tmp_path / "x.part"
    path.write_bytes(content)
    with pytest.raises(Damaged) as error:
        integrity.check(path, name)
    assert str(error.value).startswith(problem)


def test_the_checksum_is_the_known_one_of_abc(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert integrity.sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
