"""What `zipo denoise` and `zipo apply` write is the file that was given, with zipo's slots, for each storage."""

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix, csr_matrix, issparse

from tests.contract.conftest import (
    CELLS,
    COUNTS,
    GENES,
    IN_A_FILE,
    NAMES,
    OPTIONS,
    STORAGES,
    annotated,
    dense,
    digest,
    index_types,
)
from zipo import ZiPo
from zipo.output import write_denoised
from zipo.shared.errors import InputError

GROUPS = ("layers", "obsm", "varm", "obsp", "varp")
SLOTS = {"layers": {"denoised"}, "obsm": {"X_zipo"}}


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    """The model in a folder."""
    path = tmp_path_factory.mktemp("models") / "model"
    model.save(path)
    return path


def write(adata, path):
    """A file as anndata writes it, but for X, which keeps both its index types."""
    adata.write_h5ad(path)
    if issparse(adata.X) and adata.X.indptr.dtype != adata.X.indices.dtype:
        with h5py.File(path, "r+") as file:
            for name in ("indptr", "indices"):
                values = getattr(adata.X, name)
                del file[f"X/{name}"]
                file[f"X/{name}"] = values
    return path


def same(result, expected, name=""):
    if isinstance(expected, pd.DataFrame):
        result, expected = pd.DataFrame(result), pd.DataFrame(expected)  # none of them a view
        pd.testing.assert_frame_equal(result, expected, check_dtype=False, check_categorical=False, obj=name)
    else:
        np.testing.assert_array_equal(dense(result), dense(expected), err_msg=name)


def check_kept(result, given, genes=slice(None)):
    """That an output holds all that was given, of these genes, and zipo's slots beside it."""
    given_genes = given[:, genes]
    same(result.X, given_genes.X, "X")
    same(result.obs.drop(columns="zipo_library_size"), given.obs, "obs")
    same(result.var[list(given.var)], given_genes.var, "var")
    for group in GROUPS:
        kept = getattr(given_genes, group)
        assert set(getattr(result, group)) == set(kept) | SLOTS.get(group, set())
        for name in kept:
            same(getattr(result, group)[name], kept[name], f"{group}/{name}")
    assert (result.raw is None) == (given.raw is None)
    if given.raw is not None:
        same(result.raw.X, given.raw.X, "raw")
        same(result.raw.var, given.raw.var, "raw.var")
    np.testing.assert_equal({name: value for name, value in result.uns.items() if name != "zipo"}, dict(given.uns))
    for name, matrix in {"X": result.X, **result.layers, **result.obsp, **result.varp}.items():
        if issparse(matrix):
            assert matrix.indptr.dtype == matrix.indices.dtype == np.int32, name


@pytest.mark.parametrize("storage", IN_A_FILE)
def test_apply_keeps_all_of_every_storage(folder, expected, tmp_path, zipo, storage):
    source = write(annotated(STORAGES[storage](COUNTS)), tmp_path / "in.h5ad")
    before = digest(source)
    code, _, err = zipo("apply", folder, source, tmp_path / "out.h5ad")
    assert (code, err.count("\n")) == (0, 2)
    result = ad.read_h5ad(tmp_path / "out.h5ad")
    np.testing.assert_array_equal(result.layers["denoised"], expected["denoised"])
    np.testing.assert_array_equal(result.obsm["X_zipo"], expected["latent"])
    np.testing.assert_array_equal(result.obs["zipo_library_size"], expected["library"])
    check_kept(result, annotated())
    assert digest(source) == before


