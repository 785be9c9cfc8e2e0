"""Table of the library sizes of cells and the totals of genes of the data sets after filters (figure 2)."""

from pathlib import Path

import numpy as np
import pandas as pd

from zipo.datasets.prepared import read, read_pedigree


def totals(files: list[Path]) -> pd.DataFrame:
    """A row per cell and per gene of each data set: dataset, of ("cell" or "gene"), total in counts."""
    parts = []
    for file in files:
        counts = read(file).X
        for kind, axis in (("cell", 1), ("gene", 0)):
            total = np.asarray(counts.sum(axis=axis)).ravel()
            parts.append(pd.DataFrame({"dataset": read_pedigree(file)["id"], "of": kind, "total": total}))
    return pd.concat(parts, ignore_index=True)
