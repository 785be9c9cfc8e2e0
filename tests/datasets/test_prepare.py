"""From a source to a data set file: filters against numpy, the pedigree, and refusals before training."""

import gzip
import hashlib
import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from tests.datasets import geo_tree
from zipo.datasets import filters
from zipo.datasets.catalogue import Dataset, Filters
from zipo.datasets.geo import liver
from zipo.datasets.prepare import prepare
from zipo.datasets.simulation import simulate
from zipo.datasets.transfer.manifest import write_manifest
from zipo.shared.errors import InputError
from zipo.study.table_1 import table_1

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


def test_cells_drawn_at_random_are_of_those_that_pass_and_the_same_each_time(simulated):
    library = simulated.X.toarray().sum(1)
    assert (library >= 380).sum() > 50
    kept = filters.apply(simulated, Filters(min_counts=380, random_cells=50))
    assert kept.n_obs == 50
    positions = simulated.obs_names.get_indexer(kept.obs_names)
    assert (np.diff(positions) > 0).all()
    assert (library[positions] >= 380).all()
    assert positions.max() - positions.min() > 100  # from all over, not the first
    np.testing.assert_array_equal(
        kept.obs_names, filters.apply(simulated, Filters(min_counts=380, random_cells=50)).obs_names
    )
    assert filters.apply(simulated, Filters(random_cells=10**6)).n_obs == simulated.n_obs


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


def test_target_genes_is_the_strictest_detection_that_keeps_as_many(simulated):
    few = simulated[:12]  # so that many genes are detected in equally many cells
    detected = (few.X.toarray() > 0).sum(0)
    assert len(np.unique(detected)) < few.n_vars / 10
    for target in range(1, np.count_nonzero(detected) + 1):
        k = max(k for k in range(1, 13) if (detected >= k).sum() >= target)  # of all detections there can be
        kept = filters.apply(few, Filters(target_genes=target))
        assert kept.uns["min_cells"] == k
        np.testing.assert_array_equal(kept.var_names, few.var_names[detected >= k])


def test_target_genes_counts_the_kept_cells_alone(simulated):
    x = simulated.X.toarray()
    x = x[x.sum(1) >= 380]
    kept = filters.apply(simulated, Filters(min_counts=380, target_genes=40))
    assert kept.uns["min_cells"] == np.sort((x > 0).sum(0))[-40] < np.sort((simulated.X.toarray() > 0).sum(0))[-40]


def test_more_target_genes_than_are_detected_are_refused(simulated):
    detected = np.count_nonzero(simulated[:3].X.toarray().any(0))
    with pytest.raises(InputError, match=rf"target_genes: {detected + 1} genes are asked for, but only {detected} are"):
        filters.apply(simulated[:3], Filters(target_genes=detected + 1))


@pytest.mark.parametrize("paper", [True, False])
def test_a_data_set_of_the_paper_keeps_all_detected_genes_where_they_are_fewer(tmp_path, paper, capsys):
    size = {"paper": {"cells": 80, "genes": 1000, "nonzero_share": 0.5}} if paper else {}
    dataset = Dataset(title="Toy", source=SIMULATED | {"median_library": 5}, filters={"target_genes": 1000}, **size)
    if not paper:
        with pytest.raises(InputError, match="target_genes: 1000 genes are asked for, but only"):
            prepare("toy", dataset, tmp_path, tmp_path / "toy.h5ad")
        return
    prepare("toy", dataset, tmp_path, tmp_path / "toy.h5ad")
    adata = ad.read_h5ad(tmp_path / "toy.h5ad")
    counts = simulate(dataset.source).X.toarray()
    np.testing.assert_array_equal(adata.X.toarray(), counts[:, counts.any(0)])
    remark = f"all {counts.any(0).sum()} detected genes are kept, where target_genes is 1,000"
    assert list(adata.uns["dataset"]["remarks"]) == [remark]
    assert adata.uns["dataset"]["min_cells"] == (counts > 0).sum(0)[counts.any(0)].min()
    assert f"warning: {remark}\n" in capsys.readouterr().err
    assert table_1([tmp_path / "toy.h5ad"]).loc[0, "remark"].endswith(f"; {remark}")


def test_what_a_deposit_leaves_open_is_in_the_pedigree_and_table_1(tmp_path, capsys):
    deposit = geo_tree.write_liver(tmp_path, cells=27, genes=20, density=0.5)
    folder = tmp_path / geo_tree.LIVER
    deposit.suppl.rename(folder)
    (folder / liver.IDENTITIES).write_bytes(
        gzip.compress(f"Barcode,Type\n{deposit.barcodes[3]},B\nTTTT-4,B\n".encode())
    )
    write_manifest(folder / "manifest.tsv", [folder / liver.IDENTITIES])
    source = {"kind": "geo", "accession": geo_tree.LIVER}
    target = tmp_path / "liver.h5ad"
    prepare("liver", Dataset(title="Liver", source=source, filters={"empty_cells": "keep"}), tmp_path, target)
    adata = ad.read_h5ad(target)
    assert adata.obs["cell_type"].dropna().to_dict() == {deposit.barcodes[3]: "B"}
    (remark,) = adata.uns["dataset"]["remarks"]
    assert remark.startswith(f"{liver.IDENTITIES}: barcodes without counts")
    assert "remarks" not in adata.uns
    assert capsys.readouterr().err == f"warning: {remark}\n"
    assert table_1([target]).loc[0, "remark"] == remark


def test_two_rules_for_detection_are_refused():
    with pytest.raises(ValidationError, match="target_genes and min_cells both choose the genes by detection"):
        Filters(target_genes=10, min_cells=2)


def test_the_pedigree_of_a_file_names_all_that_was_read_and_the_detection_used(tmp_path):
    counts = pd.DataFrame([[1, 0, 2], [0, 0, 3], [4, 0, 5]], ["c1", "c2", "c3"], ["A", "B", "C"])
    counts.to_csv(tmp_path / "own.csv")
    pd.DataFrame({"type": ["x", "y", "x"]}, counts.index).to_csv(tmp_path / "labels.csv")
    source = {"kind": "file", "path": str(tmp_path / "own.csv"), "genes_in": "columns"}
    source |= {"labels": str(tmp_path / "labels.csv"), "cell_type": "type"}
    prepare("own", Dataset(title="Own", source=source, filters={"target_genes": 2}), tmp_path, tmp_path / "own.h5ad")
    adata = ad.read_h5ad(tmp_path / "own.h5ad")
    np.testing.assert_array_equal(adata.X.toarray(), [[1, 2], [0, 3], [4, 5]])
    assert list(adata.obs["cell_type"]) == ["x", "y", "x"]
    pedigree = adata.uns["dataset"]
    assert pedigree["min_cells"] == 2
    assert "min_cells" not in adata.uns
    assert pedigree["sha256"] == {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("own.csv", "labels.csv")
    }


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
        ({"min_counts": 10**6}, "data set toy: no cells are left; loosen min_counts or min_genes in filters"),
        ({"min_cells": 10**6}, "data set toy: no genes are left; loosen min_cells in filters"),
    ],
)
def test_filters_that_leave_nothing_are_refused_and_write_nothing(tmp_path, chosen, problem):
    with pytest.raises(InputError, match=problem):
        prepared(tmp_path, **chosen)
    assert list(tmp_path.rglob("*.h5ad")) == []
