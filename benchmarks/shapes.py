"""Sizes of data and network at which engines are timed, and random counts of those sizes."""

import sys
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import csr_matrix, save_npz, vstack

GENE_SPREAD = 2.0  # standard deviation of the genes' log means; 1.9 in Baron's pancreas
LIBRARY_SPREAD = 0.4  # the same of the cells' library sizes


@dataclass(frozen=True)
class Shape:
    """A data set's size with the network and the batches that the study gives it."""

    cells: int
    """Cells to draw; no more than a few rounds of steps need."""
    genes: int
    density: float
    """Share of the entries that are not zero."""
    encoder: str
    batch_size: int


PAPER_ENCODER = "2048-1024-512-256-128"
SHAPES = {
    "demo": Shape(1743, 1000, 0.174, "256-128-64-32-16", 64),
    "liver": Shape(2048, 19_536, 0.09, PAPER_ENCODER, 256),
    "myeloma": Shape(2048, 27_992, 0.0194, PAPER_ENCODER, 256),
}


def draw_counts(shape: Shape, seed: int = 1) -> csr_matrix:
    """Poisson counts, float32 (cells, genes), of the shape's density.

    Gene means and library sizes are log-normal: sparse kernels gain or lose by how unevenly the non-zero counts
    lie over the genes.
    """
    rng = np.random.default_rng(seed)
    genes = rng.lognormal(0, GENE_SPREAD, shape.genes)
    libraries = rng.lognormal(0, LIBRARY_SPREAD, (shape.cells, 1))

    genes *= scale_for(shape.density, genes, libraries[:200])
    return vstack([_poisson(rng, part * genes) for part in np.array_split(libraries, 20)], format="csr")


def scale_for(density: float, profiles: np.ndarray, libraries: np.ndarray) -> float:
    """The factor on libraries times profiles at which Poisson counts have that share of entries above zero."""

    def excess(log_scale: float) -> float:
        return float(-np.expm1(-np.exp(log_scale) * profiles * libraries).mean()) - density

    return float(np.exp(brentq(excess, -30, 10)))


def _poisson(rng: np.random.Generator, rates: np.ndarray) -> csr_matrix:
    return csr_matrix(rng.poisson(rates).astype(np.float32))


if __name__ == "__main__":  # shapes.py SHAPE FILE.npz
    save_npz(sys.argv[2], draw_counts(SHAPES[sys.argv[1]]), compressed=False)
