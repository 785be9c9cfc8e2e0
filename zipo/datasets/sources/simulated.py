"""Counts with a known truth, in the manner of Splatter (Zappia 2017, doi 10.1186/s13059-017-1305-0)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from zipo.datasets.source import Source

if TYPE_CHECKING:
    import anndata as ad


class SimulatedSource(Source):
    """Counts drawn from a known truth; see zipo/datasets/simulation.py."""

    kind: Literal["simulated"]
    """Drawn, not measured."""
    cells: Annotated[int, Field(ge=2)] = 2000
    """Number of cells."""
    genes: Annotated[int, Field(ge=2)] = 1000
    """Number of genes."""
    cell_types: Annotated[int, Field(ge=1)] = 5
    """Number of cell types, of unequal sizes."""
    rare_share: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Expected share of the cells that are of the last type; as it is drawn, if absent."""
    differential_share: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Share of the genes whose mean differs in a cell type."""
    tail_index: Annotated[float, Field(gt=1)] | None = None
    """Index of the Pareto tail of the genes' means; they are gamma, without a heavy tail, if absent."""
    trajectory: bool = False
    """Whether cells lie anywhere between a common root and their type, which is the end of a branch."""
    programs: Annotated[int, Field(ge=0)] = 0
    """Number of gene programs, each with an activity that varies from cell to cell within all types."""
    program_share: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Share of the genes that a program acts on."""
    program_spread: Annotated[float, Field(ge=0)] = 0.5
    """Standard deviation of the programs' loadings: of a gene's log rate by one unit of a program's activity."""
    batches: Annotated[int, Field(ge=1)] = 1
    """Number of batches, of equal expected sizes."""
    batch_spread: Annotated[float, Field(ge=0)] = 0.3
    """Standard deviation of the logarithm of a gene's factor in a batch."""
    dispersion: Annotated[float, Field(ge=0)] = 0.1
    """Squared coefficient of variation of a gene among cells that are alike; 0 leaves Poisson noise alone."""
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

    has_truth: ClassVar[bool] = True

    def size(self) -> tuple[int, int]:
        """Number of cells and genes."""
        return self.cells, self.genes

    def read(self, downloads: Path) -> tuple[ad.AnnData, dict[str, str]]:
        """The counts with their truth, which no file holds."""
        from zipo.datasets.simulation import simulate

        return simulate(self), {}
