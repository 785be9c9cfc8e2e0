"""Where training goes on, parts that are frozen stay to the bit, as do all statistics, and the others do not."""

import pytest
import torch

from tests.engine.test_model import batch, network
from zipo.engine.optimizer import Adam
from zipo.engine.training import step

FROZEN = {
    "first_layer": ["encoder.first."],
    "encoder": ["encoder."],
    "decoder": ["decoder.", "log_proportions.", "zero_logits.", "dispersion."],
    "library": ["library."],
}


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("names", [[], *([name] for name in FROZEN), ["encoder", "library"]])
def test_frozen_parts_stay_to_the_bit_and_the_others_move(names, dense):
    model = network(1, likelihood="zinb", decoder="7")
    model.kernels = not dense
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.fine_tune(frozen=names)
    optimizer = Adam(model.parameters(), [model.encoder.first])
    for _ in range(3):
        model.train()
        step(model, optimizer, 0.01, batch(1))
        model.eval()
    starts = tuple(start for name in names for start in FROZEN[name])
    for name, tensor in model.state_dict().items():
        kept = name.endswith(("running_mean", "running_var", "num_batches_tracked", "median_library"))
        frozen = kept or name.startswith(starts)
        assert torch.equal(tensor, before[name]) == frozen, name


def test_a_network_that_predicts_no_library_has_no_such_part():
    assert set(network(library="observed").parts) == {"first_layer", "encoder", "decoder"}
