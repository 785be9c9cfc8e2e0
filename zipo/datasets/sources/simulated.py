"""Counts with a known truth, in the manner of Splatter (Zappia 2017, doi 10.1186/s13059-017-1305-0)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from zipo.datasets.source import Source

if TYPE_CHECKING:
    import anndata as ad


class SimulatedSource(Source):
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

    def size(self) -> tuple[int, int]:
        """Number of cells and genes."""
        return self.cells, self.genes

    def read(self, downloads: Path) -> tuple[ad.AnnData, dict[str, str]]:
        """The counts with their truth, which no file holds."""
        return simulate(self), {}


def simulate(source: SimulatedSource) -> ad.AnnData:
    """Draw counts: gamma gene means, log-normal libraries, cell types, biological variation, Poisson noise.

    layers["true_rates"] are the expected counts of each cell before zero inflation, the truth that a
    denoiser is after; layers["true_zero_probability"] the probability of loss, where inflation is on.
    """
    import anndata as ad
    import numpy as np
    import pandas as pd
    from scipy.sparse import csr_matrix
    from scipy.special import expit

    rng = np.random.default_rng(source.seed)
    base = rng.gamma(shape=0.6, scale=1.0, size=source.genes)
    shares = rng.dirichlet(np.full(source.cell_types, 3.0))
    types = rng.choice(source.cell_types, size=source.cells, p=shares)
    factors = np.ones((source.cell_types, source.genes))
    differs = rng.random(factors.shape) < source.differential_share
    factors[differs] = rng.lognormal(0.0, 0.8, size=int(differs.sum()))

    expression = (base * factors)[types]
    if source.dispersion:
        expression = rng.gamma(1 / source.dispersion, expression * source.dispersion)
    library = rng.lognormal(np.log(source.median_library), source.library_spread, size=(source.cells, 1))
    rates = library * expression / expression.sum(axis=1, keepdims=True)

    counts = rng.poisson(rates)
    layers = {"true_rates": rates.astype(np.float32)}
    if source.dropout_midpoint is not None:
        lost = expit(source.dropout_slope * (np.log(rates + 1e-12) - source.dropout_midpoint))
        counts = np.where(rng.random(rates.shape) < lost, 0, counts)
        layers["true_zero_probability"] = lost.astype(np.float32)

    cells = [f"cell-{i}" for i in range(source.cells)]
    genes = [f"gene-{j}" for j in range(source.genes)]
    obs = pd.DataFrame({"cell_type": pd.Categorical([f"type-{t}" for t in types])}, index=cells)
    return ad.AnnData(csr_matrix(counts.astype(np.float32)), obs=obs, var=pd.DataFrame(index=genes), layers=layers)
