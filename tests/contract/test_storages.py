"""Every public call gives the same numbers for each storage of the same counts, and leaves it as it is, to the byte."""

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix

import zipo
from tests.contract.conftest import CELLS, COUNTS, GENES, SMALL, STORAGES, annotated, dense, state
from zipo import ZiPo
from zipo.model.fine_tuning import aligned, fine_tuned
from zipo.output import write_denoised
from zipo.shared.errors import InputError

CALLS = {
    "denoise": lambda model, adata: model.denoise(adata),
    "rates": lambda model, adata: model.rates(adata),
    "latent": lambda model, adata: model.latent(adata),
    "library_size": lambda model, adata: model.library_size(adata),
    "distribution": lambda model, adata: np.stack(list(model.distribution(adata).values())),
    "sample": lambda model, adata: model.sample(adata),
    "loss": lambda model, adata: model.loss(adata),
    "losses": lambda model, adata: list(vars(model.losses(adata)).values()),
    "gene_poisson_nll": lambda model, adata: model.gene_poisson_nll(adata),
    "aligned": lambda model, adata: model.denoise(aligned(adata[:, ::-1], model.genes)[0]),
    "fit": lambda model, adata: ZiPo(seed=1, device="cpu", **SMALL).fit(adata).latent(adata),
    "fit, validation": lambda model, adata: ZiPo(seed=1, device="cpu", **SMALL).fit(adata, adata).latent(adata),
    "fine_tuned": lambda model, adata: fine_tuned(model, adata, max_epochs=1)[0].latent(adata),
    "pp.denoise": lambda model, adata: zipo.pp.denoise(adata, copy=True, device="cpu", **SMALL).layers["denoised"],
}


@pytest.fixture(scope="module")
def right(model):
    plain = annotated()
    return {name: call(model, plain) for name, call in CALLS.items()}


@pytest.mark.parametrize("storage", STORAGES)
def test_every_call_on_every_storage(model, right, storage):
    adata = annotated(STORAGES[storage](COUNTS))
    before = state(adata)
    for name, call in CALLS.items():
        np.testing.assert_array_equal(call(model, adata), right[name], err_msg=name)
        assert state(adata) == before, name


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("layer", ["counts", "raw"])
def test_counts_beside_x(right, tmp_path, model, storage, layer):
    adata = annotated(np.log1p(COUNTS))
    if layer == "raw":
        adata.raw = ad.AnnData(STORAGES[storage](COUNTS), obs=adata.obs, var=adata.var)
    else:
        adata.layers["counts"] = STORAGES[storage](COUNTS)
    before = state(adata)
    result = zipo.pp.denoise(adata, copy=True, layer=layer, device="cpu", **SMALL)
    np.testing.assert_array_equal(result.layers["denoised"], right["pp.denoise"])
    assert state(adata) == before
    np.testing.assert_array_equal(result.X, np.log1p(COUNTS))
    zipo.pp.denoise(adata, layer=layer, device="cpu", **SMALL)
    np.testing.assert_array_equal(adata.layers.pop("denoised"), right["pp.denoise"])
    del adata.obsm["X_zipo"], adata.obs["zipo_library_size"], adata.uns["zipo"]
    assert state(adata) == before


@pytest.mark.parametrize("storage", STORAGES)
def test_a_view_is_its_cells_and_genes(model, expected, storage):
    cells, genes = np.random.default_rng(2).permutation(CELLS)[:9], slice(None, None, -1)
    whole = annotated(STORAGES[storage](np.ascontiguousarray(COUNTS[:, ::-1])))
    whole.var_names = whole.var_names[::-1]
    before = state(whole)
    np.testing.assert_allclose(model.denoise(whole[cells, genes]), expected["denoised"][cells], rtol=1e-5)
    assert state(whole) == before


@pytest.mark.parametrize("storage", STORAGES)
def test_a_file_from_python(model, expected, tmp_path, storage):
    adata = annotated(STORAGES[storage](COUNTS))
    before = state(adata)
    if storage == "object":  # which no .h5ad can keep
        with pytest.raises(InputError, match=r"^X: an .h5ad cannot keep this"):
            write_denoised(model, adata, tmp_path / "out.h5ad")
        assert not list(tmp_path.iterdir())
        return
    write_denoised(model, adata, tmp_path / "out.h5ad")
    assert state(adata) == before
    result = ad.read_h5ad(tmp_path / "out.h5ad")
    np.testing.assert_array_equal(result.layers["denoised"], expected["denoised"])
    np.testing.assert_array_equal(dense(result.X), COUNTS)


BAD = {
    "a fraction": (lambda x: x + 0.5 * (x == x.max()), "is not a whole number"),
    "negative": (lambda x: -x, "is negative"),
    "nothing": (lambda x: np.where(x == x.max(), np.nan, x), "is not a number"),
    "endless": (lambda x: np.where(x == x.max(), np.inf, x), "is infinite"),
    "logarithms": (lambda x: np.log1p(x / x.sum(1, keepdims=True) * 1e4), "normalised or log-transformed"),
    "an empty cell": (lambda x: x * (np.arange(CELLS) != 5)[:, None], "1 cells have no counts.*'cell-5'"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(
    "storage", ["csr", "csc", "dense", "csr_array", "two index types", "unsorted", "read-only csr"]
)
def test_the_same_refusals(model, tmp_path, storage, bad):
    change, problem = BAD[bad]
    adata = annotated(STORAGES[storage](change(COUNTS).astype(np.float32)))
    before = state(adata)
    for call in (
        lambda: model.denoise(adata),
        lambda: ZiPo(**SMALL).fit(adata),
        lambda: zipo.pp.denoise(adata, **SMALL),
        lambda: write_denoised(model, adata, tmp_path / "out.h5ad"),
    ):
        with pytest.raises(InputError, match=problem):
            call()
    assert not list(tmp_path.iterdir())
    assert state(adata) == before


class Lazy:
    """An array that says nothing before it is computed, as dask has them."""

    shape, dtype, ndim = (CELLS, GENES), np.dtype(np.float32), 2

    def compute(self):
        return csr_matrix(COUNTS)


def test_what_is_lazy_is_computed(model, expected):
    from zipo.datasets.counts import as_csr

    np.testing.assert_array_equal(as_csr(Lazy(), "X").toarray(), COUNTS)
    array = pytest.importorskip("dask.array")
    for x in (array.from_array(csr_matrix(COUNTS), chunks=(5, GENES), asarray=False), array.from_array(COUNTS)):
        adata = annotated(x)
        np.testing.assert_array_equal(model.denoise(adata), expected["denoised"])
        assert adata.X is x


def test_a_matrix_that_is_damaged_is_refused(model):
    adata = annotated()
    adata.X.indices[7] = 99
    with pytest.raises(InputError, match=r"^counts: the matrix is damaged: .*indices must be < 10"):
        model.denoise(adata)


def test_what_is_masked_is_refused(model):
    masked = np.ma.masked_equal(COUNTS, 200)
    with pytest.raises(InputError, match=r"^counts: X is a masked array, of which 1 .*X\.filled\(0\)"):
        model.denoise(annotated(masked))
