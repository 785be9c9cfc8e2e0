"""What others do with our outputs: scanpy's usual calls, anndata's, and zipo's own once more."""

import anndata as ad
import numpy as np
import pytest
import scanpy as sc

import zipo
from tests.contract.conftest import CELLS, COUNTS, GENES, OPTIONS, SMALL, STORAGES, annotated, dense
from zipo.output import write_denoised

KINDS = {"backed csr": "csr", "csc": "csc", "dense": "dense", "two index types": "two index types"}


def marked(adata):
    sc.pp.normalize_total(adata)
    sc.pp.log1p(adata)
    sc.tl.rank_genes_groups(adata, "cell_type", use_raw=False)
    sc.tl.score_genes(adata, ["gene-1", "gene-2"], ctrl_size=2, n_bins=3, use_raw=False)


def counted(adata):
    sc.pp.calculate_qc_metrics(adata, percent_top=None, inplace=True)
    np.testing.assert_allclose(adata.obs["total_counts"], COUNTS.sum(axis=1))
    np.testing.assert_array_equal(adata.obs["n_genes_by_counts"], (COUNTS > 0).sum(axis=1))
    sc.pp.downsample_counts(adata, counts_per_cell=5, random_state=1)
    assert dense(adata.X).sum(axis=1).max() == 5


def filtered(adata):
    sc.pp.filter_genes(adata, min_counts=1)
    sc.pp.filter_cells(adata, min_genes=1)
    sc.pp.pca(adata, n_comps=3)
    assert adata[adata.obs["cell_type"] == "a", :5].copy().shape == (CELLS // 2, 5)


def joined(adata):
    both = ad.concat({"one": adata, "two": adata[:5]}, label="sample", index_unique="-", merge="same")
    assert both.layers["denoised"].shape == (CELLS + 5, GENES)


def denoised_again(adata):
    zipo.pp.denoise(adata, device="cpu", **SMALL)
    zipo.ZiPo(**SMALL).fit(adata).denoise(adata[:7])


@pytest.fixture(scope="module", params=KINDS)
def outputs(request, model, tmp_path_factory):
    """A file of one storage, and what Python writes of it, and of that."""
    folder, adata = tmp_path_factory.mktemp("outputs"), annotated(STORAGES[KINDS[request.param]](COUNTS))
    write_denoised(model, adata, folder / "python.h5ad")
    source = folder / "in.h5ad"
    if request.param == "two index types":
        source = folder / "python.h5ad"
    else:
        adata.write_h5ad(source)
    write_denoised(model, folder / "python.h5ad", folder / "again.h5ad")
    return source, [folder / "python.h5ad", folder / "again.h5ad"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", [marked, counted, filtered, joined, denoised_again])
def test_the_usual_calls(outputs, call):
    _, files = outputs
    for file in files:
        call(ad.read_h5ad(file))


def test_files_of_the_command_line(outputs, model, tmp_path, zipo):
    source, _ = outputs
    model.save(tmp_path / "model")
    assert zipo("apply", tmp_path / "model", source, tmp_path / "applied.h5ad")[0] == 0
    assert zipo("denoise", tmp_path / "applied.h5ad", tmp_path / "out.h5ad", *OPTIONS)[0] == 0
    for file in (tmp_path / "applied.h5ad", tmp_path / "out.h5ad"):
        counted(ad.read_h5ad(file))
        filtered(ad.read_h5ad(file))
        denoised_again(ad.read_h5ad(file))


def test_files_are_written_again_and_read_in_parts(outputs, model, expected, tmp_path):
    for number, file in enumerate(outputs[1]):
        ad.read_h5ad(file).write_h5ad(tmp_path / f"{number}.h5ad")
        backed = ad.read_h5ad(tmp_path / f"{number}.h5ad", backed="r")
        np.testing.assert_array_equal(dense(backed[3:9].to_memory().X), COUNTS[3:9])
        if isinstance(backed.X, ad.abc.CSRDataset):
            np.testing.assert_array_equal(model.denoise(backed), expected["denoised"])


@pytest.mark.filterwarnings("ignore")
def test_what_pp_fills_is_used_and_written(tmp_path):
    for storage in STORAGES:
        if storage in ("object", "float16", "big endian", "two index types", "csr_array", "csc_array"):
            continue  # scanpy does not take these before, either
        adata = annotated(STORAGES[storage](COUNTS))
        zipo.pp.denoise(adata, device="cpu", **SMALL)
        if "read-only" not in storage and storage != "stale":
            filtered(adata.copy())
            adata.write_h5ad(tmp_path / "out.h5ad")
            assert set(ad.read_h5ad(tmp_path / "out.h5ad").layers) == {"log", "spliced", "denoised"}


@pytest.mark.filterwarnings("ignore")
def test_clusters_and_a_map_of_the_latents(model, tmp_path):
    write_denoised(model, annotated(), tmp_path / "out.h5ad")
    adata = ad.read_h5ad(tmp_path / "out.h5ad")
    sc.pp.neighbors(adata, use_rep="X_zipo", n_neighbors=5)
    sc.tl.leiden(adata, flavor="igraph", n_iterations=2)
    sc.tl.umap(adata, maxiter=5)
    assert adata.obsm["X_umap"].shape == (CELLS, 2)
