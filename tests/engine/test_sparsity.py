"""Zeros of the first layer: the threshold against scipy's minimiser, the schedule, and what it keeps."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from tests.engine.test_model import batch, network
from zipo.engine.batches import Counts
from zipo.engine.checkpoints import Checkpoints, Stopped
from zipo.engine.model import Network
from zipo.engine.optimizer import Adam
from zipo.engine.sparsity import Sparsification, input_spread
from zipo.engine.training import step, train, validation_losses
from zipo.parameters import Parameters

SPARSE = {"sparsity": "proximal", "weights_kept": 0.05, "sparsity_epochs": 4, "encoder": "16-6", "batch_size": 64}


def of(matrix):
    return Counts(matrix, np.zeros((matrix.shape[0], 0)), torch.device("cpu"))


def start(simulated, **parameters):
    """An untrained network, with training and validation counts."""
    p = Parameters(**SPARSE | {"max_epochs": 10} | parameters)
    return Network(simulated.n_vars, p, median_library=400, seed=5), of(simulated.X[:400]), of(simulated.X[400:500])


def shares_of(simulated, **parameters):
    """A trained network, its training, and which weights were not zero after each epoch."""
    model, training, validation = start(simulated, **parameters)
    supports = []
    outcome = train(model, training, validation, 1, lambda *_: supports.append(model.encoder.first.weight != 0))
    return model, outcome, supports


@pytest.mark.parametrize("dense", [False, True])
def test_a_step_minimises_the_penalty_in_the_metric_of_adam(dense):
    """<g, w> + |w - before|^2 / 2 rate + sum thresholds |w|, in units of each gradient's root mean square."""
    model, rate = network(alpha_w=0), 0.05
    model.kernels, layer = not dense, model.encoder.first
    optimizer = Adam(model.parameters(), [layer])
    for _ in range(3):
        step(model, optimizer, rate, batch())
    thresholds = layer.thresholds = torch.linspace(0.1, 1.5, len(layer.weight))
    before = layer.weight.detach().numpy().astype(float).copy()
    step(model, optimizer, rate, batch())

    place = next(number for number, weight in enumerate(optimizer.weights) if weight is layer.weight)
    moments = optimizer.first_moments, optimizer.second_moments
    first, second = (each[place].numpy().astype(float) for each in moments)
    gradient, metric = first / (1 - 0.9**4), np.sqrt(second / (1 - 0.999**4)) + 1e-8
    actual, zeros = layer.weight.detach().numpy(), 0
    for gene, neuron in np.ndindex(actual.shape):
        d, g, old, kappa = metric[gene, neuron], gradient[gene, neuron], before[gene, neuron], thresholds[gene].item()

        def goal(w, d=d, g=g, old=old, kappa=kappa):
            return g / d * w + (w - old) ** 2 / (2 * rate) + kappa * abs(w)

        inside = [minimize_scalar(goal, bounds=ends, method="bounded", options={"xatol": 1e-9}) for ends in
                  [(-2, 0), (0, 2)]]  # fmt: skip
        best = min([*(each.x for each in inside), 0.0], key=goal)
        zeros += best == 0
        assert actual[gene, neuron] == pytest.approx(best, abs=2e-6)
        assert (actual[gene, neuron] == 0) == (best == 0)
    assert 0 < zeros < actual.size


def test_the_kernels_lose_the_weights_that_dense_arithmetic_loses(simulated):
    actual = {}
    for dense in (False, True):
        model, training, _ = start(simulated)
        model.kernels, layer = not dense, model.encoder.first
        optimizer, sparsification = Adam(model.parameters(), [layer]), Sparsification(model, training)
        model.train()
        for epoch in range(1, 7):
            sparsification.start(epoch)
            for cells in training.batches(64):
                step(model, optimizer, 0.01, cells)
            sparsification.end(epoch, optimizer)
        actual[dense] = layer.weight.detach()
    assert torch.equal(actual[False] != 0, actual[True] != 0)
    torch.testing.assert_close(actual[False], actual[True], rtol=1e-2, atol=1e-4)


def test_the_share_falls_geometrically_and_then_the_support_stays(simulated):
    model, _, supports = shares_of(simulated)
    weights = model.encoder.first.weight
    for epoch, support in enumerate(supports, start=1):
        most = int(0.05 ** min(1, epoch / 4) * weights.numel())
        assert support.sum() <= most
        if epoch >= 4:
            assert support.sum() >= most - 2  # a weight left may still cross zero
    for earlier, later in pairwise(supports[3:]):
        assert torch.equal(earlier, later)


