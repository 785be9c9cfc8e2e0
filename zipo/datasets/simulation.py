"""Drawing counts whose truth is known.

The rates of a cell are its library size times the genes' shares of its expression. Expression is the mean of the
cell's state, times a gamma variable for each gene. A state is the cell's type, its place on a trajectory, the
activities of its gene programs, and its batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.special import expit

if TYPE_CHECKING:
    from zipo.datasets.sources.simulated import SimulatedSource

TAIL, TRAJECTORY, PROGRAMS, BATCHES = range(1, 5)
"""Streams of random numbers beside the seed's own, so that one option changes nothing else that is drawn."""


def simulate(source: SimulatedSource) -> ad.AnnData:
    """Draw counts: means of genes, types, states of cells, biological noise, log-normal libraries, Poisson noise.

    layers["true_rates"] are the expected counts of each cell before zero inflation, the truth that a denoiser is
    after. Gene programs, the trajectory and effects of batches are part of it. layers["true_zero_probability"] is the
    probability of loss where inflation is on, and uns["true_loss"] how it depends on the rates:
    expit(slope * (log rate - midpoint)).

    layers["true_state_rates"] are the rates that the cell's state alone would give, and var["true_dispersion"] the
    squared coefficient of variation of the rates around them. obs holds cell_type and, where they are simulated,
    pseudotime (0 at the root, 1 at the end of a branch) and batch; obsm["true_activities"] (cells, programs) and
    varm["true_loadings"] (genes, programs) are the programs.
    """
    rng = np.random.default_rng(source.seed)
    base = rng.gamma(shape=0.6, scale=1.0, size=source.genes)
    shares = _with_rare_type(rng.dirichlet(np.full(source.cell_types, 3.0)), source.rare_share)
    types = rng.choice(source.cell_types, size=source.cells, p=shares)
    factors = np.ones((source.cell_types, source.genes))
    differs = rng.random(factors.shape) < source.differential_share
    factors[differs] = rng.lognormal(0.0, 0.8, size=int(differs.sum()))

    obs = pd.DataFrame(
        {"cell_type": pd.Categorical([f"type-{t}" for t in types])}, index=[f"cell-{i}" for i in range(source.cells)]
    )
    obsm: dict[str, np.ndarray] = {}
    varm: dict[str, np.ndarray] = {}
    if source.tail_index is not None:
        base = base * (1 + _stream(source, TAIL).pareto(source.tail_index, source.genes))
    state = (base * factors)[types]
    if source.trajectory:
        pseudotime = _stream(source, TRAJECTORY).random(source.cells)
        state = base * factors[types] ** pseudotime[:, None]
        obs["pseudotime"] = pseudotime
    if source.programs:
        activities, loadings = _programs(source)
        state = state * np.exp(activities @ loadings.T - np.square(loadings).sum(axis=1) / 2)
        obsm["true_activities"], varm["true_loadings"] = activities, loadings
    if source.batches > 1:
        batches, effects = _batches(source)
        state = state * effects[batches]
        obs["batch"] = pd.Categorical([f"batch-{b}" for b in batches])

    expression = state
    if source.dispersion:
        expression = rng.gamma(1 / source.dispersion, state * source.dispersion)
    library = rng.lognormal(np.log(source.median_library), source.library_spread, size=(source.cells, 1))
    rates = library * expression / expression.sum(axis=1, keepdims=True)
    state_rates = library * state / state.sum(axis=1, keepdims=True)

    counts = rng.poisson(rates)
    layers = {"true_rates": rates.astype(np.float32), "true_state_rates": state_rates.astype(np.float32)}
    uns = {}
    if source.dropout_midpoint is not None:
        lost = expit(source.dropout_slope * (np.log(rates + 1e-12) - source.dropout_midpoint))
        counts = np.where(rng.random(rates.shape) < lost, 0, counts)
        layers["true_zero_probability"] = lost.astype(np.float32)
        uns["true_loss"] = {"midpoint": source.dropout_midpoint, "slope": source.dropout_slope}

    var = pd.DataFrame({"true_dispersion": source.dispersion}, index=[f"gene-{j}" for j in range(source.genes)])
    matrix = csr_matrix(counts.astype(np.float32))
    return ad.AnnData(matrix, obs=obs, var=var, obsm=obsm, varm=varm, uns=uns, layers=layers)


def _stream(source: SimulatedSource, number: int) -> np.random.Generator:
    """Random numbers of one option alone."""
    return np.random.default_rng([source.seed, number])


def _with_rare_type(shares: np.ndarray, rare_share: float | None) -> np.ndarray:
    """Shares of the types in which the last has the share given, and the others keep their proportions."""
    if rare_share is None or len(shares) == 1:
        return shares
    others = shares[:-1] / shares[:-1].sum()
    return np.append(others * (1 - rare_share), rare_share)


def _programs(source: SimulatedSource) -> tuple[np.ndarray, np.ndarray]:
    """Activities (cells, programs), standard normal, and loadings (genes, programs), normal where a program acts.

    A gene's log rate varies within a type by the sum of its squared loadings, and two genes vary together by the sum
    of the products of theirs.
    """
    rng = _stream(source, PROGRAMS)
    activities = rng.normal(size=(source.cells, source.programs))
    loadings = rng.normal(0.0, source.program_spread, size=(source.genes, source.programs))
    loadings[rng.random(loadings.shape) >= source.program_share] = 0.0
    return activities, loadings


def _batches(source: SimulatedSource) -> tuple[np.ndarray, np.ndarray]:
    """Each cell's batch, and the factor of each gene in each batch (batches, genes), log-normal with median one."""
    rng = _stream(source, BATCHES)
    batches = rng.integers(source.batches, size=source.cells)
    return batches, rng.lognormal(0.0, source.batch_spread, size=(source.batches, source.genes))
