"""Counts of proteins, measured on the same cells as the genes, out of an .h5ad that keeps them in obsm."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from anndata.io import read_elem

from zipo.datasets.counts import as_counts
from zipo.datasets.formats.hdf5 import open_hdf5
from zipo.shared.errors import InputError


def read_proteins(path: Path, matrix: str, names: str, cells: Sequence[str]) -> pd.DataFrame:
    """Counts of proteins (cells x proteins) from the matrix of this name in obsm, and their names from uns.

    Raises InputError for a file without them, and for what is no counts of these cells.
    """
    with open_hdf5(path) as file:
        for place in (f"obsm/{matrix}", f"uns/{names}"):
            if place not in file:
                group = place.split("/")[0]
                raise InputError(f"{path}: no {place}; in {group} there are {', '.join(file.get(group, ())) or 'none'}")
        with warnings.catch_warnings():  # of old formats, which are still read
            warnings.simplefilter("ignore")
            counts = read_elem(file[f"obsm/{matrix}"])
            proteins = [str(name) for name in np.ravel(read_elem(file[f"uns/{names}"]))]
    checked = as_counts(counts, cells, proteins, f"{path}: obsm/{matrix}")
    return pd.DataFrame(checked.toarray(), index=pd.Index(cells, dtype=str), columns=proteins)
