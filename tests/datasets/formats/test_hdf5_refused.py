"""Files of HDF5 (.h5ad, .loom, 10x .h5) that cannot be used are refused in one sentence that names the part."""

import errno
import subprocess
import sys
import warnings

import h5py
import numpy as np
import pytest
from scipy.sparse import csc_matrix, csr_matrix

from tests.datasets.writers import CELLS, COUNTS, GENES, annotated, read, refused, write_loom, write_v2, write_v3
from zipo.datasets.formats.hdf5 import not_opened


@pytest.mark.parametrize("lock", ["r+", "a"])
def test_a_file_that_another_program_has_open_is_not_damaged(tmp_path, lock):
    path = tmp_path / "own.h5ad"
    annotated(csr_matrix(COUNTS)).write_h5ad(path)
    program = f"import h5py; file = h5py.File({str(path)!r}, {lock!r}); print(flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        holder.stdout.readline()
        refused(path, r"a program, such as a notebook, has the file open; close it there .*HDF5_USE_FILE_LOCKING=FALSE")
    finally:
        holder.communicate("\n")
    np.testing.assert_array_equal(read(path).X.toarray(), COUNTS)


def test_a_file_that_was_not_closed_is_cleared_of_its_mark(tmp_path):
    path = tmp_path / "own.h5ad"
    program = f"import h5py, os; f = h5py.File({str(path)!r}, 'w', libver='latest'); f['x'] = 1; f.flush(); os._exit(0)"
    subprocess.run([sys.executable, "-c", program], check=True)
    refused(path, rf"or was killed while it had; .* h5clear -s {path}")


def test_locks_that_a_file_system_does_not_have(tmp_path):
    reason = "[Errno 37] Unable to synchronously open file (unable to lock file, errno = 37)"
    error = not_opened(OSError(errno.ENOLCK, reason), tmp_path)
    assert "its file system does not lock files (No locks available); set HDF5_USE_FILE_LOCKING=FALSE" in str(error)


def test_hdf5_of_another_kind_or_cut_short(tmp_path):
    write_v3(tmp_path / "own.h5")
    refused(tmp_path / "own.h5", r"no obs and var, so this is no \.h5ad; there are matrix", format="h5ad")
    refused(tmp_path / "own.h5", r"no row_attrs, so this is no \.loom; there are matrix", format="loom")
    annotated(csr_matrix(COUNTS)).write_h5ad(tmp_path / "own.h5ad")
    refused(tmp_path / "own.h5ad", "neither a group 'matrix' nor one of a genome.* there are X, ", format="10x_h5")
    content = (tmp_path / "own.h5").read_bytes()
    (tmp_path / "own.h5").write_bytes(content[: len(content) // 2])
    refused(tmp_path / "own.h5", r"damaged or incomplete .*truncated")
    (tmp_path / "own.h5").write_bytes(b"no HDF5")
    refused(tmp_path / "own.h5", "not an HDF5 file")


def test_layers_that_are_not_there(tmp_path):
    adata = annotated(csr_matrix(COUNTS))
    adata.layers["spliced"] = adata.layers["counts"] = csr_matrix(COUNTS)
    adata.write_h5ad(tmp_path / "own.h5ad")
    refused(tmp_path / "own.h5ad", "no layer 'raw'; there are counts, spliced", layer="raw")
    adata.raw, adata.X = adata, None
    adata.write_h5ad(tmp_path / "own.h5ad")
    refused(tmp_path / "own.h5ad", "no layer 'umi'; there are raw, counts, spliced", layer="umi")
    refused(tmp_path / "own.h5ad", "there is no X; name one of the layers: raw, counts, spliced")
    write_loom(tmp_path / "own.loom", h5py.string_dtype())
    refused(tmp_path / "own.loom", "no layer 'umi'; there are none", layer="umi")


def test_h5ad_whose_parts_do_not_fit(tmp_path):
    path = tmp_path / "own.h5ad"
    for change, problem in (
        (lambda x: x.attrs.__setitem__("shape", [6, 7]), "the matrix is 6 x 7, but there are 6 cells and 8 genes"),
        (lambda x: x["indices"].__setitem__(0, 99), "the matrix is damaged: indices must be < 8"),
    ):
        annotated(csr_matrix(COUNTS)).write_h5ad(path)
        with h5py.File(path, "a") as file:
            change(file["X"])
        refused(path, problem)


def test_loom_whose_parts_do_not_fit(tmp_path):
    path = tmp_path / "own.loom"
    for name, problem in (("Gene", "8 genes x 6 cells, but 7 genes and 6 cells"), ("gene", "has none of Gene, ")):
        write_loom(path, h5py.string_dtype())
        with h5py.File(path, "a") as file:
            del file["row_attrs/Gene"]
            file[f"row_attrs/{name}"] = GENES[:7]
        refused(path, problem)


NNZ = np.count_nonzero(COUNTS)


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"barcodes": CELLS[:5]}, "/matrix: the matrix is 8 genes x 6 cells, but 8 genes and 5 cells are named"),
        ({"indices": np.full(NNZ, 8)}, "/matrix: the matrix is damaged: indices must be < 8"),
        ({"indices": np.zeros(3, int)}, "/matrix: the matrix is damaged"),
        ({"data": np.ones(NNZ + 1, int)}, f"/matrix: {NNZ + 1} counts, but indptr ends otherwise"),
        ({"barcodes": CELLS[:1] * 6}, "cell 'AAACCTGAGA-1' occurs more than once"),
        ({"data": np.full(NNZ, -1)}, r"\(-1\) is negative"),
    ],
)
def test_10x_h5_whose_parts_do_not_fit(tmp_path, arrays, problem):
    write_v3(tmp_path / "own.h5", **arrays)
    refused(tmp_path / "own.h5", problem)


def test_10x_h5_without_a_part_or_without_genes(tmp_path):
    write_v3(tmp_path / "own.h5")
    with h5py.File(tmp_path / "own.h5", "a") as file:
        del file["matrix/features/id"]
    refused(tmp_path / "own.h5", "/matrix/features lacks id; there are feature_type, genome, name")
    write_v3(tmp_path / "own.h5", ["Antibody Capture"] * 8)
    refused(tmp_path / "own.h5", "no feature is of type 'Gene Expression'; there are Antibody Capture")
    write_v2(tmp_path / "own.h5", {"hg19": slice(0, 5), "mm10": slice(5, None)}, [CELLS, CELLS[::-1]])
    refused(tmp_path / "own.h5", "the genomes hg19, mm10 have different cells")


def test_a_layer_whose_name_has_a_slash(tmp_path):
    adata = annotated(csr_matrix(COUNTS))
    adata.layers["a/b"] = csr_matrix(COUNTS)
    with warnings.catch_warnings():  # which newer anndata warns of
        warnings.simplefilter("ignore")
        adata.write_h5ad(tmp_path / "own.h5ad")
    refused(tmp_path / "own.h5ad", r"anndata cannot read layers\['a/b'\], since a name may not have a '/'")


def test_csc_that_is_damaged_is_found_before_it_is_turned(tmp_path):
    annotated(csc_matrix(COUNTS)).write_h5ad(tmp_path / "own.h5ad")
    with h5py.File(tmp_path / "own.h5ad", "a") as file:
        file["X/indices"][0] = 6
    refused(tmp_path / "own.h5ad", "the matrix is damaged: indices must be < 6")
