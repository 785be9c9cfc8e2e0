"""Known counts, and their files in every format as other libraries write them or specifications describe them."""

import gzip
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import io
from scipy.sparse import coo_matrix, csc_matrix

from zipo.datasets.sources import files
from zipo.datasets.sources.files import FileSource
from zipo.shared.errors import InputError

PAGE = b"\n<!DOCTYPE html>\n<html><body>Not found</body></html>"
COUNTS = np.random.default_rng(5).poisson(0.7, size=(6, 8))
COUNTS[2, 3] = 70_000  # more than 16 bits
COUNTS[:, 7] = 0
CELLS = ["AAACCTGAGA-1", "AAACCTGAGC-1", "AAACCTGAGG-1", "AAACCTGAGT-1", "AAACCTGCAA-1", "AAACCTGCAC-1"]
GENES = ["B", "A", "NA", "TBCE", "HLA-A", "TBCE", "1", "MT-ND1"]
IDS = [f"ENSG{j:011d}" for j in range(8)]
UNIQUE = ["B", "A", "NA", "TBCE_ENSG00000000003", "HLA-A", "TBCE_ENSG00000000005", "1", "MT-ND1"]
OBS = pd.DataFrame(
    {"type": ["beta", "alpha", None, "beta", "alpha", "beta"], "donor": [3, 3, 1, 1, 2, 2], "age": np.arange(6) / 2},
    index=CELLS,
)
ABOUT = {"cell_type": "type", "batch": "donor", "covariates": ["age"]}


def read(path, **fields) -> ad.AnnData:
    return files.read_file(path, FileSource(kind="file", path=str(path), **fields))


def refused(path: Path, problem: str, **fields: Any) -> None:
    """Assert that reading ends in one line that begins with the path and matches `problem`."""
    with pytest.raises(InputError, match=problem) as error:
        read(path, **fields)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def annotated(x) -> ad.AnnData:
    names = pd.DataFrame({"gene_ids": IDS}, index=UNIQUE)
    return ad.AnnData(x, obs=OBS.copy(), var=names)


def write_group(group, counts=COUNTS, **names) -> None:
    """A matrix as Cell Ranger writes it: genes x cells, column by column."""
    stored = csc_matrix(counts.T)
    arrays = {"data": stored.data.astype(np.int32), "indices": stored.indices.astype(np.int64)}
    arrays |= {"indptr": stored.indptr.astype(np.int64), "shape": np.array(stored.shape, np.int32)}
    for name, value in (arrays | names).items():
        group[name] = np.array(value, "S") if isinstance(value, list) else value


def write_v3(path, types=None, **arrays) -> None:
    types = types or ["Gene Expression"] * len(IDS)
    with h5py.File(path, "w") as file:
        features = {"id": IDS, "name": GENES, "feature_type": types, "genome": ["GRCh38"] * len(IDS)}
        group = file.create_group("matrix")
        write_group(group, **({"barcodes": CELLS} | arrays))
        write_features = group.create_group("features")
        for name, value in features.items():
            write_features[name] = np.array(value, "S")


def write_v2(path, genomes: dict[str, slice], cells=None) -> None:
    with h5py.File(path, "w") as file:
        for number, (genome, part) in enumerate(genomes.items()):
            names = {"barcodes": cells[number] if cells else CELLS, "genes": IDS[part], "gene_names": GENES[part]}
            write_group(file.create_group(genome), COUNTS[:, part], **names)


def write_folder(folder, features: str, zipped: bool, types=None, prefix=""):
    folder.mkdir()
    table = pd.DataFrame({"id": IDS, "name": GENES} | ({"type": types} if types else {}))
    with open(folder / f"{prefix}matrix.mtx", "wb") as file:
        io.mmwrite(file, coo_matrix(COUNTS.T), comment="written by scipy")
    options = {"sep": "\t", "header": False, "index": False}
    table.to_csv(folder / f"{prefix}{features}", **options)
    pd.Series(CELLS).to_csv(folder / f"{prefix}barcodes.tsv", **options)
    for path in list(folder.iterdir()) if zipped else []:
        with gzip.open(f"{path}.gz", "wb") as file:
            file.write(path.read_bytes())
        path.unlink()
    return folder


def write_loom(path, string, layers=(), **columns) -> None:
    """By the format's specification 3: genes x cells, attributes of rows and columns beside it."""
    with h5py.File(path, "w") as file:
        file.attrs["LOOM_SPEC_VERSION"] = "3.0.0"
        options = {"dtype": np.int32, "chunks": (2, 3), "compression": "gzip"}
        file.create_dataset("matrix", data=COUNTS.T if not layers else np.zeros_like(COUNTS.T), **options)
        for name in layers:
            file.create_dataset(f"layers/{name}", data=COUNTS.T, **options)
        for name, values in {"row_attrs/Gene": GENES, "row_attrs/Accession": IDS, "col_attrs/CellID": CELLS}.items():
            file.create_dataset(name, data=np.array(values, string))
        for name, values in columns.items():
            file[f"col_attrs/{name}"] = values
        file["col_attrs/embedding"] = np.zeros((6, 2))
        file.create_group("row_graphs")
        file.create_group("col_graphs")
