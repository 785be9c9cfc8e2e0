"""A search for hyper-parameters through Snakemake: run, left alone, continued, and built upon."""

from copy import deepcopy

import pandas as pd
import pytest
import yaml

from .conftest import STUDY, new_repository

pytestmark = pytest.mark.xdist_group("tuning")

SEARCH = {"trials": 2, "encoders": ["8-4", "8-6-4"]}
BEST = "results/tiny/best.yaml"
AS_WRITTEN = {"keep_default_na": False, "na_values": ["NA"], "float_precision": "round_trip"}


def test_a_search_is_run_continued_and_built_upon(tmp_path):
    repository = new_repository(tmp_path / "project")
    study = deepcopy(STUDY) | {"tuning": SEARCH}
    repository.write_study(study)
    repository.snakemake(BEST)
    assert repository.planned(BEST) == {}

    results = repository.folder / "results" / "tiny"
    trials = pd.read_csv(results / "trials.tsv", sep="\t", **AS_WRITTEN)
    pd.testing.assert_frame_equal(trials, pd.read_parquet(results / "trials.parquet"), check_dtype=False)
    best = yaml.safe_load((results / "best.yaml").read_text())
    row = trials.loc[trials["validation_nll"].idxmin()]
    assert best == {name: row[name] for name in ("encoder", "alpha_z", "alpha_w")} | {"batch_size": 32}
    for name in ("history", "importances"):
        assert (results / "figures" / f"tuning-{name}.png").read_bytes().startswith(b"\x89PNG")

    # more trials continue the search
    repository.write_study(study | {"tuning": SEARCH | {"trials": 3}})
    repository.snakemake("results/tiny/figures/figure-14.png")
    continued = pd.read_parquet(results / "trials.parquet")
    assert len(continued) == 3
    pd.testing.assert_frame_equal(continued[:2], trials, check_dtype=False)

    # an experiment that starts from the best
    study["experiments"]["alpha_z"]["base"] = BEST
    repository.write_study(study | {"tuning": SEARCH | {"trials": 3}})
    planned = repository.planned()
    assert (planned["train"], planned["figure"]) == (3, 5)  # figure 14 is drawn
    (results / "best.yaml").unlink()
    refused = repository.try_snakemake("--dry-run")
    assert refused.returncode != 0
    assert (
        f"config/tiny.yaml: experiments.alpha_z.base: {BEST}: no such file; a search for hyper-parameters writes it"
        in refused.stdout
    )
