"""Data sets of config/datasets.yaml: each a source of raw counts, with filters on cells and genes."""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from zipo.datasets import sources
from zipo.shared.section import Section

if TYPE_CHECKING:
    from zipo.datasets.source import Source as AnySource
else:
    AnySource = Annotated[reduce(or_, sources.discover()), Field(discriminator="kind")]


class Filters(Section):
    """Which cells and genes are kept; cells first, then genes."""

    min_counts: Annotated[int, Field(ge=0)] = 0
    """Counts a cell must have."""
    empty_cells: Literal["refuse", "keep"] = "refuse"
    """Cells without any counts: an error, or kept, as the paper keeps the empty wells of its plates."""
    min_genes: Annotated[int, Field(ge=0)] = 0
    """Genes that must be detected in a cell."""
    random_cells: Annotated[int, Field(ge=1)] | None = None
    """Keep this many of those cells, drawn at random, the same each time; all if absent or if they are no more."""
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
    source: AnySource
    """Where the raw counts come from."""
    filters: Filters = Filters()
    """Which cells and genes are kept."""
    markers: dict[str, list[str]] = {}
    """Known marker genes of cell types, by the names in the labels; the benchmark scores how each tells its type."""
    paper: PaperSize | None = None
    """What the paper's Table I says of this data set; other raw cell counts are then an error."""
