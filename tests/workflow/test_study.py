"""A real study through Snakemake: its outputs, and what an edit reruns."""

from copy import deepcopy
from pathlib import Path

import pandas as pd
import pytest
import yaml

from .conftest import DATASET, STUDY, new_repository

pytestmark = pytest.mark.xdist_group("workflow")  # one worker, so that the study runs once

PREPARED = {"prepare": 1, "table_1": 1, "totals": 1}
CONFIGURED = {"configuration": 1}
# figures 8, 11 and 12, and the page of provenance
AFTER_TRAINING = {"runs_table": 1, "figure": 3, "claims": 1, "provenance": 1, "page": 1, "front": 1, "report": 1}


def test_a_study_leaves_tables_figures_and_a_report(finished):
    results = finished.folder / "results" / "tiny"
    runs = pd.read_parquet(results / "runs.parquet")
    assert len(runs) == 4
    assert runs.groupby("setting")["seed"].apply(list).tolist() == [[1, 2], [1, 2]]
    assert sorted(runs["experiments"].unique()) == ["alpha_z", "alpha_z,likelihood"]
    assert (runs["status"] == "ok").all()
    text = pd.read_csv(results / "runs.tsv", sep="\t", keep_default_na=False, na_values=["NA"])
    pd.testing.assert_frame_equal(text, runs, check_dtype=False)
    assert pd.read_csv(results / "table-1.tsv", sep="\t")["cells_after"].tolist() == [90]
    for figure in ("figure-02", "figure-08", "figure-11", "figure-12"):
        assert (results / "figures" / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
        assert (results / "figures" / f"{figure}.pdf").read_bytes().startswith(b"%PDF")
        assert len(pd.read_csv(results / "figures" / f"{figure}.tsv", sep="\t")) > 0
    report = (results / "report.html").read_text()
    assert "The weight of the penalty on squared zero-inflation probabilities" in report
    verdicts = pd.read_csv(results / "claims.tsv", sep="\t").set_index("id")["verdict"]
    assert verdicts["first_layer_trend"] == verdicts["huge_alpha_z_worsens_nll"] == "not run"
    assert verdicts["zip_sparse"] == "not run"  # 0.0001 is no prune threshold of the tiny study
    assert ">Figure 8</h2>" in (results / "claims.html").read_text()
    assert not list(results.rglob("*.part*"))


def test_a_finished_study_has_nothing_to_do(repository):
    assert repository.planned() == {}


def test_editing_a_figure_redraws_that_figure_only(repository):
    repository.edit("zipo/figures/figure_08.py")
    assert repository.planned() == {"figure": 1, "front": 1, "report": 1}
    assert "figure-08" in repository.snakemake("--dry-run", "--quiet", "progress")


def test_a_new_claim_decides_claims_only(repository):
    claim = {
        "figure": 8, "section": "III-D", "claim": "The weakest penalty leaves some zero inflation.",
        "data": ["liver"], "experiment": "alpha_z", "kind": "share", "measure": "test_mean_zero_probability",
        "of": {"alpha_z": "smallest"}, "direction": "greater", "bound": 0.0,
    }  # fmt: skip
    repository.edit("config/claims.yaml", yaml.safe_dump({"a_new_one": claim}))
    assert repository.planned() == {"claims": 1, "front": 1, "report": 1}
    claims = repository.folder / "results" / "tiny" / "claims.tsv"
    repository.snakemake(str(claims.relative_to(repository.folder)))
    rows = pd.read_csv(claims, sep="\t").set_index("id")
    assert rows.loc["a_new_one", "verdict"] in ("reproduced", "undecided")
    assert rows.loc["a_new_one", "pairs"] == 2


def test_a_bad_claim_is_refused_before_anything_starts(tmp_path):
    repository = new_repository(tmp_path / "project")
    repository.edit(
        "config/claims.yaml", "a_bad_one: {kind: trend, section: III, claim: c, experiment: e, overr: depth}\n"
    )
    done = repository.try_snakemake()
    assert done.returncode != 0
    assert "config/claims.yaml: a_bad_one.trend" in done.stdout
    assert not (repository.folder / "results").exists()


def test_a_figure_with_a_fault_is_refused_before_anything_starts(tmp_path):
    repository = new_repository(tmp_path / "project")
    (repository.folder / "zipo" / "figures" / "figure_mine.py").write_text("title = (\n")
    done = repository.try_snakemake("results/tiny/table-1.tsv")
    assert done.returncode != 0
    assert "zipo/figures/figure_mine.py: cannot be imported (SyntaxError: '(' was never closed" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (repository.folder / "results").exists()


def test_editing_the_model_retrains(repository):
    repository.edit("zipo/engine/model.py")
    assert repository.planned() == {"train": 2} | AFTER_TRAINING


def test_editing_a_reader_prepares_again(repository):
    repository.edit("zipo/datasets/sources/simulated.py")
    assert repository.planned() == PREPARED | {"train": 2} | AFTER_TRAINING | {"figure": 5, "page": 2}


def test_editing_what_a_data_set_does_not_use_reruns_nothing(repository):
    repository.edit("zipo/datasets/transfer/fetch.py")
    repository.edit("zipo/datasets/geo/liver.py")
    repository.edit("zipo/figures/figure_05.py")
    assert repository.planned() == {}


def test_adding_a_point_trains_that_point_only(repository):
    study = deepcopy(STUDY)
    study["experiments"]["alpha_z"]["grid"]["alpha_z"].append(10)
    repository.write_study(study)
    assert repository.planned() == {"train": 1} | AFTER_TRAINING | CONFIGURED


def test_adding_an_experiment_of_known_settings_trains_nothing(repository):
    study = deepcopy(STUDY)
    study["experiments"]["alpha_w"] = {"grid": {"alpha_w": [0.1]}}
    repository.write_study(study)
    assert repository.planned() == AFTER_TRAINING | CONFIGURED | {"figure": 5}


def test_a_new_study_plans_every_job(tmp_path):
    repository = new_repository(tmp_path / "project")
    assert repository.planned() == PREPARED | CONFIGURED | {"train": 2} | AFTER_TRAINING | {"figure": 5, "page": 3}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"sedes": 3}, "config/tiny.yaml: sedes: unknown key 'sedes'; did you mean 'seeds'?"),
        ({"experiments": {"alpha_z": {"grid": {"alpha_z": []}}}}, "experiments.alpha_z.grid.alpha_z: [] will not do"),
    ],
)
def test_a_bad_configuration_is_refused_before_anything_starts(tmp_path, change, problem):
    repository = new_repository(tmp_path / "project")
    repository.write_study(STUDY | change)
    done = repository.try_snakemake()
    assert done.returncode != 0
    assert problem in done.stdout
    assert not (repository.folder / "results").exists()


