"""Whole studies through Snakemake on the paper's deposits, served as GEO serves them, and on files of one's own."""

import hashlib
import os
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from tests.datasets import geo_tree
from tests.datasets.fault_server import Fault, FaultServer

from .conftest import STUDY, new_repository

pytestmark = pytest.mark.xdist_group("sources")


def test_both_series_are_downloaded_assembled_and_trained_on(tmp_path):
    root = tmp_path / "geo"
    liver = geo_tree.write_liver(root, cells=90, genes=40, density=0.3)
    wells = geo_tree.write_plates(root, plates=2, wells=24, genes=40, density=0.3)
    repository = new_repository(tmp_path / "project")
    for name, accession in (("small_liver", geo_tree.LIVER), ("small_myeloma", geo_tree.MYELOMA)):
        repository.add_dataset(
            name,
            {
                "title": name,
                "source": {"kind": "geo", "accession": accession},
                "filters": {"target_genes": 20, "empty_cells": "keep"},
            },
        )
    with FaultServer(root) as server:
        server.fail("series/GSE125nnn/GSE125188/suppl/GSE125188_CD45+_matrix.mtx.gz", Fault(cut=300))
        server.fail("series/GSE117nnn/GSE117156/soft/GSE117156_family.soft.gz", Fault(times=2, status=503))
        repository.write_study(
            STUDY
            | {
                "datasets": {"small_liver": {}, "small_myeloma": {}},
                "default_dataset": "small_liver",
                "experiments": {"alpha_z": {"grid": {"alpha_z": [0.1]}, "datasets": ["small_liver", "small_myeloma"]}},
                "geo_url": server.url,
            }
        )
        repository.snakemake("--jobs", "2")

    results = repository.folder / "results" / "tiny"
    for name, deposit in (("small_liver", liver), ("small_myeloma", wells)):
        actual = ad.read_h5ad(results / "data" / f"{name}.h5ad")
        detected = np.asarray((deposit.counts > 0).sum(0)).ravel()
        kept = detected >= np.sort(detected)[-20]
        np.testing.assert_array_equal(actual.X.toarray(), deposit.counts.toarray()[:, kept])
    runs = pd.read_parquet(results / "runs.parquet")
    assert runs.groupby("dataset").size().to_dict() == {"small_liver": 2, "small_myeloma": 2}
    assert (runs["status"] == "ok").all()
    lock = (repository.folder / "config" / "data.lock.tsv").read_text()
    assert "GSE117156_RAW.tar" in lock
    # the server is gone: a second run asks it for nothing
    assert repository.planned() == {}


def test_files_that_were_put_there_by_hand_are_not_asked_for(tmp_path):
    deposit = geo_tree.write_liver(tmp_path / "geo", cells=90, genes=40, density=0.3)
    repository = new_repository(tmp_path / "project")
    repository.add_dataset("small_liver", {"title": "Liver", "source": {"kind": "geo", "accession": geo_tree.LIVER}})
    folder = repository.folder / "results" / "downloads" / geo_tree.LIVER
    folder.mkdir(parents=True)
    for file in (deposit.soft, *deposit.suppl.iterdir()):
        (folder / file.name).write_bytes(file.read_bytes())
    with FaultServer(tmp_path / "geo") as server:
        server.otherwise = Fault(times=None, status=403)
        study = {"datasets": {"small_liver": {}}, "default_dataset": "small_liver", "geo_url": server.url}
        repository.write_study(STUDY | study)
        repository.snakemake(f"results/downloads/{geo_tree.LIVER}/manifest.tsv")
        assert server.requests == []
    lock = (repository.folder / "config" / "data.lock.tsv").read_text()
    assert all(file.name in lock for file in (deposit.soft, *deposit.suppl.iterdir()))


