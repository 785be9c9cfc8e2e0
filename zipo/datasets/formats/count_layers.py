"""The matrices of a file or an AnnData that hold raw counts, for errors about a matrix that does not."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
from scipy.sparse import issparse

from zipo.datasets.counts import NotCounts
from zipo.datasets.formats.hdf5 import sparse_rows
from zipo.shared.errors import InputError
from zipo.shared.wording import setting, words

USUAL_NAMES = ("counts", "raw_counts", "raw", "umi", "umis", "spliced")  # of layers of counts, the best first


@contextmanager
def pointing_to_counts(layers: Callable[[], list[str]]) -> Iterator[None]:
    """Within the context, an error about values that are no counts also names the layers that hold counts.

    `layers` returns them as `layers_with_counts` does; it is called for such an error alone.
    """
    try:
        yield
    except NotCounts as error:
        if names := layers():
            raise InputError(f"{error}; {advice(names)}") from None
        raise


def advice(names: list[str]) -> str:
    """A sentence on the matrices that hold whole numbers, `names` with the best first, and how to use the best."""
    best = names[0]
    if best == "X":
        leave = words(python="leave layer out", command_line="leave --layer out", study="leave layer out")
        return f"its X holds whole numbers: {leave}"
    subject = (
        f"its layers {', '.join(names[:-1])} and {names[-1]} hold" if len(names) > 1 else f"its layer {best} holds"
    )
    in_python = f"adata.X = adata.layers[{best!r}], or layer={best!r} in zipo.pp.denoise"
    if best == "raw":
        subject, in_python = subject.replace("layer raw", "raw"), "adata = adata.raw.to_adata()"
    option = setting("layer", best)
    return f"{subject} whole numbers: {words(python=in_python, command_line=option, study=option)}"


def layers_with_counts(adata: ad.AnnData) -> list[str]:
    """Names of the layers that hold raw counts, usual names of counts first; "raw" for adata.raw.

    Layers of zeros and ones alone do not count.
    """
    names = [name for name, matrix in adata.layers.items() if holds_counts(matrix)]
    if adata.raw is not None and adata.raw.n_vars and "raw" not in names and holds_counts(adata.raw.X):
        names.append("raw")
    return _usual_first(names)


def layers_with_counts_in(path: Path) -> list[str]:
    """As `layers_with_counts`, for an .h5ad or .loom; "X" for its main matrix. Empty for a file that cannot be read."""
    with warnings.catch_warnings():  # of old formats and duplicate names
        warnings.simplefilter("ignore")
        try:
            with h5py.File(path, "r") as file:
                if "matrix" in file:  # a loom
                    layers = {"X": file["matrix"], **file.get("layers", {})}
                    return _usual_first([name for name, dataset in layers.items() if holds_counts(dataset)])
                has_x = "X" in file
            adata = ad.read_h5ad(path, backed="r")
            names = ["X"] if has_x and holds_counts(adata.X) else []
            names += layers_with_counts(adata)
            adata.file.close()
            return names
        except Exception:  # of what cannot be read nothing can be said
            return []


def _usual_first(names: list[str]) -> list[str]:
    """Names with those of USUAL_NAMES first; the others stay in their order."""
    return sorted(
        names, key=lambda name: USUAL_NAMES.index(name.lower()) if name.lower() in USUAL_NAMES else len(USUAL_NAMES)
    )


def holds_counts(matrix: Any) -> bool:
    """Whether a matrix, in memory or in a file, holds raw counts: whole numbers from 0, of which some exceed 1."""
    if isinstance(matrix, h5py.Dataset):
        matrix = sparse_rows(matrix)
    if hasattr(matrix, "to_memory"):
        matrix = matrix.to_memory()
    values = matrix.data if issparse(matrix) else np.asarray(matrix)
    if values.size == 0 or values.dtype.kind not in "iuf":
        return False
    with np.errstate(invalid="ignore"):
        return bool(values.min() >= 0 and 1 < values.max() < np.inf and (values == np.rint(values)).all())
