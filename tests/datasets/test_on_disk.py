"""Reading some cells of a file against numpy indexing of the same matrix, and the check of a file in one pass."""

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import zarr
from scipy.sparse import csc_matrix, csr_matrix

from zipo.datasets import on_disk as module
from zipo.datasets.on_disk import on_disk, some_cells, survey
from zipo.shared.errors import InputError

CELLS, GENES = 60, 7
DENSE = np.random.default_rng(2).poisson(0.6, (CELLS, GENES))
DENSE[:, 0] += 1
DENSE[20:40, 0] = 0  # among them cells without counts


def annotated(matrix) -> ad.AnnData:
    obs = pd.DataFrame(index=[f"cell-{cell}" for cell in range(CELLS)])
    return ad.AnnData(matrix, obs=obs, var=pd.DataFrame(index=[f"gene-{gene}" for gene in range(GENES)]))


@pytest.fixture
def backed(tmp_path):
    """A function that writes a matrix, and gives it back in backed mode."""

    def write(matrix, **options) -> ad.AnnData:
        annotated(matrix).write_h5ad(tmp_path / "counts.h5ad", **options)
        return ad.read_h5ad(tmp_path / "counts.h5ad", backed="r")

    return write


class Recorder:
    """A dataset that notes how much each read takes."""

    def __init__(self, dataset):
        self.dataset, self.reads = dataset, []

    def __getitem__(self, part):
        self.reads.append(part.stop - part.start)
        return self.dataset[part]


@pytest.mark.parametrize("longest", [1, 10, 1000])
@pytest.mark.parametrize("gap", [0, 5, 1000])
def test_cells_are_read_in_the_order_asked_for(backed, monkeypatch, longest, gap):
    monkeypatch.setattr(module, "LONGEST_READ", longest)
    monkeypatch.setattr(module, "WIDEST_GAP", gap)
    rows = on_disk(backed(csr_matrix(DENSE)), "file")
    for seed in range(5):
        cells = np.random.default_rng(seed).permutation(CELLS)[:25]
        result = rows.read(cells)
        np.testing.assert_array_equal(result.toarray(), DENSE[cells])
        assert result.dtype == np.float32
    assert rows.read(np.array([], int)).shape == (0, GENES)


@pytest.mark.parametrize(
    ("cells", "genes"),
    [
        (slice(None), slice(None)),
        (np.array([50, 3, 4, 31]), slice(None)),
        (np.arange(CELLS) % 3 == 1, slice(None)),
        (slice(40, 10, -2), slice(None)),
        ([f"cell-{cell}" for cell in (9, 8, 59)], ["gene-4", "gene-0"]),
        (slice(None), slice(None, None, -1)),
    ],
)
def test_a_view_of_a_file_is_its_cells_and_genes(backed, cells, genes):
    view = backed(csr_matrix(DENSE))[cells, genes]
    rows = on_disk(view, "file")
    expected = annotated(DENSE)[cells, genes].X
    assert rows.shape == expected.shape
    order = np.random.default_rng(0).permutation(len(expected))
    np.testing.assert_array_equal(rows.read(order).toarray(), expected[order])
    part = some_cells(view, np.array([2, 0]))
    assert list(part.obs_names) == list(view.obs_names[[2, 0]])
    np.testing.assert_array_equal(on_disk(part, "file").read(np.arange(2)).toarray(), expected[[2, 0]])


def test_whole_numbers_compressed_unsorted_and_twice_in_a_cell_are_read_as_counts(backed):
    starts, columns, values = [0, 3, 5] + [5] * (CELLS - 2), [4, 1, 4, 0, 2], [3, 2, 1, 0, 5]
    matrix = csr_matrix((np.array(values, np.int64), columns, starts), shape=(CELLS, GENES))
    result = on_disk(backed(matrix, compression="gzip"), "file").read(np.array([1, 0]))
    np.testing.assert_array_equal(result.toarray(), [[0, 0, 5, 0, 0, 0, 0], [0, 2, 0, 0, 4, 0, 0]])
    assert result.has_canonical_format


def test_counts_in_a_zarr_group_are_read_alike(tmp_path):
    group = zarr.open_group(tmp_path / "counts.zarr", mode="w")
    ad.io.write_elem(group, "X", csr_matrix(DENSE))
    adata = annotated(ad.io.sparse_dataset(group["X"]))
    np.testing.assert_array_equal(on_disk(adata, "file").read(np.arange(CELLS)).toarray(), DENSE)
    np.testing.assert_array_equal(on_disk(adata[[7, 5]], "file").read(np.arange(2)).toarray(), DENSE[[7, 5]])