def test_files_of_ones_own_and_behind_a_url(tmp_path, counts):
    table = pd.DataFrame(counts.X.toarray().T.astype(int), index=counts.var_names, columns=counts.obs_names)
    table = pd.concat([table] * 6, axis=1)
    table.columns = [f"cell-{i}" for i in range(table.shape[1])]
    repository = new_repository(tmp_path / "project")
    table.to_csv(repository.folder / "mine.csv")
    served = tmp_path / "served"
    served.mkdir()
    table.T.to_csv(served / "theirs.tsv.gz", sep="\t")
    sha256 = hashlib.sha256((served / "theirs.tsv.gz").read_bytes()).hexdigest()
    with FaultServer(served) as server:
        own = {"kind": "file", "path": "mine.csv", "genes_in": "rows"}
        far = {"kind": "file", "url": f"{server.url}/theirs.tsv.gz", "sha256": sha256, "genes_in": "columns"}
        repository.add_dataset("mine", {"title": "Mine", "source": own})
        repository.add_dataset("theirs", {"title": "Theirs", "source": far})
        repository.write_study(STUDY | {"datasets": {"mine": {}, "theirs": {}}, "default_dataset": "mine"})
        repository.snakemake("results/tiny/table-1.tsv")
    for name in ("mine", "theirs"):
        actual = ad.read_h5ad(repository.folder / "results" / "tiny" / "data" / f"{name}.h5ad")
        np.testing.assert_array_equal(actual.X.toarray(), table.to_numpy().T)
    # the data set is prepared again when its file changes
    (table + 1).to_csv(repository.folder / "mine.csv")
    assert repository.planned("results/tiny/table-1.tsv") == {"prepare": 1, "table_1": 1}
    # also by one that was written earlier, as mv and cp -p put it there
    long_ago = 1_577_836_800  # 2020-01-01
    os.utime(repository.folder / "mine.csv", (long_ago, long_ago))
    assert repository.planned("results/tiny/table-1.tsv") == {"prepare": 1, "table_1": 1}


def test_trainings_are_kept_where_a_file_of_ones_own_has_another_time_alone(tmp_path, counts):
    repository = new_repository(tmp_path / "project")
    table = pd.DataFrame(np.tile(counts.X.toarray().astype(int), (6, 1)), columns=counts.var_names)
    table.to_csv(repository.folder / "mine.csv")
    source = {"kind": "file", "path": "mine.csv", "genes_in": "columns"}
    repository.add_dataset("mine", {"title": "Mine", "source": source})
    repository.write_study(STUDY | {"datasets": {"mine": {}}, "default_dataset": "mine"})
    repository.snakemake("results/tiny/runs.parquet")
    os.utime(repository.folder / "mine.csv", (1_577_836_800, 1_577_836_800))
    repository.snakemake("results/tiny/runs.parquet")
    logs = [file.read_text() for file in (repository.folder / "results/tiny/logs/train").rglob("*.log")]
    assert len(logs) == 2
    assert all(log.count("kept from an earlier job") == 2 for log in logs)
    assert repository.planned("results/tiny/runs.parquet") == {}


def test_without_a_token_controlled_data_are_left_out_and_named(tmp_path, monkeypatch):
    monkeypatch.delenv("SYNAPSE_AUTH_TOKEN", raising=False)
    repository = new_repository(tmp_path / "project")
    experiments = {"alpha_z": {"grid": {"alpha_z": [0.1]}, "datasets": ["toy", "rosmap"]}}
    repository.write_study(STUDY | {"datasets": {"toy": {}, "rosmap": {}}, "experiments": experiments})
    printed = repository.snakemake("--dry-run")
    assert printed.count("Left out: rosmap, since access is controlled and SYNAPSE_AUTH_TOKEN is not set.") == 1
    assert repository.planned()["train"] == 1
    monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", "a token")
    assert repository.planned()["train"] == 2
    assert repository.planned()["fetch"] == 1


def test_the_papers_plan_follows_from_its_configuration(tmp_path, monkeypatch):
    monkeypatch.delenv("SYNAPSE_AUTH_TOKEN", raising=False)
    repository = new_repository(tmp_path / "project")
    planned = repository.planned("--configfile", "config/paper.yaml")
    # per experiment of the paper: its points, less those that an earlier one has; two data sets for the likelihoods
    points = 6 + (6 - 1) + (14 - 1) + (4 - 1) + (4 - 1) + (9 - 1) + (6 - 1) + (3 - 1) + 3
    points += 4 - 1  # the DCA-like models; the other experiments share their settings
    assert points == 51
    assert planned["train"] == points * 12 / 3  # seeds, three to a job
    assert planned["fetch"] == 2
    jobs = sum(planned.values()) + 1  # and rule all
    page = (Path(__file__).parents[2] / "docs" / "study.md").read_text()
    assert f"the plan: {jobs} jobs without ROSMAP, {planned['train']} of them training" in page
