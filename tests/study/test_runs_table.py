"""Table I against the data set files it is read from."""

import numpy as np
import pandas as pd
import pytest

from zipo.datasets.catalogue import Dataset
from zipo.datasets.prepare import prepare
from zipo.shared.errors import InputError
from zipo.shared.tables import write_parquet, write_tsv
from zipo.study.provenance import provenance
from zipo.study.runs_table import runs_table
from zipo.study.table_1 import table_1


def test_table_1_counts_cells_genes_and_density(tmp_path):
    import anndata as ad

    source = {"kind": "simulated", "cells": 50, "genes": 40, "median_library": 80}
    file = tmp_path / "toy.h5ad"
    prepare("toy", Dataset(title="Toy", tissue="None", source=source, filters={"min_cells": 30}), tmp_path, file)
    x = ad.read_h5ad(file).X.toarray()
    row = table_1([file]).iloc[0]
    assert (row["dataset"], row["title"], row["cells_before"], row["genes_before"]) == ("toy", "Toy", 50, 40)
    assert (row["cells_after"], row["genes_after"]) == x.shape
    assert row["nonzero_share_after"] == pytest.approx((x > 0).mean())
    assert row["median_library_after"] == np.median(x.sum(1))


def test_both_forms_of_a_table_agree(tmp_path):
    table = pd.DataFrame({"setting": ["a", "b"], "test_nll": [1.5, np.nan], "residuals": ["none", "2"]})
    write_parquet(table, tmp_path / "runs.parquet")
    write_tsv(table, tmp_path / "runs.tsv")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "runs.parquet"), table)
    # only NA is missing here: pandas would also read "none" as such by default
    text = pd.read_csv(tmp_path / "runs.tsv", sep="\t", keep_default_na=False, na_values=["NA"])
    pd.testing.assert_frame_equal(text, table)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["runs.parquet", "runs.tsv"]


def test_provenance_adds_up_what_the_runs_say():
    runs = pd.DataFrame(
        {
            "setting": ["a", "a", "b"],
            "status": ["ok", "diverged", "ok"],
            "seconds": [60.0, 30.0, 90.0],
            "epochs": [5, 2, 7],
            "peak_memory_mb": [100.0, 300.4, 200.0],
            "device": "cpu",
            "threads": 1,
            "python": "3.11.7",
            "torch": ["2.13.0", "2.13.0", "2.14.0"],
            "zipo": "0.1.0",
            "git_commit": "abc",
        }
    )
    values = provenance(runs).set_index("name")["value"]
    assert values["settings"] == 2
    assert values["runs"] == 3
    assert values["runs that are diverged"] == 1
    assert values["torch"] == "2.13.0, 2.14.0"
    assert values["training, hours in all"] == 0.05
    assert values["longest run, minutes"] == 1.5
    assert values["epochs in all"] == 14
    assert values["peak memory of a job, MB"] == 300


OF_OTHER_ROWS = '[{"row": {"setting": "a"}, "history": [], "sha256": "0123"}]'


@pytest.mark.parametrize("text", ['[{"row": {"setting": "a"', "", '{"row": 1}', '[{"seed": 1}]', OF_OTHER_ROWS])
def test_a_damaged_file_of_runs_is_set_aside_by_name(tmp_path, text):
    file = tmp_path / "seeds-1-3.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"seeds-1-3\.json: damaged"):
        runs_table("s", {}, [file])
    assert [path.name for path in tmp_path.iterdir()] == ["seeds-1-3.json.damaged"]
