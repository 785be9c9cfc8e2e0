"""GEO's own files about a series: its family SOFT file, the list of an archive's files, and the paths of both."""

import codecs
import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from zipo.shared.errors import InputError

DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)  # what a broken gzip raises when read


@dataclass(frozen=True)
class Sample:
    """A sample of a series: its accession (GSM...), its title and the URLs of its own files."""

    accession: str
    title: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Series:
    """A series: its accession (GSE...), its title, the URLs of its own files, its samples in order."""

    accession: str
    title: str
    files: tuple[str, ...]
    samples: tuple[Sample, ...]

    def sample_file_names(self) -> list[str]:
        """Names of the samples' files, in the samples' order: what the series' RAW.tar must hold."""
        return [file_name(url) for sample in self.samples for url in sample.files if _is_samples_own(url)]


def _is_samples_own(url: str) -> bool:
    """Whether GEO keeps this file with a sample; older SOFT files list addresses of SRA among a sample's files."""
    parts = urlsplit(url.strip())
    return parts.path.startswith("/geo/samples/") and (parts.hostname or "").endswith("ncbi.nlm.nih.gov")


def file_name(url: str) -> str:
    """Name of the file behind a URL, which may be quoted or not: %2B and + are the same file."""
    return unquote(url.rsplit("/", 1)[-1])


def folder(accession: str) -> str:
    """GEO's folder of a series or a sample, relative to its root: series/GSE125nnn/GSE125188."""
    if not re.fullmatch(r"GS[EM]\d+", accession):
        raise InputError(f"{accession!r} is no accession of GEO; a series reads GSE125188, a sample GSM3272410")
    kind = "series" if accession.startswith("GSE") else "samples"
    return f"{kind}/{re.sub(r'[0-9]{1,3}$', 'nnn', accession)}/{accession}"


def soft_path(accession: str) -> str:
    """Path of a series' family SOFT file, relative to GEO's root."""
    return f"{folder(accession)}/soft/{accession}_family.soft.gz"


def supplement_path(accession: str, name: str) -> str:
    """Path of a supplementary file of a series or a sample, relative to GEO's root; the name is not quoted."""
    return f"{folder(accession)}/suppl/{name}"


def read_soft(path: Path, accession: str) -> Series:
    """The series of a family SOFT file; InputError where it is damaged, another series, or lacks a sample.

    GEOparse ignores a gzip that breaks off and then misses samples silently, hence the checks before and after.
    """
    import GEOparse  # here, because it is slow to import

    read_lines(path)
    try:
        gse = GEOparse.get_GEO(filepath=str(path), geotype="GSE", silent=True)
    except Exception as error:  # GEOparse fails in many ways on a text that is no SOFT file
        raise InputError(f"{path.name}: GEOparse cannot read it ({error}); fetch it again") from error
    if gse.name != accession:
        content = f"the series {gse.name}" if gse.name else "no series, perhaps a page of HTML"
        raise InputError(f"{path.name}: holds {content}, but {accession} was expected; fetch it again")
    listed = gse.metadata.get("sample_id", [])
    for problem, samples in (
        ("its series lists {}, which it does not hold", [name for name in listed if name not in gse.gsms]),
        ("it holds {}, which its series does not list", [name for name in gse.gsms if name not in listed]),
    ):
        if samples:
            raise InputError(f"{path.name}: {problem.format(', '.join(samples))}; fetch it again")
    return Series(
        accession=accession,
        title=_title(gse),
        files=_files(gse),
        samples=tuple(Sample(name, _title(gse.gsms[name]), _files(gse.gsms[name])) for name in listed),
    )


def read_file_list(path: Path) -> dict[str, int]:
    """Sizes in bytes by file name, from the filelist.txt that GEO keeps beside a RAW.tar; lines without are left out.

    A line has five fields: Archive or File, name, time, size, type.
    """
    lines = decoded(path.read_bytes()).splitlines()
    fields = [[field.strip() for field in line.split("\t")] for line in lines]
    return {row[1]: int(row[3]) for row in fields if len(row) > 3 and row[1] and re.fullmatch("[0-9]+", row[3])}


def read_lines(path: Path) -> list[str]:
    """The lines of a gzipped text, read to its checksum; InputError where it is absent, damaged or empty."""
    try:
        with gzip.open(path) as file:
            text = decoded(file.read())
    except FileNotFoundError as error:
        raise InputError(f"{path.name}: there is no such file in {path.parent}; fetch it") from error
    except DAMAGED as error:
        raise InputError(f"{path.name}: the gzip is damaged ({error}); fetch it again") from error
    if not text.strip():
        raise InputError(f"{path.name}: the file is empty; fetch it again")
    return re.split("\r\n|\r|\n", text.rstrip("\r\n"))


def decoded(text: bytes) -> str:
    """Text in UTF-8, in UTF-16 if it begins with its mark, or else in Latin-1, which has a letter for every byte."""
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return text.decode("utf-16", errors="replace")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _title(entry: Any) -> str:
    """Title of a series or a sample of GEOparse; "" without one."""
    return entry.metadata.get("title", [""])[0]


def _files(entry: Any) -> tuple[str, ...]:
    """URLs under supplementary_file, supplementary_file_1, ...; NONE stands where there is no file."""
    urls = [url for key, urls in entry.metadata.items() if key.startswith("supplementary_file") for url in urls]
    return tuple(url for url in urls if url.strip().upper() not in ("", "NONE"))