@pytest.mark.parametrize("storage", ["csr", "csc", "dense", "two index types", "duplicates"])
@pytest.mark.parametrize("layer", [None, "counts", "raw"])
def test_denoise_keeps_all_wherever_the_counts_are(tmp_path, zipo, storage, layer):
    x = STORAGES[storage](COUNTS)
    given = annotated(x)
    if layer is not None:
        given.X = np.log1p(COUNTS) if storage == "dense" else type(x)(np.log1p(COUNTS).astype(np.float64))
        if layer == "raw":
            given.raw = ad.AnnData(x, obs=given.obs, var=given.var)
        else:
            given.layers[layer] = x
    source = write(given, tmp_path / "in.h5ad")
    options = OPTIONS if layer is None else (*OPTIONS, "--layer", layer)
    assert zipo("denoise", source, tmp_path / "out.h5ad", *options, "--device", "cpu")[0] == 0
    result = ad.read_h5ad(tmp_path / "out.h5ad")
    given.X = given.X if layer else csr_matrix(COUNTS)
    check_kept(result, given)
    assert result.X.dtype == given.X.dtype
    parameters = result.uns["zipo"]["settings"] | {"covariates": ()}
    model = ZiPo(seed=1, device="cpu", **parameters).fit(annotated())
    np.testing.assert_allclose(result.layers["denoised"], model.denoise(annotated()), rtol=1e-6)


@pytest.mark.parametrize("storage", ["csr", "csc", "dense"])
@pytest.mark.parametrize("layer", [None, "counts"])
def test_what_hangs_on_genes_goes_with_them(model, tmp_path, zipo, storage, layer):
    x = STORAGES[storage](COUNTS)
    given = annotated(x)
    if layer:
        given.layers["counts"], given.X = x, STORAGES[storage](np.log1p(COUNTS))
    source = write(given, tmp_path / "in.h5ad")
    (tmp_path / "genes.txt").write_text("gene-7\ngene-0\ngene-4\n")
    command = ("denoise", source, tmp_path / "out.h5ad", *OPTIONS, "--genes", tmp_path / "genes.txt")
    assert zipo(*command, *(("--layer", layer) if layer else ()))[0] == 0
    given = ad.read_h5ad(source)
    check_kept(ad.read_h5ad(tmp_path / "out.h5ad"), given, [0, 4, 7])

    shuffled = given[:, np.random.default_rng(3).permutation(GENES)].copy()
    write(shuffled, tmp_path / "shuffled.h5ad")
    model.save(tmp_path / "model")
    command = ("apply", tmp_path / "model", tmp_path / "shuffled.h5ad", tmp_path / "applied.h5ad")
    assert zipo(*command, *(("--layer", layer) if layer else ()))[0] == 0
    check_kept(ad.read_h5ad(tmp_path / "applied.h5ad"), shuffled, NAMES[1])


@pytest.mark.parametrize("storage", ["csr", "dense"])
def test_a_file_that_says_that_it_has_no_raw_has_none(tmp_path, zipo, storage):
    given = annotated(STORAGES[storage](COUNTS))
    given.raw = None
    with h5py.File(tmp_path / "in.h5ad", "w") as file:
        ad.io.write_elem(file, "/", given)
        assert "raw" in file
    code, _, err = zipo("denoise", tmp_path / "in.h5ad", tmp_path / "out.h5ad", *OPTIONS, "--genes", 5)
    assert code == 0, err
    result = ad.read_h5ad(tmp_path / "out.h5ad")
    check_kept(result, given, result.var_names)


@pytest.mark.parametrize(("matrix", "layer"), [(csr_matrix, None), (csr_matrix, "counts"), (csc_matrix, None)])
def test_what_lacks_genes_of_the_model_is_kept_whole(folder, tmp_path, zipo, matrix, layer):
    given = annotated(matrix(COUNTS))
    if layer:
        given.layers["counts"] = given.X
    given = given[:, 2:].copy()
    write(given, tmp_path / "in.h5ad")
    options = ("--layer", layer) if layer else ()
    code, _, err = zipo("apply", folder, tmp_path / "in.h5ad", tmp_path / "out.h5ad", *options)
    assert (code, "left out" in err) == (0, False)
    shared = [name for name in ZiPo.load(folder).genes if name in given.var_names]
    check_kept(ad.read_h5ad(tmp_path / "out.h5ad"), given, shared)


