"""Small counts in every storage, something in every place of an AnnData, and what each must be afterwards."""

import hashlib

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csc_array, csc_matrix, csr_array, csr_matrix, issparse

from tests.commands.conftest import zipo
from zipo import ZiPo
from zipo.presets import OBJECTIVE, sizes_for

__all__ = ["zipo"]

CELLS, GENES = 24, 10
# what ZiPo is given to be the model that its preset makes of the options
SMALL = OBJECTIVE | sizes_for(CELLS, GENES) | {"encoder": "4-2", "max_epochs": 1, "batch_size": 8}
OPTIONS = ("--set", "encoder=4-2", "--set", "batch_size=8", "--epochs", "1")
COUNTS = np.random.default_rng(4).poisson(1.5, (CELLS, GENES)).astype(np.float32)
COUNTS[:, 0] += 1
COUNTS[3, 4] = 200  # twice as much is more than 8 bits hold
NAMES = [f"cell-{i}" for i in range(CELLS)], [f"gene-{j}" for j in range(GENES)]


def index_types(matrix, indptr, indices):
    result = csr_matrix(matrix)
    result.indptr, result.indices = result.indptr.astype(indptr), result.indices.astype(indices)
    return result


def explicit_zeros(matrix):
    places = np.nonzero(np.ones_like(matrix))
    return csr_matrix((matrix[places], (places[0], places[1])), shape=matrix.shape)


def duplicates(matrix, dtype=np.float32):
    """Every count as two entries, in the order of no one."""
    rows, columns = np.nonzero(matrix)
    halves = np.floor(matrix[rows, columns] / 2)
    order = np.lexsort((np.random.default_rng(1).random(2 * len(rows)), np.tile(rows, 2)))
    data = np.concatenate([halves, matrix[rows, columns] - halves])[order].astype(dtype)
    starts = np.concatenate([[0], np.cumsum(2 * np.count_nonzero(matrix, axis=1))])
    return csr_matrix((data, np.tile(columns, 2)[order], starts), shape=matrix.shape)


def unsorted(matrix):
    result = csr_matrix(matrix)
    for begin, end in zip(result.indptr[:-1], result.indptr[1:], strict=True):
        result.data[begin:end], result.indices[begin:end] = (
            result.data[begin:end][::-1],
            result.indices[begin:end][::-1],
        )
    result.has_sorted_indices = False
    return result


def read_only(matrix):
    for array in (matrix,) if isinstance(matrix, np.ndarray) else (matrix.data, matrix.indices, matrix.indptr):
        array.flags.writeable = False
    return matrix


def stale(matrix):
    """Entries behind the last row, as some routines leave them."""
    result = csr_matrix(matrix)
    result.data, result.indices = (
        np.append(result.data, 7).astype(np.float32),
        np.append(result.indices, 1).astype("i4"),
    )
    return result


STORAGES = {
    "csr": csr_matrix,
    "csc": csc_matrix,
    "dense": np.array,
    "fortran": np.asfortranarray,
    "float64": lambda x: csr_matrix(x.astype(np.float64)),
    "float16": lambda x: x.astype(np.float16),
    "int64": lambda x: csr_matrix(x.astype(np.int64)),
    "uint8": lambda x: csr_matrix(x.astype(np.uint8)),
    "big endian": lambda x: x.astype(">f4"),
    "object": lambda x: x.astype(int).astype(object),
    "csr_array": csr_array,
    "csc_array": csc_array,
    "int64 indices": lambda x: index_types(x, np.int64, np.int64),
    "two index types": lambda x: index_types(x, np.int64, np.int32),
    "explicit zeros": explicit_zeros,
    "duplicates": duplicates,
    "duplicates of 8 bits": lambda x: duplicates(x, np.uint8),
    "unsorted": unsorted,
    "stale": stale,
    "read-only csr": lambda x: read_only(csr_matrix(x)),
    "read-only unsorted": lambda x: read_only(unsorted(x)),
    "read-only dense": lambda x: read_only(x.copy()),
}
IN_A_FILE = [
    name for name in STORAGES if name not in ("object", "float16", "stale", "big endian") and "read-only" not in name
]


def annotated(x=None, counts=COUNTS) -> ad.AnnData:
    """Counts with something in every place of an AnnData."""
    adata = ad.AnnData(
        csr_matrix(counts) if x is None else x,
        obs=pd.DataFrame({"cell_type": pd.Categorical(["a", "b"] * 12), "age": np.arange(24.0)}, index=NAMES[0]),
        var=pd.DataFrame({"length": np.arange(GENES)}, index=NAMES[1]),
        layers={"log": np.log1p(counts), "spliced": csr_matrix(counts * 2)},
        obsm={"X_pca": np.eye(CELLS, 3), "table": pd.DataFrame({"x": np.arange(24.0)}, index=NAMES[0])},
        varm={"PCs": np.eye(GENES, 3)},
        obsp={"connectivities": csr_matrix(np.eye(CELLS)), "distances": np.eye(CELLS)},
        varp={"alike": csr_matrix(np.eye(GENES))},
        uns={"source": {"name": "invented", "colours": np.array(["red", "blue"])}},
    )
    adata.obs["donor"] = ["x", "y", "z"] * 8
    adata.raw = ad.AnnData(csr_matrix(np.tile(counts, 2)), obs=adata.obs, var=pd.DataFrame(index=map(str, range(20))))
    return adata


def dense(matrix) -> np.ndarray:
    return matrix.toarray() if issparse(matrix) else np.asarray(matrix)


def state(value) -> object:
    """All bytes of an AnnData, or of a part of it, with their types."""
    if isinstance(value, ad.AnnData):
        groups = ("layers", "obsm", "varm", "obsp", "varp", "uns")
        parts = {"X": value.X, "obs": value.obs, "var": value.var, **{name: getattr(value, name) for name in groups}}
        if value.raw is not None:
            parts["raw"] = {"X": value.raw.X, "var": value.raw.var, "varm": value.raw.varm}
        return {name: state(part) for name, part in parts.items()}
    if issparse(value):
        return type(value), state(value.data), state(value.indices), state(value.indptr)
    if isinstance(value, pd.DataFrame):
        return list(value.columns), list(map(str, value.dtypes)), value.to_csv()
    if isinstance(value, np.ndarray):
        contents = str(value.tolist()) if value.dtype == object else value.tobytes(order="A")
        return str(value.dtype), value.shape, value.strides, contents
    return {name: state(part) for name, part in value.items()} if hasattr(value, "items") else value


def digest(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="session")
def model() -> ZiPo:
    """A model of the counts; read only."""
    torch.set_num_threads(1)  # as in the tests, which come later
    return ZiPo(seed=1, device="cpu", **SMALL).fit(annotated())


@pytest.fixture(scope="session")
def expected(model) -> dict[str, np.ndarray]:
    """What the model says of the counts."""
    plain = annotated()
    return {"denoised": model.denoise(plain), "latent": model.latent(plain), "library": model.library_size(plain)}
