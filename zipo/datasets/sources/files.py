"""Counts of your own, or behind a URL, in any of the usual formats, as one entry in config/datasets.yaml."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import model_validator

from zipo.datasets.formats.suffixes import SUFFIXES, FileFormat, format_by_suffix
from zipo.datasets.source import Fetching, Sha256, Source
from zipo.shared.errors import InputError
from zipo.shared.section import Form

if TYPE_CHECKING:
    import anndata as ad


class FileSource(Source):
    """Counts in a file or folder of your own, or in a file behind a URL; see zipo/datasets/sources/files.py."""

    kind: Literal["file"]
    """A file of your own, or one behind a URL."""
    path: str | None = None
    """The file, or the folder of a 10x matrix, relative to where the study runs; this or url."""
    url: (
        Annotated[str, Form("https?://[^/]+/.*[^/]", "the address of a file, such as https://host/counts.h5ad")] | None
    ) = None
    """Where to fetch the file; this or path."""
    sha256: Sha256 | None = None
    """Checksum of the file, required with url."""
    format: Literal["auto"] | FileFormat = "auto"
    """Format; auto goes by the suffix (.h5ad, .h5, .loom; .csv, .tsv, .txt, also with .gz; a folder is 10x_mtx)."""
    genes_in: Literal["rows", "columns"] | None = None
    """Where a table (.csv, .tsv, .txt) has its genes, required there; the first column and the first row are names."""
    layer: str | None = None
    """Which counts of an .h5ad (raw, or a layer by name) or .loom (a layer by name); its main matrix if absent."""
    labels: str | None = None
    """Comma- or tab-separated table whose first column names the cells and whose others are named below."""
    cell_type: str | None = None
    """Column of the labels, or else of the file itself, that holds the cell type."""
    batch: str | None = None
    """Column that holds the batch."""
    covariates: list[str] = []
    """Columns of covariates to keep under their own names."""

    @property
    def known_format(self) -> FileFormat | None:
        """The format as named or by suffix; None where only a look at the path can tell."""
        if self.format != "auto":
            return self.format
        return format_by_suffix(PurePosixPath(self.path or unquote(urlsplit(self.url or "").path)))

    @property
    def columns(self) -> list[str]:
        """Every column of cells that the source names, each once."""
        named = [self.cell_type, self.batch, *self.covariates]
        return list(dict.fromkeys(name for name in named if name is not None))

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("give either path or url, and not both")
        if self.path is not None and "://" in self.path:
            raise ValueError(f"path is a file on disk; give {self.path} as url, with its sha256, or fetch it first")
        if self.url is not None and self.sha256 is None:
            raise ValueError("a url needs the sha256 of its file")
        if self.url is not None and self.known_format in (None, "10x_mtx"):
            known = ", ".join(SUFFIXES)
            raise ValueError(f"the url's suffix must be one of {known} (.gz for tables), or format must be given")
        if self.known_format == "table" and self.genes_in is None:
            raise ValueError("a table needs genes_in: rows or genes_in: columns")
        if self.known_format not in (None, "table") and self.genes_in is not None:
            raise ValueError(f"genes_in is for tables; {self.known_format} says itself where its genes are")
        if self.known_format not in (None, "h5ad", "loom") and self.layer is not None:
            raise ValueError(f"layer is for h5ad and loom; {self.known_format} has no layers")
        for name in (self.path, self.labels, unquote(urlsplit(self.url or "").path)):
            if name and re.search(r"\{.*\}", name):
                raise ValueError(f"{name} will not do, as Snakemake fills in what stands in braces; rename the file")
        if self.labels is not None and not self.columns:
            raise ValueError("labels needs the columns to take from it: cell_type, batch or covariates")
        if {"cell_type", "batch"} & set(self.covariates):
            raise ValueError("a covariate may not be called cell_type or batch; use the keys of these names")
        return self

    def download(self, downloads: Path) -> Path | None:
        """The file behind the URL; none for one of your own."""
        if self.url is None:
            return None
        # the checksum keeps two files of one name apart
        return downloads / f"{str(self.sha256)[:12]}-{PurePosixPath(unquote(urlsplit(self.url).path)).name}"

    def location(self, downloads: Path) -> Path:
        """The file or folder of the counts."""
        return self.download(downloads) or Path(str(self.path))

    def inputs(self, downloads: Path) -> list[Path]:
        """The files of the counts, each one of a folder, and the table of labels."""
        path = self.location(downloads)
        # a folder's own time does not change with its files
        counts = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
        return counts + ([Path(self.labels)] if self.labels else [])

    def fetch(self, target: Path, fetching: Fetching) -> None:
        """Download the file behind the URL; one with another checksum is removed, and an InputError."""
        from zipo.datasets.transfer.fetch import Patience, fetch
        from zipo.datasets.transfer.integrity import check_sha256

        fetch(str(self.url), target, patience=Patience(connections=fetching.connections))
        try:
            check_sha256(target, str(self.sha256), str(self.url))
        except InputError:
            target.unlink()
            raise

    def read(self, downloads: Path) -> tuple[ad.AnnData, dict[str, str]]:
        """The counts with the cell_type, batch and covariates that the source names, and the files' checksums."""
        from zipo.datasets.transfer.integrity import sha256_of

        path = self.location(downloads)
        return read_file(path, self), {file.name: sha256_of(file) for file in files_of(path, self)}


def read_file(path: Path, source: FileSource) -> ad.AnnData:
    """The counts of a file or folder as CSR, with the source's cell_type, batch and covariates in obs.

    Otherwise as `zipo.datasets.formats.reading.read_counts`.
    """
    from zipo.datasets.formats.labels import choose_columns, read_labels
    from zipo.datasets.formats.reading import read_counts
    from zipo.shared.wording import used_by

    with used_by("study"):
        _check_checksum(path, source)
        adata = read_counts(
            path,
            source.known_format,
            layer=source.layer,
            genes_in=source.genes_in,
            cell_columns=source.columns if source.labels is None else (),
        )
        place, table = str(path), adata.obs
        if source.labels is not None:
            place, table = source.labels, read_labels(Path(source.labels), adata.obs_names)
        adata.obs = choose_columns(
            table,
            adata.obs_names,
            place,
            cell_type=source.cell_type,
            batch=source.batch,
            covariates=source.covariates,
        )
    return adata


def files_of(path: Path, source: FileSource) -> list[Path]:
    """Every file that `read_file` reads."""
    from zipo.datasets.formats.tenx import parts

    counts = list(parts(path)) if path.is_dir() else [path]
    return counts + ([Path(source.labels)] if source.labels else [])


def _check_checksum(path: Path, source: FileSource) -> None:
    """Raise InputError where the source has a checksum, and the path is a folder or a file with another one."""
    from zipo.datasets.formats.foreign import refuse_unreadable
    from zipo.datasets.transfer.integrity import check_sha256

    if source.sha256 is None:
        return
    if path.is_dir():
        raise InputError(f"{path}: sha256 is the checksum of one file, but this is a folder; leave it out")
    refuse_unreadable(path)
    check_sha256(path, source.sha256, str(path))
