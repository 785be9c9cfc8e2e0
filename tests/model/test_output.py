"""Denoised files: equal to what the model says, from memory and from disk, whole or absent, the same bytes twice."""

import hashlib
import time
import tracemalloc

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from zipo import ZiPo
from zipo.datasets import on_disk
from zipo.model.output import write_denoised
from zipo.shared.errors import InputError

SMALL = {"encoder": "4-2", "max_epochs": 3, "batch_size": 5, "covariates": ("cell_type",)}


@pytest.fixture
def annotated(counts) -> ad.AnnData:
    """Counts with something in every place of an AnnData."""
    counts.var["length"] = np.arange(5)
    counts.uns["source"] = {"name": "invented", "year": 2026}
    counts.obsm["X_pca"], counts.varm["PCs"] = np.eye(12, 3), np.eye(5, 3)
    counts.obsp["near"], counts.varp["alike"] = csr_matrix(np.eye(12)), np.eye(5)
    counts.layers["doubled"] = counts.X * 2
    counts.raw = counts[:, :3]
    return counts


@pytest.fixture
def model(counts) -> ZiPo:
    return ZiPo(seed=1, **SMALL).fit(counts)


def backed(adata, file) -> ad.AnnData:
    adata.write_h5ad(file)
    return ad.read_h5ad(file, backed="r")


def sha256(file) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("place", ["memory", "backed", "file"])
def test_counts_in_raw_are_put_into_the_order_of_x(annotated, model, place, tmp_path):
    expected = model.denoise(annotated)
    annotated.raw = annotated[:, ::-1]
    annotated.X = csr_matrix(np.log1p(annotated.X.toarray()))
    given = annotated if place == "memory" else backed(annotated, tmp_path / "in.h5ad")
    if place == "file":
        given.file.close()
        given = tmp_path / "in.h5ad"
    write_denoised(model, given, tmp_path / "out.h5ad", layer="raw")
    actual = ad.read_h5ad(tmp_path / "out.h5ad")
    np.testing.assert_array_equal(actual.layers["denoised"], expected)
    np.testing.assert_array_equal(actual.X.toarray(), annotated.X.toarray())
    assert list(actual.var["length"]) == list(range(5))


@pytest.mark.parametrize("place", ["memory", "backed", "file"])
def test_a_file_holds_the_input_and_what_the_model_says(annotated, model, place, tmp_path, monkeypatch):
    monkeypatch.setattr(on_disk, "LONGEST_READ", 20)  # so that the counts are copied in several parts
    given = annotated if place == "memory" else backed(annotated, tmp_path / "in.h5ad")
    if place == "file":
        given.file.close()
        given = tmp_path / "in.h5ad"
    batch = {"cell_type": "b"}
    done: list[int] = []
    write_denoised(model, given, tmp_path / "out.h5ad", rates=True, batch=batch, on_cells=done.append)
    actual = ad.read_h5ad(tmp_path / "out.h5ad")

    assert done == [5, 10, 12]
    np.testing.assert_array_equal(actual.layers["denoised"], model.denoise(annotated, batch=batch))
    np.testing.assert_array_equal(actual.obsm["X_zipo"], model.latent(annotated))
    np.testing.assert_allclose(actual.layers["rates"].sum(axis=1), actual.obs["zipo_library_size"], rtol=1e-4)
    assert actual.uns["zipo"]["batch"] == batch
    assert set(actual.uns["zipo"]["slots"]["layers"]) == {"denoised", "rates"}

    np.testing.assert_array_equal(actual.X.toarray(), annotated.X.toarray())
    pd.testing.assert_frame_equal(actual.obs.drop(columns="zipo_library_size"), annotated.obs)
    pd.testing.assert_frame_equal(actual.var, annotated.var)
    assert actual.uns["source"] == annotated.uns["source"]
    np.testing.assert_array_equal(actual.layers["doubled"].toarray(), annotated.X.toarray() * 2)
    np.testing.assert_array_equal(actual.raw.X.toarray(), annotated.X.toarray()[:, :3])
    for group, name in (("obsm", "X_pca"), ("varm", "PCs"), ("obsp", "near"), ("varp", "alike")):
        kept, expected = (getattr(adata, group)[name] for adata in (actual, annotated))
        np.testing.assert_array_equal(*(each.toarray() if group == "obsp" else each for each in (kept, expected)))


def test_a_view_of_a_file_is_denoised_without_reading_it_whole(annotated, model, tmp_path, monkeypatch):
    monkeypatch.setattr(on_disk, "LONGEST_READ", 20)
    cells = np.array([7, 2, 3, 11, 4, 0, 9])
    annotated.raw = None  # anndata reads it whole
    whole = backed(annotated, tmp_path / "in.h5ad")
    monkeypatch.setattr(type(whole.X), "__getitem__", None)  # as X of a view would
    write_denoised(model, whole[cells], tmp_path / "out.h5ad")
    actual = ad.read_h5ad(tmp_path / "out.h5ad")
    np.testing.assert_array_equal(actual.X.toarray(), annotated.X.toarray()[cells])
    np.testing.assert_array_equal(actual.layers["denoised"], model.denoise(annotated[cells]))
    assert list(actual.obs_names) == list(annotated.obs_names[cells])


