"""Pruning against a loop over neurons."""

import pytest
import torch

from zipo.engine.model import Network
from zipo.engine.pruning import pruned, weights_above
from zipo.parameters import Parameters


def test_weights_are_kept_relative_to_their_neurons_largest():
    weights = torch.randn(30, 5, generator=torch.Generator().manual_seed(2))
    kept = weights_above(weights, 0.25)
    for neuron in range(5):
        largest = max(abs(w) for w in weights[:, neuron].tolist())
        assert kept[:, neuron].tolist() == [abs(w) >= 0.25 * largest for w in weights[:, neuron].tolist()]


def test_the_network_is_pruned_within_the_context_only():
    network = Network(30, Parameters(encoder="8-4"))
    before = network.encoder.first.weight.detach().clone()
    with pruned(network, 0.5) as share:
        inside = network.encoder.first.weight.detach().clone()
    assert 0 < share < 1
    assert (inside != 0).float().mean().item() == pytest.approx(share)
    assert torch.equal(inside[inside != 0], before[inside != 0])
    assert torch.equal(network.encoder.first.weight, before)
