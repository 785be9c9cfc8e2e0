"""Writes simulated counts to an .h5ad a chunk at a time, so that the file may be larger than memory.

    python benchmarks/scaling_simulation.py CELLS FILE.h5ad

The cells of a type lie together, as those of a sample do in most files: batches of neighbours would be no random
samples. Types differ by log-normal factors on the genes; gene means and library sizes are those of shapes.py.
"""

import sys
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from shapes import GENE_SPREAD, LIBRARY_SPREAD, scale_for

GENES = 2000
DENSITY = 0.1
TYPES = 20
TYPE_SPREAD = 0.7  # standard deviation of the types' log factors
CHUNK = 5000  # cells drawn at once


def simulate(cells: int, target: Path, seed: int = 1) -> None:
    """Write cells x GENES counts, CSR float32, of about that DENSITY, with obs["cell_type"]."""
    rng = np.random.default_rng(seed)
    profiles = rng.lognormal(0, GENE_SPREAD, GENES) * rng.lognormal(0, TYPE_SPREAD, (TYPES, GENES))
    profiles *= scale_for(DENSITY, profiles, rng.lognormal(0, LIBRARY_SPREAD, (TYPES, 1)))
    types = np.arange(cells) * TYPES // cells
    with h5py.File(target, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        for begin in range(0, cells, CHUNK):
            rates = profiles[types[begin : begin + CHUNK]]
            rates *= rng.lognormal(0, LIBRARY_SPREAD, (len(rates), 1))
            chunk = csr_matrix(rng.poisson(rates).astype(np.float32))
            if begin:
                ad.io.sparse_dataset(file["X"]).append(chunk)
            else:
                ad.io.write_elem(file, "X", chunk)
        names = pd.Index([f"cell-{cell}" for cell in range(cells)])
        labels = pd.Categorical.from_codes(types, [f"type-{t}" for t in range(TYPES)])
        ad.io.write_elem(file, "obs", pd.DataFrame({"cell_type": labels}, index=names))
        ad.io.write_elem(file, "var", pd.DataFrame(index=[f"gene-{gene}" for gene in range(GENES)]))


if __name__ == "__main__":
    simulate(int(sys.argv[1]), Path(sys.argv[2]))
