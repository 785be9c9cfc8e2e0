"""From a source to a data set file: filters against numpy, the pedigree, and refusals before training."""

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pytest

from zipo.datasets import filters
from zipo.datasets.catalogue import Dataset, Filters
from zipo.datasets.prepare import prepare
from zipo.errors import InputError

SIMULATED = {"kind": "simulated", "cells": 80, "genes": 60, "median_library": 60}


def prepared(tmp_path: Path, **filters) -> ad.AnnData:
    target = tmp_path / "data" / "toy.h5ad"
    prepare("toy", Dataset(title="Toy", source=SIMULATED, filters=filters), tmp_path, target)
    return ad.read_h5ad(target)


def test_filters_keep_cells_then_genes(simulated):
    x = simulated.X.toarray()
    cells = (x.sum(1) >= 380) & ((x > 0).sum(1) >= 60)
    genes = (x[cells] > 0).sum(0) >= 150
    kept = filters.apply(simulated, Filters(min_counts=380, min_genes=60, min_cells=150))
    assert 0 < cells.sum() < len(cells)
    assert 0 < genes.sum() < len(genes)
    np.testing.assert_array_equal(kept.X.toarray(), x[np.ix_(cells, genes)])


def test_most_variable_genes_have_the_largest_pearson_residuals(simulated):
    x = simulated.X.toarray().astype(float)
    kept = filters.apply(simulated, Filters(most_variable=30))
    # Lause 2021: residuals of an NB with size 100, clipped at the square root of the number of cells
    mean = x.sum(0) * x.sum(1, keepdims=True) / x.sum()
    limit = np.sqrt(len(x))
    deviation = np.sqrt(mean + mean**2 / 100)
    residuals = np.clip((x - mean) / np.where(mean > 0, deviation, 1), -limit, limit)
    largest = np.sort(np.argsort(residuals.var(0))[-30:])
    np.testing.assert_array_equal(kept.var_names, simulated.var_names[largest])


def test_the_file_holds_counts_and_their_pedigree(tmp_path):
    adata = prepared(tmp_path, min_cells=20)
    pedigree = adata.uns["dataset"]
    assert pedigree["id"] == "toy"
    assert json.loads(pedigree["filters"])["min_cells"] == 20
    before, after = pedigree["before"], pedigree["after"]
    assert (before["cells"], before["genes"]) == (80, 60)
    assert (after["cells"], after["genes"]) == adata.shape
    x = adata.X.toarray()
    assert after["nonzero_share"] == pytest.approx((x > 0).mean())
    assert after["median_library"] == np.median(x.sum(1))
    np.testing.assert_array_equal(x, np.rint(x))


@pytest.mark.parametrize(
    ("chosen", "problem"),
    [
        ({"min_counts": 10**6}, "data set toy: no cells are left"),
        ({"min_cells": 10**6}, "data set toy: no genes are left"),
    ],
)
def test_filters_that_leave_nothing_are_refused_and_write_nothing(tmp_path, chosen, problem):
    with pytest.raises(InputError, match=problem):
        prepared(tmp_path, **chosen)
    assert list(tmp_path.rglob("*.h5ad")) == []
