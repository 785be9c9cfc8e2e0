"""Every metric ranks the true mean, no denoising, the gene mean and all zeros as they are known to rank."""

import dataclasses

import numpy as np
import pytest

from zipo.metrics import (
    held_out_counts,
    held_out_likelihood,
    held_out_posterior,
    library_size,
    null_differences,
    simulated_distribution,
    simulated_truth,
    zero_calibration,
)
from zipo.metrics.held_out_counts import expected

ORDER = ["oracle", "no_denoising", "gene_mean", "zeros"]


def measured(module, measure, cases, names=ORDER):
    """The values of the controls, low is good."""
    sign = {"low": 1, "high": -1}[module.measures[measure]]
    return [sign * module.score(cases[name])[measure] for name in names]


def assert_ascending(values):
    assert (np.diff(values) > 0.005 * np.abs(values[:-1])).all(), values


@pytest.mark.parametrize("measure", ["poisson_deviance", "mse_counts"])
def test_held_out_counts_of_deep_cells(deep_cases, measure):
    """Cells differ by more than their noise, so that their own counts tell more than the gene's mean."""
    assert_ascending(measured(held_out_counts, measure, deep_cases))


@pytest.mark.parametrize("measure", ["posterior_deviance", "posterior_mse"])
def test_held_out_counts_of_deep_cells_by_a_distribution(deep_cases, measure):
    """The same order where each control is taken as an NB, whose posterior draws on the counts."""
    as_nb = {
        name: dataclasses.replace(case, rates=case.denoised, size=np.full(case.counts.shape[1], 50.0))
        for name, case in deep_cases.items()
    }
    assert_ascending(measured(held_out_posterior, measure, as_nb))


@pytest.mark.parametrize("measure", ["poisson_deviance", "mse_counts"])
def test_held_out_counts_of_shallow_cells(shallow_cases, measure):
    values = dict(zip(ORDER, measured(held_out_counts, measure, shallow_cases), strict=True))
    assert values["oracle"] < min(values["no_denoising"], values["gene_mean"])
    assert values["zeros"] > max(values["no_denoising"], values["gene_mean"])


def test_scoring_a_thin_split_as_log_cp10k_would_prefer_zeros(shallow_cases):
    """The trap that scores on the count scale keep out of."""
    case = shallow_cases["oracle"]
    held_out = case.held_out.toarray()

    def error(prediction):
        scaled = [np.log1p(1e4 * x / np.maximum(x.sum(1, keepdims=True), 1)) for x in (held_out, prediction)]
        return np.mean((scaled[0] - scaled[1]) ** 2)

    everything = slice(0, len(held_out))
    assert error(np.zeros_like(held_out)) < error(expected(case, everything))
    assert held_out_counts.score(case)["mse_counts"] < held_out_counts.score(shallow_cases["zeros"])["mse_counts"]


def test_held_out_likelihood(deep_cases, shallow_cases):
    assert_ascending(measured(held_out_likelihood, "held_out_nll", deep_cases))
    assert_ascending(measured(held_out_likelihood, "held_out_nll", shallow_cases, ["oracle", "gene_mean", "zeros"]))


@pytest.mark.parametrize("measure", simulated_truth.measures)
def test_simulated_truth(deep_cases, shallow_cases, measure):
    ends = ["oracle", "no_denoising", "zeros"]
    for cases in (deep_cases, shallow_cases):
        assert_ascending(measured(simulated_truth, measure, cases, ends))
        bound = 0.0 if measure == "truth_mse" else 1.0
        assert simulated_truth.score(cases["oracle"])[measure] == pytest.approx(bound, abs=1e-6)
    if measure != "truth_gene_correlation":  # of which the gene mean has none, as zeros
        assert_ascending(measured(simulated_truth, measure, deep_cases))


def test_simulated_distribution(deep_cases, shallow_cases):
    """Rates of deep cells in the full order; where much is lost, counts are no rates, and gene means may be closer."""
    deep, shallow = (
        {name: dataclasses.replace(case, rates=case.denoised) for name, case in cases.items() if name != "oracle"}
        | {"oracle": cases["oracle"]}
        for cases in (deep_cases, shallow_cases)
    )
    assert_ascending(measured(simulated_distribution, "truth_rates_mse", deep))
    assert_ascending(measured(simulated_distribution, "truth_rates_mse", shallow, ["oracle", "gene_mean", "zeros"]))
    assert_ascending(measured(simulated_distribution, "truth_rates_mse", shallow, ["oracle", "no_denoising", "zeros"]))
    assert_ascending(measured(simulated_distribution, "truth_loss_mse", shallow, ["oracle", "zeros"]))


def test_zero_calibration(shallow_cases):
    """Both the truth and the mean over cells expect zeros where they are; counts as their own means do not."""
    for measure in zero_calibration.measures:
        assert_ascending(measured(zero_calibration, measure, shallow_cases, ["oracle", "no_denoising", "zeros"]))
        assert_ascending(measured(zero_calibration, measure, shallow_cases, ["oracle", "gene_mean", "zeros"]))


def test_library_size(shallow_cases):
    none, mean, truth, zeros = measured(
        library_size, "library_rmse", shallow_cases, ["no_denoising", "gene_mean", "oracle", "zeros"]
    )
    assert [none, mean] == pytest.approx([0, 0], abs=1e-6)
    assert none < truth < zeros


def test_null_differences(deep_cases):
    """Noise of each gene by itself gives 5 % in all draws; a gene mean differs nowhere."""
    none = null_differences.score(deep_cases["no_denoising"])
    assert none["null_differences"] == pytest.approx(0.05, abs=0.01)
    assert none["null_differences_worst"] < 0.15
    assert null_differences.score(deep_cases["zeros"]) == dict.fromkeys(null_differences.measures, 0.0)
