"""A trained network's weights in a wider one: the same predictions, until what is new is seen."""

from dataclasses import replace

import pytest
import torch

from tests.engine.test_model import batch, network
from zipo.engine.grafting import graft
from zipo.engine.model import Network
from zipo.parameters import Parameters

SOURCES = [[0], [1], [0, 1], [2]]  # a level is new, and stands before another covariate


def wider(model: Network, genes: int, sources=SOURCES) -> Network:
    actual = Network(genes, model.hyper, len(sources), seed=1)
    graft(actual, model, sources)
    return actual.eval()


@pytest.mark.parametrize("decoder", ["linear", "7"])
@pytest.mark.parametrize(("likelihood", "dispersion"), [("zip", "logits"), ("zinb", "logits"), ("nb", "gene")])
def test_a_wider_network_says_the_same_of_what_both_know(decoder, likelihood, dispersion):
    model = network(3, decoder=decoder, likelihood=likelihood, dispersion=dispersion)
    with torch.no_grad():
        for buffer in model.buffers():
            buffer.add_(1)  # as if trained
    model.eval()
    known = torch.tensor([[1.0, 0.0, 0.3], [0.0, 1.0, -2.0]]).repeat(3, 1)
    cells = replace(batch(), covariates=known)
    seen = replace(cells, genes=14, covariates=torch.stack([known[:, 0], known[:, 1], 0 * known[:, 0], known[:, 2]], 1))
    # the first genes are the earlier ones, and none of the further ones has counts
    before, after = model(cells), wider(model, 14)(seen)
    torch.testing.assert_close(after.latent, before.latent)
    torch.testing.assert_close(after.log_library, before.log_library)
    for name in ("logits", "zero_logits", "dispersion"):
        if getattr(before, name) is not None:
            torch.testing.assert_close(getattr(after, name)[:, :11], getattr(before, name))


def test_a_new_level_starts_as_the_average_of_those_known():
    model = network(3)
    weights = wider(model, 11).log_proportions.weight
    torch.testing.assert_close(weights[:, 5], model.log_proportions.weight[:, 3:5].mean(dim=1))
    torch.testing.assert_close(weights[:, 6], model.log_proportions.weight[:, 5])


def test_further_genes_start_as_in_a_fresh_network():
    model = network(2)
    actual = wider(model, 14, [[0], [1]])
    fresh = Network(14, Parameters(encoder="8-6-5-3"), 2, seed=1)
    assert torch.equal(actual.encoder.first.weight[11:], fresh.encoder.first.weight[11:])
    assert torch.equal(actual.zero_logits.weight[11:], fresh.zero_logits.weight[11:])
    assert torch.equal(actual.encoder.first.weight[:11], model.encoder.first.weight)