def test_raw_of_other_genes_takes_the_place_of_x(tmp_path, zipo):
    given = annotated()[:, :4].copy()
    raw = annotated()
    given.raw = raw
    given.X = np.log1p(dense(given.X))
    write(given, tmp_path / "in.h5ad")
    code, _, err = zipo("denoise", tmp_path / "in.h5ad", tmp_path / "out.h5ad", *OPTIONS, "--layer", "raw")
    assert code == 0
    line = err.splitlines()[0]
    assert line.startswith("raw has 10 genes and X 4, so X of the output is raw; left out: X, layers['log']")
    result = ad.read_h5ad(tmp_path / "out.h5ad")
    same(result.X, COUNTS)
    same(result.raw.X, COUNTS)
    same(result.var[["length"]], raw.var)
    assert result.layers["denoised"].shape == (CELLS, GENES)
    assert set(result.obsm) == {"X_pca", "table", "X_zipo"}
    assert set(result.obsp) == set(given.obsp)


def test_a_layer_called_raw_comes_before_raw(folder, expected, tmp_path, zipo):
    given = annotated(np.log1p(COUNTS))
    given.layers["raw"] = csr_matrix(COUNTS)
    write(given, tmp_path / "in.h5ad")
    assert zipo("apply", folder, tmp_path / "in.h5ad", tmp_path / "out.h5ad", "--layer", "raw")[0] == 0
    result = ad.read_h5ad(tmp_path / "out.h5ad")
    np.testing.assert_array_equal(result.layers["denoised"], expected["denoised"])
    check_kept(result, given)


def test_a_file_without_x(folder, expected, tmp_path, zipo):
    given = annotated()
    given.layers["counts"] = given.X
    given.X = None
    write(given, tmp_path / "in.h5ad")
    assert zipo("apply", folder, tmp_path / "in.h5ad", tmp_path / "out.h5ad", "--layer", "counts")[0] == 0
    result = ad.read_h5ad(tmp_path / "out.h5ad")
    assert result.X is None
    np.testing.assert_array_equal(result.layers["denoised"], expected["denoised"])


def test_names_that_pandas_keeps_as_nullable_strings(folder, expected, model, tmp_path, zipo):
    given = annotated()
    given.obs["donor"] = given.obs["donor"].astype("string")
    given.obs_names, given.var_names = given.obs_names.astype("string"), given.var_names.astype("string")
    with ad.settings.override(allow_write_nullable_strings=True):
        given.write_h5ad(tmp_path / "in.h5ad", convert_strings_to_categoricals=False)
    assert zipo("apply", folder, tmp_path / "in.h5ad", tmp_path / "out.h5ad")[0] == 0
    assert zipo("fit", tmp_path / "in.h5ad", tmp_path / "model", *OPTIONS, "--device", "cpu")[0] == 0
    for path in (folder, tmp_path / "model"):
        assert zipo("apply", path, tmp_path / "in.h5ad", tmp_path / "out.h5ad", "--device", "cpu")[0] == 0
        result = ad.read_h5ad(tmp_path / "out.h5ad")
        assert (list(result.obs_names), list(result.var_names)) == NAMES
        assert {result.obs_names.dtype, result.var_names.dtype} == {np.dtype(object)}
        assert list(result.obs["donor"]) == list(given.obs["donor"])
    with pytest.raises(RuntimeError):  # what anndata itself says of them
        given.write_h5ad(tmp_path / "other.h5ad")
    for source in (given, given[:20], ad.read_h5ad(tmp_path / "in.h5ad", backed="r")):
        np.testing.assert_allclose(model.denoise(source), expected["denoised"][: source.n_obs], rtol=1e-6)
        write_denoised(model, source, tmp_path / "python.h5ad")
    assert list(ad.read_h5ad(tmp_path / "python.h5ad").obs_names) == NAMES[0]