def test_no_read_is_longer_than_promised_nor_takes_what_is_far_from_the_cells(backed, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_READ", 20)
    monkeypatch.setattr(module, "WIDEST_GAP", 6)
    rows = on_disk(backed(csr_matrix(DENSE)), "file")
    rows._values = recorder = Recorder(rows._values)
    rows.read(np.arange(CELLS))
    assert sum(recorder.reads) == np.count_nonzero(DENSE)
    assert max(recorder.reads) <= 20 + GENES
    monkeypatch.setattr(module, "LONGEST_READ", 1000)
    recorder.reads.clear()
    rows.read(np.array([55, 0, 12, 13]))
    assert recorder.reads == [np.count_nonzero(DENSE[cells]) for cells in (0, [12, 13], 55)]
    recorder.reads.clear()
    rows.read(np.array([0, 2]))  # the one between is read along
    assert recorder.reads == [np.count_nonzero(DENSE[:3])]


def test_counts_in_memory_are_not_on_disk():
    assert on_disk(annotated(csr_matrix(DENSE)), "file") is None
    assert on_disk(annotated(csr_matrix(DENSE))[:9], "file") is None


@pytest.mark.parametrize(
    ("matrix", "kind"), [(csc_matrix(DENSE), "CSC, gene by gene"), (DENSE.astype(np.float32), "a dense matrix")]
)
def test_a_file_that_cannot_be_read_by_cell_is_refused_with_the_remedy(backed, matrix, kind):
    full = backed(matrix)
    for adata in (full, full[:9]):
        with pytest.raises(InputError, match=rf"^mine: X lies in the file as {kind}, .*csr_matrix\(adata.X\)"):
            on_disk(adata, "mine")


@pytest.mark.parametrize("longest", [1, 30, 1000])
def test_a_survey_sums_by_cell_and_by_gene(backed, monkeypatch, longest):
    monkeypatch.setattr(module, "LONGEST_READ", longest)
    view = backed(csr_matrix(DENSE))[np.random.default_rng(1).permutation(CELLS)[:33], ::-1]
    result = survey(on_disk(view, "file"), view.obs_names, view.var_names)
    expected = annotated(DENSE)[view.obs_names, view.var_names].X
    np.testing.assert_array_equal(result.library, expected.sum(1))
    np.testing.assert_array_equal(result.gene_totals, expected.sum(0))


@pytest.mark.parametrize(
    ("value", "problem"),
    [(-1, r"\(-1\) is negative"), (np.nan, "is not a number"), (np.inf, "is infinite"), (0.5, "is not a whole number")],
)
def test_a_survey_names_the_first_bad_count(backed, monkeypatch, value, problem):
    monkeypatch.setattr(module, "LONGEST_READ", 30)
    bad = DENSE.astype(np.float64)
    bad[51, 3] = value
    adata = backed(csr_matrix(bad))
    with pytest.raises(InputError, match=f"^mine: the count of gene 'gene-3' in cell 'cell-51' .*{problem}"):
        survey(on_disk(adata, "mine"), adata.obs_names, adata.var_names)


def test_a_survey_refuses_names_that_occur_twice(backed):
    adata = backed(csr_matrix(DENSE))[[3, 4, 3]]
    with pytest.raises(InputError, match="mine: cell 'cell-3' occurs more than once"):
        survey(on_disk(adata, "mine"), adata.obs_names, adata.var_names)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("indices", 99, "the matrix is damaged: indices must be < 7"),
        ("indptr", 10**9, "the matrix is damaged: indptr does not fit"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, name, value, problem):
    annotated(csr_matrix(DENSE)).write_h5ad(tmp_path / "counts.h5ad")
    with h5py.File(tmp_path / "counts.h5ad", "r+") as file:
        file[f"X/{name}"][9] = value
    adata = ad.read_h5ad(tmp_path / "counts.h5ad", backed="r")
    with pytest.raises(InputError, match=f"^mine: {problem}"):
        survey(on_disk(adata, "mine"), adata.obs_names, adata.var_names)


def test_a_file_whose_bytes_are_damaged_is_refused(tmp_path):
    path = tmp_path / "counts.h5ad"
    annotated(csr_matrix(DENSE)).write_h5ad(path, compression="gzip")
    with h5py.File(path) as file:
        place = file["X/data"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[place : place + 8] = b"damaged!"
    path.write_bytes(content)
    with pytest.raises(InputError, match="mine: the HDF5 file is damaged"):
        on_disk(ad.read_h5ad(path, backed="r"), "mine").read(np.arange(3))
