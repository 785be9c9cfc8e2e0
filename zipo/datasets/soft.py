"""What GEO says of a series: its family SOFT file, the list of an archive's files, and the paths of both."""

import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from zipo.errors import InputError

DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError)  # what a broken gzip raises when read
FILE_LIST_HEADER = ["#Archive/File", "Name", "Time", "Size", "Type"]


@dataclass(frozen=True)
class Sample:
    """A sample of a series: its accession (GSM...), its title and the URLs of its own files."""

    accession: str
    title: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Series:
    """A series: its accession (GSE...), its title, the URLs of the files it has as a whole, its samples in order."""

    accession: str
    title: str
    files: tuple[str, ...]
    samples: tuple[Sample, ...]

    def sample_file_names(self) -> list[str]:
        """Names of the samples' files, in the samples' order: what the series' RAW.tar must hold."""
        return [file_name(url) for sample in self.samples for url in sample.files]


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
    """Where GEO keeps a series' family SOFT file."""
    return f"{folder(accession)}/soft/{accession}_family.soft.gz"


def supplement_path(accession: str, name: str) -> str:
    """Where GEO keeps a supplementary file of a series or a sample; the name is not quoted."""
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
        found = f"the series {gse.name}" if gse.name else "no series, perhaps a page of HTML"
        raise InputError(f"{path.name}: holds {found}, but {accession} was expected; fetch it again")
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
    """Sizes in bytes by file name, from the filelist.txt that GEO keeps beside a RAW.tar."""
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    if not lines or lines[0] != FILE_LIST_HEADER:
        raise InputError(f"{path.name}, line 1: the header must read {' '.join(FILE_LIST_HEADER)}; fetch it again")
    sizes: dict[str, int] = {}
    for number, fields in enumerate(lines[1:], start=2):
        if len(fields) != len(FILE_LIST_HEADER) or not re.fullmatch("[0-9]+", fields[3]):
            raise InputError(f"{path.name}, line {number}: five fields with the size as the fourth are expected")
        sizes[fields[1]] = int(fields[3])
    return sizes


def read_lines(path: Path) -> list[str]:
    """The lines of a gzipped text, read to its checksum; InputError where it is absent, damaged or empty."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError as error:
        raise InputError(f"{path.name}: there is no such file in {path.parent}; fetch it") from error
    except DAMAGED as error:
        raise InputError(f"{path.name}: the gzip is damaged ({error}); fetch it again") from error
    if not text.strip():
        raise InputError(f"{path.name}: the file is empty; fetch it again")
    return text.rstrip("\n").split("\n")


def _title(entry) -> str:
    return entry.metadata.get("title", [""])[0]


def _files(entry) -> tuple[str, ...]:
    """URLs under supplementary_file, supplementary_file_1, ...; NONE stands where there is no file."""
    urls = [url for key, urls in entry.metadata.items() if key.startswith("supplementary_file") for url in urls]
    return tuple(url for url in urls if url != "NONE")