def test_braces_in_texts_are_left_as_they_are(tmp_path):
    repository = new_repository(tmp_path / "project")
    repository.add_dataset("braces", DATASET | {"title": "Toy {dataset}"})
    study = {
        "title": "{figure} at {alpha_w}",
        "datasets": {"toy": {}, "braces": {}},
        "experiments": {"likelihood": {"points": [{"name": "{setting}"}]}},
        "benchmark": {"methods": {"pca": {}}, "reference": "pca", "splits": 1, "permuted": 0},
    }
    repository.write_study(STUDY | study)
    printed = repository.snakemake("--dry-run", "--printshellcmds")
    commands = [line for line in printed.splitlines() if "{figure} at {alpha_w}" in line]
    for command in ("figure", "claims", "leaderboard"):
        assert any(f"zipo study {command} " in line for line in commands), command
    assert any(line.startswith("title: ") for line in commands)  # of config.yaml
    assert '"title": "{figure} at {alpha_w}"' in printed
    assert '"braces": "Toy {dataset}"' in printed
    assert '"variant": "{setting}"' in printed


def test_bad_counts_are_refused_before_training(tmp_path):
    repository = new_repository(tmp_path / "project")
    study = STUDY | {"datasets": {"toy": {"filters": {"min_cells": 1000}}}}
    repository.write_study(study)
    done = repository.try_snakemake()
    assert done.returncode != 0
    assert "error: data set toy: no genes are left; loosen min_cells in filters" in done.stdout
    assert not list(Path(repository.folder / "results").rglob("seeds-*.json"))


NEW_FIGURE = '''
"""Figure 99: a new figure in one file."""

from zipo.figures.shared.comparison import Comparison

title = "batch size"
caption = "The test NLL for several batch sizes."
experiments = ("batch_size",)
comparison = Comparison(x="batch_size", x_label="Batch size (cells)", measures=("test_nll",))
numbers, draw = comparison.of(*experiments)
'''


def test_a_new_experiment_a_new_claim_and_a_new_figure_need_nothing_else(repository):
    grid = {"batch_size": [16, 32]}
    repository.edit("config/experiments.yaml", "\nbatch_size: {title: Size of a batch, grid: {batch_size: [16, 32]}}\n")
    repository.edit(
        "config/claims.yaml",
        """
batches_matter:
  section: none
  claim: Smaller batches give a lower NLL.
  data: [liver]
  experiment: batch_size
  kind: difference
  measure: test_nll
  of: {batch_size: smallest}
  than: {batch_size: largest}
  direction: less
  smallest_effect: {relative: 0.01}
""",
    )
    (repository.folder / "zipo" / "figures" / "figure_99.py").write_text(NEW_FIGURE)
    study = deepcopy(STUDY)
    study["experiments"]["batch_size"] = {}
    repository.write_study(study)
    assert repository.planned()["train"] == 1
    repository.snakemake()
    results = repository.folder / "results" / "tiny"
    numbers = pd.read_csv(results / "figures" / "figure-99.tsv", sep="\t")
    runs = pd.read_csv(results / "runs.tsv", sep="\t")
    runs = runs[runs["experiments"].str.contains("batch_size")]
    plain = runs.groupby("batch_size")["test_nll"]
    assert numbers["batch_size"].tolist() == grid["batch_size"]
    assert numbers["mean"].tolist() == pytest.approx(plain.mean().tolist())
    assert numbers["bar"].tolist() == pytest.approx((1.6449763571 * plain.sem()).tolist(), rel=1e-4)
    claims = pd.read_csv(results / "claims.tsv", sep="\t").set_index("id")
    assert claims.loc["batches_matter", "verdict"] in ("reproduced", "not reproduced", "undecided")