def test_what_is_written_is_never_in_memory_whole(tmp_path):
    genes, fewer, more = 400, 500, 2500

    def counts_of(cells: int) -> ad.AnnData:
        few_genes = np.random.default_rng(cells).integers(genes, size=(cells, 3)).ravel()
        matrix = csr_matrix((np.ones(3 * cells), few_genes, np.arange(0, 3 * cells + 1, 3)), (cells, genes))
        matrix.sum_duplicates()
        return backed(ad.AnnData(matrix), tmp_path / f"{cells}.h5ad")

    def peak(cells: int) -> int:
        given = counts_of(cells)
        tracemalloc.start()
        write_denoised(model, given, tmp_path / "out.h5ad")
        actual = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return actual

    model = ZiPo(encoder="4-2", max_epochs=1, batch_size=50).fit(counts_of(200))
    peak(fewer)  # what is loaded once
    dense = (more - fewer) * genes * np.dtype(np.float32).itemsize
    assert peak(more) - peak(fewer) < dense / 2


def test_the_same_model_and_counts_are_the_same_bytes(annotated, counts, tmp_path):
    first, second = tmp_path / "first.h5ad", tmp_path / "second.h5ad"
    write_denoised(ZiPo(seed=1, **SMALL).fit(counts), annotated, first)
    time.sleep(1.1)  # HDF5 notes times by the second
    write_denoised(ZiPo(seed=1, **SMALL).fit(counts), annotated, second)
    assert sha256(first) == sha256(second)
    write_denoised(ZiPo(seed=2, **SMALL).fit(counts), annotated, second)
    assert sha256(first) != sha256(second)


def test_denoising_a_denoised_file_replaces_its_slots(annotated, model, tmp_path):
    file, again = tmp_path / "out.h5ad", tmp_path / "again.h5ad"
    write_denoised(model, annotated, file)
    for _ in range(2):  # over what zipo wrote
        write_denoised(model, file, again, batch={"cell_type": "c"})
    actual = ad.read_h5ad(again)
    assert sorted(actual.layers) == ["denoised", "doubled"]
    np.testing.assert_array_equal(actual.layers["denoised"], model.denoise(annotated, batch={"cell_type": "c"}))
    assert sha256(file) != sha256(again)


def test_the_file_of_the_counts_is_not_replaced_whichever_links_lead_there(annotated, model, tmp_path):
    file, link = tmp_path / "in.h5ad", tmp_path / "link.h5ad"
    write_denoised(model, annotated, file)  # that zipo wrote it makes no difference
    link.symlink_to("in.h5ad")
    before, in_backed_mode = sha256(file), ad.read_h5ad(file, backed="r")
    for given in (file, str(link), in_backed_mode, in_backed_mode[:5]):
        for target in (file, link):
            with pytest.raises(InputError, match="this is the file of the counts itself; give target another name"):
                write_denoised(model, given, target)
    assert sha256(file) == before


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("foreign.h5ad", "foreign.h5ad: exists, and is not as zipo wrote it; remove it, or give another name"),
        ("text.h5ad", "text.h5ad: exists, and is not as zipo wrote it"),
        ("folder.h5ad", "folder.h5ad: this is a folder, but the output is a file; give another name"),
        ("out.csv", "out.csv: the output is an .h5ad; give a name that ends so"),
        ("nowhere/out.h5ad", "nowhere does not exist; make that folder, or give another"),
    ],
)
def test_what_zipo_did_not_write_is_not_replaced(annotated, model, tmp_path, monkeypatch, name, problem):
    annotated.write_h5ad(tmp_path / "foreign.h5ad")
    (tmp_path / "text.h5ad").write_text("mine")
    (tmp_path / "folder.h5ad").mkdir()
    monkeypatch.setattr(ZiPo, "predictions", None)  # denoising is an error
    before = {path: path.is_file() and sha256(path) for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match=problem):
        write_denoised(model, annotated, tmp_path / name)
    assert {path: path.is_file() and sha256(path) for path in tmp_path.iterdir()} == before


def test_what_stood_there_stays_when_the_writing_is_cut_off(annotated, model, tmp_path):
    file = tmp_path / "out.h5ad"
    write_denoised(model, annotated, file)
    before = sha256(file)

    def interrupt(cells):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_denoised(model, annotated, file, on_cells=interrupt)
    with pytest.raises(InputError, match="the genes are not those of the training cells"):
        write_denoised(model, annotated[:, ::-1], file)
    assert sha256(file) == before
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_no_hdf5_file_is_refused(model, tmp_path):
    (tmp_path / "in.h5ad").write_text("counts")
    with pytest.raises(InputError, match=r"in\.h5ad: not an HDF5 file"):
        write_denoised(model, tmp_path / "in.h5ad", tmp_path / "out.h5ad")
