"""Variables of MATLAB's .mat files: matrices of counts or of their logarithms, and text such as labels."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat, whosmat
from scipy.sparse import issparse, spmatrix

from zipo.shared.errors import InputError

LARGEST_ROUNDING = 0.01  # counts up to 10,000 recovered from logarithms in float32 lie nearer to whole numbers
LARGEST_LOGARITHM = 50.0  # exp(50) molecules are in no cell


def read_matrix(path: Path, variable: str, *, log1p: bool = False) -> np.ndarray | spmatrix:
    """A matrix of numbers, dense or sparse as it is stored; with `log1p` the counts whose log(1 + count) it holds.

    Raises InputError for a file without the variable, for one that is no matrix of numbers, and with `log1p` for
    values that are no logarithms of whole numbers.
    """
    matrix = _variable(path, variable)
    if matrix.ndim != 2 or matrix.dtype.kind not in "biuf":
        raise InputError(f"{path}: variable {variable!r} is no matrix of numbers, but counts were expected")
    if not log1p:
        return matrix
    if not issparse(matrix):
        return _counts_of(matrix, path, variable)
    matrix.data = _counts_of(matrix.data, path, variable)
    return matrix


def read_text(path: Path, variable: str) -> list[str]:
    """The first column of a variable as text, such as labels: a cell array of strings, or numbers, of which 2.0 is "2".

    Raises InputError for a file without the variable, and for a variable of another kind.
    """
    values = _variable(path, variable)
    if issparse(values) or values.ndim != 2 or not values.size:
        raise InputError(f"{path}: variable {variable!r} is no column of names or numbers")
    column = values.ravel() if 1 in values.shape else values[:, 0]
    if column.dtype.kind in "biuf":
        return [f"{value:g}" for value in column]
    texts = [np.asarray(value).ravel() for value in column]
    if any(text.size > 1 or text.dtype.kind not in "US" for text in texts if text.size):
        raise InputError(f"{path}: variable {variable!r} holds something else than names in its first column")
    return ["".join(text) for text in texts]


def _variable(path: Path, name: str) -> Any:
    """A variable as scipy loads it; InputError if the file is no .mat or has no such variable."""
    try:
        known = [variable for variable, *_ in whosmat(path)]
        if name in known:
            return loadmat(path, variable_names=[name])[name]
    except NotImplementedError:
        raise InputError(
            f"{path}: a .mat of version 7.3, which is not read; in MATLAB, save('counts.mat', '{name}', '-v7')"
        ) from None
    except Exception as error:  # scipy raises many kinds for what is no .mat
        raise InputError(f"{path}: no .mat that can be read ({error}); fetch it again") from None
    raise InputError(f"{path}: there is no variable {name!r}; there are {', '.join(known) or 'none'}")


def _counts_of(values: np.ndarray, path: Path, variable: str) -> np.ndarray:
    """The whole numbers whose log(1 + count) the values are; InputError if they are not."""
    logarithms = values.astype(np.float64)
    bad = ~(np.abs(logarithms) < LARGEST_LOGARITHM)  # NaN too
    if bad.any():
        raise InputError(
            f"{path}: variable {variable!r} has the value {logarithms[bad][0]:g}, so it holds no logarithms of counts; "
            "leave log1p out, or give another variable"
        )
    recovered = np.expm1(logarithms)
    counts = np.rint(recovered)
    far = np.abs(recovered - counts) > LARGEST_ROUNDING
    if far.any():
        raise InputError(
            f"{path}: variable {variable!r} has the value {logarithms[far][0]:g}, the log1p of {recovered[far][0]:g}, "
            "but log1p of whole numbers was expected, not of normalised counts; leave log1p out, or give other counts"
        )
    return counts