def test_a_loom_keeps_layers_attributes_and_graphs(tmp_path, zipo):
    with h5py.File(tmp_path / "in.loom", "w") as file:
        file["matrix"] = COUNTS.T
        file["layers/spliced"], file["layers/unspliced"] = (COUNTS * 2).T, (COUNTS * 3).T
        file["row_attrs/Gene"], file["col_attrs/CellID"] = (np.array(names[::1], "S") for names in NAMES[::-1])
        file["row_attrs/Chromosome"] = np.array(["1", "X"] * 5, "S")
        file["row_attrs/scores"], file["col_attrs/umap"] = np.eye(GENES, 2), np.eye(CELLS, 2)
        file["col_attrs/age"] = np.arange(CELLS)
        file["col_attrs/odd/name"] = np.arange(CELLS)
        graph = {"a": np.arange(5), "b": np.arange(1, 6), "w": np.linspace(0.1, 0.5, 5)}
        for name, values in graph.items():
            file[f"col_graphs/knn/{name}"] = values
        file.create_group("row_graphs")
    for options, x in (((), COUNTS), (("--layer", "spliced"), COUNTS)):
        assert zipo("denoise", tmp_path / "in.loom", tmp_path / "out.h5ad", *OPTIONS, *options)[0] == 0
        result = ad.read_h5ad(tmp_path / "out.h5ad")
        same(result.X, x)
        same(result.layers["spliced"], COUNTS * 2)
        same(result.layers["unspliced"], COUNTS * 3)
        assert (list(result.obs_names), list(result.var_names)) == NAMES
        assert list(result.var["Chromosome"]) == ["1", "X"] * 5
        same(result.obsm["umap"], np.eye(CELLS, 2))
        same(result.varm["scores"], np.eye(GENES, 2))
        assert result.obsp["knn"][2, 3] == pytest.approx(0.3)
        assert result.obsp["knn"].nnz == 5
    library = result.uns["zipo"]["slots"]
    assert set(library) == {"layers", "obsm", "obs"}


@pytest.mark.parametrize("matrix", [csr_matrix, csc_matrix, np.asarray])
def test_backed_data_and_views_of_them(model, expected, tmp_path, matrix):
    given = annotated(matrix(COUNTS))
    given.layers["counts"] = given.X
    given.write_h5ad(tmp_path / "in.h5ad")
    before = digest(tmp_path / "in.h5ad")
    cells = np.random.default_rng(5).permutation(CELLS)[:9]
    backed = ad.read_h5ad(tmp_path / "in.h5ad", backed="r")
    for source, kept in ((backed, slice(None)), (backed[cells], cells)):
        for layer in ("counts", None):
            if layer is None and matrix is not csr_matrix:
                with pytest.raises(InputError, match=r"^counts: X lies in the file as .*adata\.to_memory\(\)"):
                    write_denoised(model, source, tmp_path / "out.h5ad")
                continue
            write_denoised(model, source, tmp_path / "out.h5ad", layer=layer)
            result = ad.read_h5ad(tmp_path / "out.h5ad")
            np.testing.assert_allclose(result.layers["denoised"], expected["denoised"][kept], rtol=1e-6)
            check_kept(result, given[kept].copy())
    write_denoised(model, str(tmp_path / "in.h5ad"), str(tmp_path / "out.h5ad"))
    np.testing.assert_array_equal(ad.read_h5ad(tmp_path / "out.h5ad").layers["denoised"], expected["denoised"])
    assert digest(tmp_path / "in.h5ad") == before


def test_all_parts_of_two_index_types_are_written_with_one(model, tmp_path):
    odd = lambda matrix: index_types(dense(matrix), np.int64, np.int32)  # noqa: E731
    given = annotated(odd(COUNTS))
    for group in ("layers", "obsp", "varp"):
        for name in list(getattr(given, group)):
            getattr(given, group)[name] = odd(getattr(given, group)[name])
    write_denoised(model, given, tmp_path / "out.h5ad")
    check_kept(ad.read_h5ad(tmp_path / "out.h5ad"), annotated())
