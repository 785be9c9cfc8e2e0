"""Totals of the genes at the start and after the fit of their biases."""

import numpy as np
import pytest
import torch

from zipo.engine.batches import Counts
from zipo.engine.gene_totals import fit_gene_totals, start_at_gene_means
from zipo.engine.model import Network
from zipo.parameters import Parameters

LIKELIHOODS = ["poisson", "nb", "zip", "zinb"]


def parts(simulated, scale=1):
    chosen = simulated.X[:300] * scale, simulated.X[300:340] * scale
    return [Counts(matrix, np.zeros((matrix.shape[0], 0)), torch.device("cpu")) for matrix in chosen]


def network_for(counts, **parameters):
    median = float(counts.library_size.median())
    p = Parameters(**{"encoder": "16-6", "batch_size": 64} | parameters)
    return Network(counts.genes, p, median_library=median, seed=1)


@torch.no_grad()
def expected(network, counts):
    """(cells, genes) expected counts."""
    network.eval()
    return torch.cat([network(batch).likelihood.mean for batch in counts.batches(64)]).double().numpy()


@pytest.mark.parametrize("scale", [1, 200])
def test_rates_start_near_the_gene_shares_times_the_median_library(simulated, scale):
    counts, _ = parts(simulated, scale)
    network = network_for(counts, likelihood="poisson")
    start_at_gene_means(network, counts)
    totals, library = (np.asarray(simulated.X[:300].sum(axis=axis)).ravel() * scale for axis in (0, 1))
    trivial = totals / totals.sum() * np.median(library)
    # the random weights of the heads alone stand between the two
    ratio = expected(network, counts).mean(axis=0)[totals > 0] / trivial[totals > 0]
    assert np.median(ratio) == pytest.approx(1, rel=0.5)
    assert 0.2 < ratio.min() < ratio.max() < 5


@pytest.mark.parametrize("library", ["predicted", "observed"])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_fitted_totals_are_those_of_the_counts(simulated, likelihood, library):
    both = parts(simulated)
    network = network_for(both[0], likelihood=likelihood, library=library)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    fit_gene_totals(network, both)
    totals = np.asarray(simulated.X[:340].sum(axis=0)).ravel()
    means = sum(expected(network, part).sum(axis=0) for part in both)
    assert means.sum() == pytest.approx(totals.sum(), rel=0.005)
    np.testing.assert_allclose(means[totals >= 10], totals[totals >= 10], rtol=0.005)
    moved = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    scale = {"predicted": {"library.4.bias", "library.6.bias"}, "observed": {"log_excess"}}[library]
    assert moved - scale == {"log_proportions.bias"}


def test_frozen_biases_stay(simulated):
    both = parts(simulated)
    network = network_for(both[0])
    network.fine_tune(frozen=["decoder"])
    before = network.log_proportions.bias.clone()
    fit_gene_totals(network, both)
    assert torch.equal(network.log_proportions.bias, before)
    assert sum(expected(network, part).sum() for part in both) == pytest.approx(simulated.X[:340].sum(), rel=0.005)
