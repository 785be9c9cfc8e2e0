"""A metric is a file in the folder, and nothing else; what it says of itself is true."""

import numpy as np
import pytest

from zipo import metrics
from zipo.metrics.shared.case import KINDS, Case

WORDS = {"held_out", "distribution", "truth", "cell_types", "markers", "latent", "batches", "pseudotime", "cost"}
WORDS |= {"proteins", "other_donors", *KINDS}

DROPPED = """
title = "Largest denoised count"
measures = {"largest": "low"}
needs = ("held_out",)

def score(case):
    return {"largest": float(case.denoised.max())}
"""


def test_what_a_metric_says_of_itself():
    actual = metrics.discover()
    assert set(actual) == set(metrics.known())
    assert "shared" not in actual
    for module in actual.values():
        assert module.title
        assert set(module.needs) <= WORDS
        assert set(module.measures.values()) <= {"low", "high"}
    names = [measure for module in actual.values() for measure in module.measures]
    assert len(names) == len(set(names)), "two metrics share the name of a number"
    assert metrics.measures()["poisson_deviance"] == "low"
    by_a_distribution = {"held_out_nll", "posterior_deviance", "posterior_mse"}
    assert set(metrics.unranked()) >= {*by_a_distribution, "gene_totals", "library_rmse", "null_differences"}
    assert set(metrics.unranked()) <= set(names)
    assert all(metrics.unranked().values())


def test_a_file_dropped_into_the_folder_is_a_metric(tmp_path, monkeypatch, shallow_cases):
    (tmp_path / "largest_count.py").write_text(DROPPED)
    monkeypatch.setattr(metrics, "__path__", [*metrics.__path__, str(tmp_path)])
    case = shallow_cases["no_denoising"]
    assert "largest_count" in metrics.known()
    assert metrics.measures()["largest"] == "low"
    assert metrics.allowed(case)["largest_count"].score(case) == {"largest": case.counts.max()}


def test_a_case_is_scored_by_what_it_has(shallow_cases):
    case = shallow_cases["oracle"]
    bare = Case(case.counts, case.denoised)
    assert set(metrics.allowed(bare)) >= {"gene_totals", "library_size", "zero_calibration"}
    assert not set(metrics.allowed(bare)) & {"cost", "held_out_counts", "markers", "simulated_truth"}
    assert set(metrics.scores(bare)) >= {"library_rmse", "zero_calibration", "pit_distance"}
    assert set(metrics.allowed(case)) >= {
        "clusters_denoised",
        "cost",
        "held_out_counts",
        "held_out_likelihood",
        "held_out_posterior",
        "library_size",
        "null_differences",
        "simulated_truth",
        "zero_calibration",
    }


def test_permuted_counts_are_for_those_who_ask(shallow_cases):
    case = shallow_cases["no_denoising"]
    permuted = Case(case.counts, case.denoised, cell_types=case.cell_types, kind="permuted", seconds=1.0, peak_mb=1.0)
    assert set(metrics.allowed(permuted)) == {"false_amplitude", "false_correlations"}


def test_a_case_from_files_takes_what_is_there(simulated):
    data, answer = simulated[:40].copy(), simulated[:40].copy()
    data.obs["cell_type"] = data.obs["cell_type"].astype(object)
    data.obs.iloc[0, 0] = np.nan
    data.uns["markers"] = {"type-1": ["gene-3", "gone", "gene-0"], "type-2": ["gone"]}
    answer.layers["denoised"] = answer.X.toarray()
    answer.obsm["latent"] = np.ones((40, 2))
    answer.var["size"] = 2.0
    case = Case.of(data, answer, training_share=0.8)
    assert case.cell_types[0] == ""
    assert case.cell_types[1] == data.obs["cell_type"].iloc[1]
    assert {name: list(genes) for name, genes in case.markers.items()} == {"type-1": [3, 0], "type-2": []}
    assert case.has == {"truth", "cell_types", "markers", "latent"}
    assert case.odds == pytest.approx(0.25)
    expected = data.layers["true_rates"] * (1 - data.layers["true_zero_probability"])
    np.testing.assert_allclose(case.true_means(slice(3, 9)), expected[3:9], rtol=1e-6)
    assert case.distribution(slice(3, 9)).size.shape == (6, data.n_vars)
