"""Files of other programs, known by their contents under whatever name, and the command that makes of them what is
read."""

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile

import anndata as ad
import h5py
import numpy as np
import pytest
from scipy.sparse import csr_matrix, save_npz

from tests.datasets.writers import COUNTS, annotated, read, write_folder
from zipo.commands import inputs
from zipo.shared.errors import InputError
from zipo.shared.wording import used_by


def write_tar(path, mode="w"):
    (path.parent / "member").write_text("x")
    with tarfile.open(path, mode) as archive:
        archive.add(path.parent / "member", "member")


def write_zip(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "x")


def write_hdf5(path, *names, **attributes):
    with h5py.File(path, "w") as file:
        for name in names:
            file.create_group(name)
        file.attrs.update(attributes)


def write_h5ad(path):
    annotated(csr_matrix(COUNTS)).write_h5ad(path)
    return path.read_bytes()


WRITERS = {
    "bz2": (lambda path: path.write_bytes(bz2.compress(b"x")), "unpack it first: bunzip2 PATH"),
    "xz": (lambda path: path.write_bytes(lzma.compress(b"x")), "unpack it first: unxz PATH"),
    "zstd": (lambda path: path.write_bytes(b"\x28\xb5\x2f\xfd12345"), "unpack it first: unzstd PATH"),
    "tar": (write_tar, "unpack it first: tar -xf PATH"),
    "tar.gz": (lambda path: write_tar(path, "w:gz"), "unpack it first: tar -xzf PATH"),
    "zip": (lambda path: write_zip(path, "a.csv"), "a zip archive with a.csv, not data; unpack it first: unzip PATH"),
    "xlsx": (
        lambda path: write_zip(path, "xl/workbook.xml", "a"),
        "an Excel workbook; save its sheet of counts",
    ),
    "npz": (lambda path: save_npz(path.open("wb"), csr_matrix(COUNTS)), "arrays of NumPy, which have no names"),
    "rds": (lambda path: path.write_bytes(gzip.compress(b"X\n\0\0\0\3...")), "in R, DropletUtils::write10xCounts"),
    "rda": (lambda path: path.write_bytes(b"RDX3\nX\n"), "in R, DropletUtils::write10xCounts"),
    "parquet": (lambda path: path.write_bytes(b"PAR1..."), "pandas.read_parquet('PATH').to_csv"),
    "page": (lambda path: path.write_text("\n<!DOCTYPE html>"), "this is a web page, not data"),
    "h5seurat": (lambda path: write_hdf5(path, "assays", "cell.names"), "SeuratDisk::Convert('PATH', dest = 'h5ad')"),
    "molecules": (lambda path: write_hdf5(path, "barcode_idx", "feature_idx"), "filtered_feature_bc_matrix.h5"),
    "h5mu": (
        lambda path: write_hdf5(path, "obs", "var", "mod/prot", "mod/rna", **{"encoding-type": "MuData"}),
        "the modalities prot, rna; .*: mudata.read('PATH')['rna'].write_h5ad('rna.h5ad')",
    ),
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("name", ["own.data", "own.h5ad", "own.csv"])
def test_kinds_are_known_by_their_contents(tmp_path, kind, name):
    write, problem = WRITERS[kind]
    path = tmp_path / name
    write(path)
    expected = re.escape(f"{path}: ") + ".*" + re.escape(problem.replace("PATH", str(path))).replace(r"\.\*", ".*")
    with pytest.raises(InputError, match=expected) as error:
        inputs.read(path)
    assert "\n" not in str(error.value)
    if name == "own.data":
        with pytest.raises(InputError, match=expected):
            read(path)


@pytest.mark.parametrize(
    ("name", "command"), [("own.h5ad.gz", "gunzip PATH"), ("own.h5ad", "gunzip -c PATH > unpacked.h5ad")]
)
def test_hdf5_within_gzip_is_to_be_unpacked(tmp_path, name, command):
    path = tmp_path / name
    path.write_bytes(gzip.compress(write_h5ad(tmp_path / "x.h5ad")))
    for reader in (inputs.read, read):
        with pytest.raises(InputError, match=re.escape(f"unpack it: {command.replace('PATH', str(path))}")):
            reader(path)


@pytest.mark.filterwarnings("ignore:Writing zarr")
def test_a_zarr_store_is_to_be_written_as_h5ad(tmp_path):
    annotated(csr_matrix(COUNTS)).write_zarr(tmp_path / "own.zarr")
    problem = rf"a zarr store.*: anndata\.read_zarr\('{tmp_path}/own\.zarr'\)\.write_h5ad\('own\.h5ad'\)"
    for reader in (inputs.read, read):
        with pytest.raises(InputError, match=problem):
            reader(tmp_path / "own.zarr")
    ad.read_zarr(tmp_path / "own.zarr").write_h5ad(tmp_path / "own.h5ad")
    np.testing.assert_array_equal(read(tmp_path / "own.h5ad").X.toarray(), COUNTS)


def test_folders_that_lead_to_a_matrix(tmp_path):
    write_folder(tmp_path / "filtered_feature_bc_matrix", "features.tsv", zipped=True)
    for reader in (inputs.read, read):
        with pytest.raises(InputError, match="but filtered_feature_bc_matrix in it has one; give that"):
            reader(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "cells_x_genes.mtx").touch()
    with pytest.raises(InputError, match=r"should cells_x_genes\.mtx be it, rename it"):
        inputs.read(tmp_path / "other")


@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("s3://bucket/own.h5ad", "aws s3 cp"),
        ("gs://bucket/own.h5ad", "gcloud storage cp"),
        ("https://host/a/own.h5ad", "curl -LO"),
        ("HTTP://host/own.csv", "curl -LO"),
    ],
)
def test_addresses_are_to_be_fetched(address, command):
    with used_by("command line"), pytest.raises(InputError) as error:
        inputs.read(inputs.Path(address))
    assert str(error.value) == (
        f"{address}: this is an address, but a file on this computer is needed; fetch it first, as by `{command}`"
    )


def test_what_may_not_be_read_is_told(tmp_path, monkeypatch):
    write_h5ad(tmp_path / "own.h5ad")

    def denied(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(inputs.Path, "open", denied)  # root may read all
    with pytest.raises(InputError, match=r"own\.h5ad: may not be read \(permission denied\)"):
        inputs.read(tmp_path / "own.h5ad")
    monkeypatch.setattr(inputs.Path, "iterdir", denied)
    with pytest.raises(InputError, match=r"may not be read \(permission denied\)"):
        inputs.read(tmp_path)
