"""The first layer's kernels against dense arithmetic, torch's Adam and scipy."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from scipy.sparse import random as random_matrix

from zipo.engine import kernels as compiled
from zipo.engine.batches import Counts
from zipo.engine.loss import objective, scale_invariant_sparsity, sparsity_gradient
from zipo.engine.model import Network
from zipo.engine.optimizer import Adam
from zipo.engine.training import step
from zipo.parameters import Parameters
from zipo.shared.errors import InputError

CELLS, GENES = 30, 200
NO_ZEROS = np.zeros(GENES, np.float32), False
kernels = compiled.load("first_layer")


def entries(density=0.2, seed=0):
    """Counts in scipy's form, with empty rows and columns, and a batch of all of them."""
    rng = np.random.default_rng(seed)
    matrix = random_matrix(CELLS, GENES, density, "csr", random_state=rng, data_rvs=lambda n: rng.poisson(3, n) + 1.0)
    matrix = csr_matrix(matrix.multiply(np.arange(CELLS)[:, None] % 7 != 3).toarray())
    return matrix, Counts(matrix, np.zeros((CELLS, 0)), torch.device("cpu")).batch(torch.arange(CELLS))


def by_gene(batch):
    return kernels.gene_major(batch.starts.numpy(), batch.columns.numpy(), batch.values.numpy(), GENES)


def test_entries_are_ordered_by_gene_as_scipy_orders_them():
    matrix, batch = entries()
    columns = matrix.tocsc()
    columns.sort_indices()
    for actual, expected in zip(by_gene(batch), (columns.indptr, columns.indices, columns.data), strict=True):
        np.testing.assert_array_equal(actual, expected)


def by_cell(batch):
    return batch.starts.numpy(), batch.columns.numpy(), batch.values.numpy()


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("neurons", [1, 16, 600, 1025])
def test_the_product_is_the_dense_one(neurons, pieces):
    matrix, batch = entries()
    weights = np.random.default_rng(1).standard_normal((GENES, neurons)).astype(np.float32)
    out = np.zeros((CELLS, neurons), np.float32)
    for low, high in pairwise(neurons * piece // pieces for piece in range(pieces + 1)):
        if low < high:
            kernels.product(low, high, *by_cell(batch), weights, out)
    np.testing.assert_allclose(out, matrix.toarray() @ weights.astype(np.float64), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("neurons", [5, 700])
def test_learning_is_torchs_adam_on_the_dense_gradient(neurons):
    matrix, batch = entries()
    rng = np.random.default_rng(2)
    weights = rng.standard_normal((GENES, neurons)).astype(np.float32)
    weights[:, 0] = 0  # a neuron without weights has no gradient of the penalty
    theirs = torch.tensor(weights.astype(np.float64), requires_grad=True)
    optimizer = torch.optim.Adam([theirs], lr=0.01)
    moments, actual = np.zeros((2, GENES, neurons), np.float32), np.empty((2, 2, neurons))
    kernels.sums(0, 2, weights, actual)
    for count in range(1, 8):
        by_output = rng.standard_normal((CELLS, neurons)).astype(np.float32)
        gradient = sparsity_gradient(actual.sum(0), GENES, 0.3)
        penalty = tuple(part.astype(np.float32) for part in gradient)
        adam = 0.01 / (1 - 0.9**count), 1 / np.sqrt(1 - 0.999**count), 0.1, 0.999, 0.001, 1e-8
        numbers = tuple(map(np.float32, adam))
        kernels.learn(0, 2, by_gene(batch), by_output, penalty, weights, *moments, numbers, NO_ZEROS, actual)
        optimizer.zero_grad()
        penalty = 0.3 * scale_invariant_sparsity(theirs)
        outputs = torch.from_numpy(matrix.toarray()) @ theirs
        (penalty + (outputs * torch.from_numpy(by_output)).sum()).backward()
        optimizer.step()
        np.testing.assert_allclose(weights, theirs.detach().numpy(), rtol=2e-4, atol=2e-6)
    np.testing.assert_allclose(actual.sum(0)[0], np.abs(weights.astype(np.float64)).sum(0), rtol=1e-6)
    np.testing.assert_allclose(actual.sum(0)[1], np.square(weights.astype(np.float64)).sum(0), rtol=1e-6)


def test_threads_change_no_bit_of_the_kernels():
    _, batch = entries()
    rng, before = np.random.default_rng(1), torch.get_num_threads()
    weights, by_output = (rng.standard_normal((rows, 300)).astype(np.float32) for rows in (GENES, CELLS))
    actual = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        out, moments = np.zeros((CELLS, 300), np.float32), np.zeros((2, GENES, 300), np.float32)
        learned, penalty, sums = weights.copy(), (weights[0], weights[1]), np.zeros((2, 2, 300))
        compiled.share(kernels.product, 300, *by_cell(batch), weights, out)
        adam = tuple(map(np.float32, (0.01, 1.2, 0.1, 0.999, 0.001, 1e-8)))
        state = penalty, learned, *moments, adam, NO_ZEROS
        compiled.share(kernels.learn, 2, by_gene(batch), by_output, *state, sums)
        actual.append((out, learned, moments, sums))
    torch.set_num_threads(before)
    for one, two in zip(*actual, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("parameters", [{}, {"alpha_w": 0}, {"input": "normalised_log1p", "likelihood": "zinb"}])
def test_the_kernels_learn_what_dense_arithmetic_learns(parameters):
    matrix, _ = entries()
    counts = Counts(matrix, np.zeros((CELLS, 0)), torch.device("cpu"))
    actual = {}
    for dense in (False, True):
        p = Parameters(**{"encoder": "24-6", "alpha_w": 0.5} | parameters)
        network = Network(GENES, p, median_library=90.0, seed=3)
        network.kernels = not dense
        optimizer = Adam(network.parameters(), [network.encoder.first])
        network.train()
        losses = [step(network, optimizer, 0.002, batch).item() for _ in range(25) for batch in counts.batches(15)]
        actual[dense] = losses, network.encoder.first.weight.detach()
    assert actual[False][0] == pytest.approx(actual[True][0], rel=1e-5)
    torch.testing.assert_close(actual[False][1], actual[True][1], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.Adam])
def test_a_foreign_optimizer_meets_an_error_and_not_an_untrained_layer(make):
    _, batch = entries()
    network = Network(GENES, Parameters(encoder="24-6"), median_library=90.0, seed=3).train()
    step(network, Adam(network.parameters(), [network.encoder.first]), 0.01, batch)  # which leaves the layer as it was
    optimizer, before = make(network.parameters(), lr=0.01), network.encoder.first.weight.detach().clone()
    loss, _ = objective(network, batch)
    with pytest.raises(InputError, match=r"zipo\.engine\.optimizer\.Adam.*network\.kernels = False"):
        loss.backward()
    assert network.encoder.first.weight.grad is None
    network.kernels = False
    optimizer.zero_grad()
    objective(network, batch)[0].backward()
    optimizer.step()
    assert not torch.equal(network.encoder.first.weight, before)


def test_one_switch_turns_all_kernels_off(monkeypatch):
    _, batch = entries()
    network = Network(GENES, Parameters(encoder="24-6"), median_library=90.0, seed=3).eval()
    with torch.no_grad():
        expected = [value.item() for value in objective(network, batch)]
    loaded = []
    monkeypatch.setattr(compiled, "load", loaded.append)
    network.kernels = False
    with torch.no_grad():
        assert [value.item() for value in objective(network, batch)] == pytest.approx(expected, rel=1e-5)
    assert loaded == []
