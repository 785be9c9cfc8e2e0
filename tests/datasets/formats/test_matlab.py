"""Variables of .mat files that scipy writes: matrices, logarithms of counts, text."""

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix

from tests.datasets.writers import COUNTS
from zipo.datasets.formats.matlab import read_matrix, read_text
from zipo.shared.errors import InputError


@pytest.fixture
def saved(tmp_path):
    """A function that writes variables into a .mat and gives its path."""

    def save(**variables):
        savemat(tmp_path / "toy.mat", variables)
        return tmp_path / "toy.mat"

    return save


def test_sparse_matrices_and_sparse_logarithms(saved):
    path = saved(counts=csc_matrix(COUNTS.astype(float)), logs=csc_matrix(np.log1p(COUNTS)))
    np.testing.assert_array_equal(read_matrix(path, "counts").toarray(), COUNTS)
    np.testing.assert_array_equal(read_matrix(path, "logs", log1p=True).toarray(), COUNTS)


def test_logarithms_in_single_precision(saved):
    counts = np.arange(10_000)[None]
    path = saved(logs=np.log1p(counts).astype(np.float32))
    np.testing.assert_array_equal(read_matrix(path, "logs", log1p=True), counts)


def test_the_first_column_of_text_or_numbers(saved):
    names = np.array([["B", "b1"], ["CD4 T", "t1"], ["", "t2"]], object)
    path = saved(names=names, row=np.array([["x", "y"]], object), codes=[[2.0], [10.0]], halves=[[1.5]])
    assert read_text(path, "names") == ["B", "CD4 T", ""]
    assert read_text(path, "row") == ["x", "y"]
    assert read_text(path, "codes") == ["2", "10"]
    assert read_text(path, "halves") == ["1.5"]


def test_other_variables_are_refused(saved):
    cells = np.array([[np.arange(3)], [np.arange(2)]], object)
    path = saved(text="abc", cells=cells, nothing=np.zeros((0, 0)), bad=[[np.nan, 0.0]], cube=np.zeros((2, 2, 2)))
    for name in ("text", "cells", "cube"):
        with pytest.raises(InputError, match=f"variable '{name}' is no matrix of numbers, but counts were expected"):
            read_matrix(path, name)
    with pytest.raises(InputError, match="variable 'cells' holds something else than names in its first column"):
        read_text(path, "cells")
    with pytest.raises(InputError, match="variable 'nothing' is no column of names or numbers"):
        read_text(path, "nothing")
    with pytest.raises(InputError, match="variable 'bad' has the value nan, so it holds no logarithms of counts"):
        read_matrix(path, "bad", log1p=True)


def test_files_that_are_no_mat_that_is_read(tmp_path):
    path = tmp_path / "toy.mat"
    path.write_text("a table, in spite of its name, long enough for the header of a .mat" * 3)
    with pytest.raises(InputError, match=r"toy\.mat: no \.mat that can be read"):
        read_matrix(path, "m")
    with h5py.File(path, "w", userblock_size=512) as file:
        file["m"] = COUNTS
    with path.open("r+b") as raw:  # the header of version 7.3
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    with pytest.raises(InputError, match=r"toy\.mat: a \.mat of version 7\.3, .* save\('counts\.mat', 'm', '-v7'\)"):
        read_matrix(path, "m")
