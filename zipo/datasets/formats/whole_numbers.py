"""Where a file or an AnnData has whole numbers, for whoever gave a matrix that holds none."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
from scipy.sparse import issparse

from zipo.datasets.counts import NotCounts
from zipo.datasets.formats.hdf5 import sparse_rows
from zipo.shared.errors import InputError
from zipo.shared.wording import setting, words

COMMON = ("counts", "raw_counts", "raw", "umi", "umis", "spliced")  # what people call their counts, best first


@contextmanager
def counts_elsewhere(whole: Callable[[], list[str]]) -> Iterator[None]:
    """Within the context a refusal of values that are no counts also says where there are some.

    `whole` gives names as `whole_layers` does; it is called on a refusal alone.
    """
    try:
        yield
    except NotCounts as error:
        if names := whole():
            raise InputError(f"{error}; {advice(names)}") from None
        raise


def advice(names: list[str]) -> str:
    """A sentence on which matrices of an AnnData hold whole numbers, best first, and how to take the best."""
    best = names[0]
    if best == "X":
        leave = words(python="leave layer out", command_line="leave --layer out", study="leave layer out")
        return f"its X holds whole numbers: {leave}"
    which = f"its layers {', '.join(names[:-1])} and {names[-1]} hold" if len(names) > 1 else f"its layer {best} holds"
    in_python = f"adata.X = adata.layers[{best!r}], or layer={best!r} in zipo.pp.denoise"
    if best == "raw":
        which, in_python = which.replace("layer raw", "raw"), "adata = adata.raw.to_adata()"
    option = setting("layer", best)
    return f"{which} whole numbers: {words(python=in_python, command_line=option, study=option)}"


def whole_layers(adata: ad.AnnData) -> list[str]:
    """The layers that hold whole numbers and not only zeros and ones, those called as counts usually are first.

    raw is among them by this name.
    """
    names = [name for name, matrix in adata.layers.items() if is_whole(matrix)]
    if adata.raw is not None and adata.raw.n_vars and "raw" not in names and is_whole(adata.raw.X):
        names.append("raw")
    return by_name(names)


def whole_layers_of(path: Path) -> list[str]:
    """The same of an .h5ad or .loom, whose X is among them by this name."""
    with warnings.catch_warnings():  # of old formats and duplicate names
        warnings.simplefilter("ignore")
        try:
            with h5py.File(path, "r") as file:
                if "matrix" in file:  # a loom
                    layers = {"X": file["matrix"], **file.get("layers", {})}
                    return by_name([name for name, dataset in layers.items() if is_whole(dataset)])
                has_x = "X" in file
            adata = ad.read_h5ad(path, backed="r")
            names = ["X"] if has_x and is_whole(adata.X) else []
            names += whole_layers(adata)
            adata.file.close()
            return names
        except Exception:  # of what cannot be read nothing can be said
            return []


def by_name(names: list[str]) -> list[str]:
    """Names in their order, but for those that counts usually have, which are first."""
    return sorted(names, key=lambda name: COMMON.index(name.lower()) if name.lower() in COMMON else len(COMMON))


def is_whole(matrix) -> bool:
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
