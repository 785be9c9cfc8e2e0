"""Bad counts are refused by one sentence that names the place."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from zipo.datasets.counts import as_counts, check_cells_and_genes
from zipo.shared.errors import InputError
from zipo.shared.wording import used_by

CELLS, GENES = ["c1", "c2"], ["g1", "g2", "g3"]


def check(matrix, cells=CELLS, genes=GENES):
    return as_counts(np.asarray(matrix, dtype=float), cells, genes, "file.csv")


def test_counts_come_back_as_sparse_floats():
    counts = check([[0, 2, 1], [3, 0, 0]])
    assert counts.dtype == np.float32
    assert counts.nnz == 3
    np.testing.assert_array_equal(counts.toarray(), [[0, 2, 1], [3, 0, 0]])


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (-1, "is negative"),
        (np.nan, r"is not a number \(NaN\)"),
        (np.inf, "is infinite"),
        (1.5, "is not a whole number"),
    ],
)
def test_bad_values_are_named_with_their_place(value, problem):
    with pytest.raises(InputError, match=rf"^file\.csv: the count of gene 'g3' in cell 'c2' .*{problem}"):
        check([[4, 2, 1], [3, 0, value]])


def test_normalised_data_are_recognised():
    with pytest.raises(InputError, match="look normalised or log-transformed already; raw counts are needed"):
        check(np.log1p([[5, 2, 1], [3, 0, 1]]))


def test_duplicate_genes_and_cells_are_named():
    with pytest.raises(InputError, match=r"file\.csv: gene 'g1' occurs more than once"):
        check([[0, 2, 1], [3, 0, 0]], genes=["g1", "g2", "g1"])
    with pytest.raises(InputError, match=r"file\.csv: cell 'c1' occurs more than once"):
        check([[0, 2, 1], [3, 0, 0]], cells=["c1", "c1"])


def test_names_must_match_the_shape():
    with pytest.raises(InputError, match="the matrix is 2 x 3, but there are 3 cells and 3 genes"):
        check([[0, 2, 1], [3, 0, 0]], cells=["a", "b", "c"])


def test_stored_duplicates_of_a_sparse_matrix_are_added_up():
    matrix = csr_matrix((np.array([1.0, 2.0]), np.array([0, 0]), np.array([0, 2, 2])), shape=(2, 3))
    assert as_counts(matrix, CELLS, GENES, "m").toarray()[0, 0] == 3


def frame(matrix) -> ad.AnnData:
    matrix = np.asarray(matrix, dtype=np.float32)
    obs, var = (
        pd.DataFrame(index=[f"{kind}{i}" for i in range(n)]) for kind, n in zip("cg", matrix.shape, strict=True)
    )
    return ad.AnnData(csr_matrix(matrix), obs=obs, var=var)


@pytest.mark.parametrize(
    ("matrix", "problem"),
    [
        (np.zeros((0, 3)), "file: no cells are left"),
        (np.zeros((3, 0)), "file: no genes are left"),
        ([[1, 0], [0, 0], [0, 0]], "file: 2 cells have no counts, the first is 'c1'; drop them with"),
    ],
)
def test_empty_data_are_refused(matrix, problem):
    with pytest.raises(InputError, match=problem):
        check_cells_and_genes(frame(matrix), "file")


ESTIMATES = "counts that SoupX, RSEM, salmon or alevin has estimated are to be rounded first"


@pytest.mark.parametrize(
    ("matrix", "normalised", "estimates"),
    [
        ([[5, 2, 1], [3, 0, 1.5]], False, True),
        ([[55.2, 20.1, 10.3], [30.7, 0, 10.9]], True, True),
        (np.log1p([[55, 2, 1], [3, 0, 1]]), True, False),
    ],
)
def test_fractions_are_explained_by_what_they_can_be(matrix, normalised, estimates):
    with pytest.raises(InputError) as error:
        check(matrix)
    assert ("look normalised or log-transformed already" in str(error.value)) == normalised
    assert (ESTIMATES in str(error.value)) == estimates


def test_counts_with_rounding_errors_are_shown_as_they_are_and_to_be_rounded():
    counts = np.array([[14, 2, 1], [3, 0, 60_000]], np.float32)
    recovered = np.expm1(np.log1p(counts))
    assert (np.rint(recovered) == counts).all()
    with pytest.raises(InputError) as error:
        as_counts(recovered, CELLS, GENES, "file.h5ad")
    assert "(14.000001) is not a whole number; all are whole but for rounding errors" in str(error.value)
    assert "so round them, as by numpy.rint; raw counts are needed" in str(error.value)
    with pytest.raises(InputError, match=r"\(2\.0000000000000004\) is not a whole number; all are whole but for"):
        check([[14, np.nextafter(2, 3), 1], [3, 0, 0]])
    shares = counts / counts.sum() / 1e6  # near to 0, and no counts
    with pytest.raises(InputError, match="look normalised or log-transformed already"):
        check(shares)


@pytest.mark.parametrize(
    ("interface", "remedy"),
    [
        ("python", "drop them with scanpy.pp.filter_cells(adata, min_counts=1), or keep them with empty_cells='keep'"),
        ("command line", "(adata, min_counts=1) beforehand, or keep them with --empty-cells keep"),
        ("study", "drop them with filters: {min_counts: 1}, or keep them with empty_cells: keep"),
    ],
)
def test_what_to_do_with_empty_cells_is_said_in_the_users_words(interface, remedy):
    with used_by(interface), pytest.raises(InputError) as error:
        check_cells_and_genes(frame([[1, 0], [0, 0]]), "file")
    assert str(error.value).endswith(remedy)