def test_only_weights_of_the_final_support_are_kept(simulated):
    # dense weights have the lower loss, yet those of the second half are returned, and patience starts there
    model, outcome, _ = shares_of(simulated, weights_kept=0.002, max_epochs=40, stop_patience=2, stop_threshold=0.5)
    losses = [epoch["validation_loss"] for epoch in outcome.history]
    assert min(losses[:3]) < min(losses[3:])
    assert outcome.best_epoch >= 4
    assert outcome.stopped_by == "patience"
    assert len(outcome.history) == outcome.best_epoch + 2
    assert model.encoder.first.share() <= 0.002
    _, _, validation = start(simulated)
    assert validation_losses(model, validation)[0] == pytest.approx(losses[outcome.best_epoch - 1], rel=1e-6)


@pytest.mark.parametrize("max_epochs", [1, 2, 5])
def test_a_short_training_is_sparse_in_half_of_its_epochs(simulated, max_epochs):
    model, outcome, _ = shares_of(simulated, max_epochs=max_epochs)
    assert outcome.best_epoch >= max(1, max_epochs // 2)
    assert 0 < model.encoder.first.share() <= 0.05


class StopsAfter(Checkpoints):
    """Asks its training to stop after a number of batches."""

    def __init__(self, folder, batches):
        super().__init__(folder, "same", float("inf"))
        self.batches = batches

    def offer(self, state):
        self.batches -= 1
        self.stop_soon = self.batches == 0
        super().offer(state)


@pytest.mark.parametrize("batches", [3, 14, 28, 30, 52])
def test_a_stopped_training_goes_on_to_the_same_zeros(simulated, tmp_path, batches):
    model, training, validation = start(simulated)
    with pytest.raises(Stopped):
        train(model, training, validation, 1, checkpoints=StopsAfter(tmp_path, batches))
    again, *_ = start(simulated)
    train(again, training, validation, 1, checkpoints=Checkpoints(tmp_path, "same", float("inf")))
    whole, *_ = start(simulated)
    train(whole, training, validation, 1)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


@pytest.mark.parametrize("seen", ["raw", "log1p", "normalised_log1p"])
def test_the_spread_is_that_of_what_the_encoder_sees(simulated, seen):
    model, training, _ = start(simulated, input=seen)
    x = simulated.X[:400].toarray().astype(float)
    scaled = x * (400 / x.sum(axis=1, keepdims=True).clip(min=1))
    expected = {"raw": x, "log1p": np.log1p(x), "normalised_log1p": np.log1p(scaled)}[seen].std(axis=0)
    np.testing.assert_allclose(input_spread(model, training), expected, rtol=1e-4)


def test_what_is_kept_are_the_largest_contributions_and_no_gene_without_counts(simulated):
    matrix = simulated.X[:400].toarray()
    matrix[:, 3] = 0
    training = of(matrix)
    model, *_ = start(simulated, sparsity_epochs=1, weights_kept=0.1)
    layer, sparsification = model.encoder.first, Sparsification(model, training)
    before, spread = layer.weight.detach().numpy().copy(), matrix  # log1p is the input
    contributions = np.abs(before) * np.log1p(spread).std(axis=0)[:, None]
    sparsification.start(1)
    assert torch.isinf(layer.thresholds[3])
    sparsification.end(1, Adam(model.parameters(), [layer]))
    largest = np.sort(contributions.ravel())[-240:].min()  # a tenth of 150 x 16
    np.testing.assert_array_equal(layer.weight.detach().numpy(), np.where(contributions >= largest, before, 0))
    assert not layer.weight[3].any()


def test_a_layer_that_is_sparse_keeps_its_support_and_a_frozen_one_its_weights(simulated):
    model, training, validation = start(simulated, max_epochs=3)
    layer = model.encoder.first
    with torch.no_grad():
        layer.weight[7:] = 0  # 7 of 150 genes are left
    model.fine_tune(frozen=["first_layer"])
    before = layer.weight.clone()
    train(model, training, validation, 1)
    assert torch.equal(layer.weight, before)
    layer.requires_grad_(True)
    train(model, training, validation, 1)
    assert torch.equal(layer.weight != 0, before != 0)
    assert not torch.equal(layer.weight, before)
