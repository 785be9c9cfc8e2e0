"""A first layer of factors: blocks of genes that are known, numpy's moments, and a training that holds it."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.decomposition import NMF

from zipo.engine.batches import Counts
from zipo.engine.layer_factors import as_seen, leading_genes
from zipo.engine.loss import weight_penalty
from zipo.engine.model import Network
from zipo.engine.training import train
from zipo.parameters import Parameters
from zipo.shared.errors import InputError

HELD = {"sparsity": "factors", "weights_kept": 0.05, "encoder": "8-4", "batch_size": 64, "max_epochs": 3}


def of(matrix):
    return Counts(csr_matrix(matrix), np.zeros((matrix.shape[0], 0)), torch.device("cpu"))


def fitted(simulated, seed, **parameters):
    model = Network(simulated.n_vars, Parameters(**HELD | parameters), median_library=400, seed=seed)
    outcome = train(model, of(simulated.X[:400]), of(simulated.X[400:500]), seed)
    return model, outcome


def test_each_neuron_reads_a_block_of_genes_that_go_together():
    rng = np.random.default_rng(3)
    types = rng.integers(4, size=300)
    rates = np.full((4, 60), 0.5)
    for kind in range(4):
        rates[kind, 10 * kind : 10 * kind + 10] = 12  # the last 20 genes say nothing
    weights, _ = leading_genes(csr_matrix(np.log1p(rng.poisson(rates[types]))), 4, 10)
    blocks = sorted(tuple(np.flatnonzero(column)) for column in weights.T)
    assert blocks == [tuple(range(10 * kind, 10 * kind + 10)) for kind in range(4)]


def test_genes_lead_by_their_covariance_with_the_amounts_of_a_factor():
    seen = np.random.default_rng(4).gamma(0.5, size=(80, 12)) * np.linspace(0.2, 3, 12)
    seen[:, 5] = 0  # a gene without counts
    weights, means = leading_genes(csr_matrix(seen), 3, 4)
    spread = seen.std(axis=0)
    scaled = np.divide(seen, np.sqrt(spread), where=spread > 0, out=np.zeros_like(seen))
    amounts = NMF(3, init="nndsvd", max_iter=200, tol=1e-3, random_state=0).fit_transform(scaled)
    for factor in range(3):
        covariance = np.array([np.cov(amounts[:, factor], gene)[0, 1] for gene in scaled.T])
        first = set(np.argsort(-covariance)[:4][np.sort(covariance)[::-1][:4] > 0])
        assert set(np.flatnonzero(weights[:, factor])) == first
        ratio = [weights[gene, factor] * np.sqrt(spread[gene]) / covariance[gene] for gene in first]
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    np.testing.assert_allclose((seen @ weights).std(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose((seen @ weights).mean(axis=0), means, rtol=1e-5)


@pytest.mark.parametrize("kernels", [True, False])
def test_training_holds_the_weights_which_no_seed_changes(simulated, monkeypatch, kernels):
    monkeypatch.setattr(Network, "kernels", kernels)
    one, outcome = fitted(simulated, 1)
    layer, most = one.encoder.first, int(0.05 * simulated.n_vars)
    seen = as_seen(one, of(simulated.X[:400]))
    expected, means = leading_genes(seen, 8, most)
    np.testing.assert_array_equal(layer.weight.detach().numpy(), expected)
    assert layer.weight.count_nonzero(dim=0).max() == most
    assert not np.allclose(layer.bias.detach().numpy(), -means, atol=1e-3)
    assert outcome.history[-1]["training_loss"] < outcome.history[0]["training_loss"]
    other, _ = fitted(simulated, 2)
    assert torch.equal(layer.weight, other.encoder.first.weight)
    assert not torch.equal(one.log_proportions.weight, other.log_proportions.weight)
    assert weight_penalty(one) is None


def test_what_the_encoder_sees_are_the_transformed_counts(simulated):
    model = Network(simulated.n_vars, Parameters(**HELD), seed=1)
    np.testing.assert_allclose(as_seen(model, of(simulated.X[:150])).toarray(), np.log1p(simulated.X[:150].toarray()))


def test_of_many_cells_some_are_taken(simulated, monkeypatch):
    monkeypatch.setattr("zipo.engine.layer_factors.CELLS", 100)
    model = Network(simulated.n_vars, Parameters(**HELD), seed=1)
    some, again = (as_seen(model, of(simulated.X[:400])).toarray() for _ in range(2))
    assert len(some) == 128  # two batches
    np.testing.assert_array_equal(some, again)
    counts = {tuple(row) for row in simulated.X[:400].toarray().tolist()}
    assert {tuple(row) for row in np.expm1(some).round().tolist()} <= counts


def test_more_neurons_than_factors_are_refused(simulated):
    with pytest.raises(InputError, match=r"encoder 101-4: .* 400 training cells x 100 genes have 100 at most"):
        fitted(simulated[:, :100], 1, encoder="101-4")
