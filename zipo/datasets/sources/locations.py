"""Where the raw counts of a source lie, or will lie once they are fetched. Light: planning a study needs it."""

from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from zipo.datasets.catalogue import FileSource, GeoSource, Source, SynapseSource, WheelSource


def folder_of(source: GeoSource | SynapseSource, downloads: Path) -> Path:
    """Folder of the files of a deposit."""
    return downloads / (source.accession if isinstance(source, GeoSource) else source.counts)


def path_of(source: FileSource, downloads: Path) -> Path:
    """Where the file is, or, for one behind a URL, will be among the downloads."""
    if source.path is not None:
        return Path(source.path)
    # the checksum keeps two files of one name apart
    return downloads / f"{str(source.sha256)[:12]}-{PurePosixPath(unquote(urlsplit(str(source.url)).path)).name}"


def inputs(source: Source, downloads: Path) -> list[Path]:
    """What must be there before the counts are read: files or, of a deposit, its manifest."""
    if isinstance(source, WheelSource):
        return [downloads / source.file_name]
    if isinstance(source, GeoSource | SynapseSource):
        return [folder_of(source, downloads) / "manifest.tsv"]
    if isinstance(source, FileSource):
        path = path_of(source, downloads)
        # a folder's own time says nothing of its files
        found = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
        return found + ([Path(source.labels)] if source.labels else [])
    return []
