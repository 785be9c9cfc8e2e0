"""The network's structure: residuals, heads, covariates, inputs and every option on the meta device."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from zipo.engine.batches import Batch, Counts
from zipo.engine.model import Network
from zipo.engine.optimizer import Adam
from zipo.engine.training import step
from zipo.parameters import Parameters, shaping_the_network

GENES, CELLS = 11, 6


def batch(covariates: int = 0) -> Batch:
    dense = torch.poisson(torch.full((CELLS, GENES), 1.5), generator=torch.Generator().manual_seed(5))
    rows, columns = dense.nonzero().T
    values, starts = dense[rows, columns], torch.searchsorted(rows.contiguous(), torch.arange(CELLS + 1))
    parts = (
        starts,
        columns.int().contiguous(),
        values,
        torch.zeros_like(values),
        dense.sum(1, keepdim=True),
        torch.ones(CELLS, covariates),
    )
    return Batch(CELLS, GENES, *parts)


def network(covariates: int = 0, **parameters) -> Network:
    return Network(GENES, Parameters(**{"encoder": "8-6-5-3"} | parameters), covariates)


@pytest.mark.parametrize(("residuals", "layers"), [("none", []), (1, [2]), (2, [1, 2]), ("full", [0, 1, 2])])
def test_latents_are_the_last_block_plus_projections_of_the_residual_layers(residuals, layers):
    model = network(residuals=residuals).eval()
    outputs, x = [], torch.log1p(batch().dense) @ model.encoder.first.weight + model.encoder.first.bias
    for block in model.encoder.blocks:
        x = block(x)
        outputs.append(x)
    expected = outputs[-1].clone()
    for projection, layer in zip(model.encoder.projections, layers, strict=True):
        expected += outputs[layer] @ projection.weight.T
    torch.testing.assert_close(model(batch()).latent, expected)


@pytest.mark.parametrize(
    ("order", "kinds"),
    [
        ("none", ["Linear", "GELU"]),
        ("before", ["Linear", "BatchNorm1d", "GELU"]),
        ("after", ["Linear", "GELU", "BatchNorm1d"]),
    ],
)
def test_order_of_batch_norm(order, kinds):
    model = network(batch_norm=order, activation="gelu", decoder="7")
    for block in [*model.encoder.blocks[1:], *model.decoder]:
        assert [type(layer).__name__ for layer in block] == kinds
    assert [type(layer).__name__ for layer in model.encoder.blocks[0]] == kinds[1:]  # its linear layer stands apart
    assert any(isinstance(layer, torch.nn.BatchNorm1d) for layer in model.library) == (order != "none")


def test_decoder_and_library_network_have_the_configured_widths():
    model = network(decoder="7-9", library_network="16-4", covariates=2)
    assert [tuple(block.linear.weight.shape) for block in model.decoder] == [(7, 5), (9, 7)]
    assert model.log_proportions.weight.shape == (GENES, 9)
    linear = [tuple(layer.weight.shape) for layer in model.library if isinstance(layer, torch.nn.Linear)]
    assert linear == [(16, 5), (4, 16), (1, 4)]


def test_proportions_sum_to_one_and_rates_to_the_library():
    prediction = network()(batch())
    np.testing.assert_allclose(prediction.log_proportions.exp().sum(1).detach(), 1, rtol=1e-5)
    torch.testing.assert_close(prediction.rates.sum(1), prediction.log_library.exp()[:, 0])


def test_an_observed_library_is_the_sum_of_the_counts():
    prediction = network(library="observed")(batch())
    torch.testing.assert_close(prediction.rates.sum(1), batch().dense.sum(1))


def test_inputs():
    counts = batch()
    raw, library = counts.dense, counts.dense.sum(1, keepdim=True)
    model = Network(GENES, Parameters(encoder="3", input="normalised_log1p"), median_library=14.0)
    torch.testing.assert_close(counts.scattered(model.transform(counts)), torch.log1p(raw / library * 14))
    assert torch.equal(counts.scattered(network(input="raw").transform(counts)), raw)
    assert torch.equal(counts.scattered(network(input="log1p").transform(counts)), torch.log1p(raw))


@pytest.mark.parametrize("dispersion", ["logits", "gene", "gene_cell"])
def test_dispersion_readings_agree_on_what_theta_means(dispersion):
    prediction = network(likelihood="zinb", dispersion=dispersion)(batch())
    log_inverse_size = prediction.theta - torch.log(prediction.rates)
    if dispersion == "logits":
        assert torch.equal(prediction.theta, prediction.dispersion)
    else:
        torch.testing.assert_close(log_inverse_size, prediction.dispersion.expand_as(log_inverse_size))
    assert (prediction.dispersion.shape[0] == 1) == (dispersion == "gene")


def test_covariates_change_the_decoder_but_not_the_latents():
    model = network(covariates=2).eval()
    one, other = batch(2), batch(2)
    other.covariates = other.covariates + 1
    assert torch.equal(model(one).latent, model(other).latent)
    assert not torch.allclose(model(one).rates, model(other).rates)


OPTIONS = [
    {"likelihood": likelihood, "dispersion": dispersion}
    for likelihood in ("poisson", "zip", "nb", "zinb")
    for dispersion in (("logits", "gene", "gene_cell") if "nb" in likelihood else ("logits",))
] + [
    {"activation": "relu6", "batch_norm": "before", "decoder": "4", "residuals": 1},
    {"activation": "relu", "batch_norm": "none", "input": "normalised_log1p", "reduction": "sum"},
    {"likelihood": "zinb", "rate_penalty": "library", "input": "raw"},
    {"likelihood": "nb", "rate_penalty": "none", "alpha_w": 0, "alpha_theta": 0},
    {"likelihood": "zinb", "library": "observed", "batch_norm": "before", "activation": "relu", "decoder": "7"},
    {"precision": "tf32"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))
def test_a_training_step_leaves_no_tensor_behind_on_the_cpu_nor_waits_for_the_device(options):
    model = network(covariates=2, **options).to("meta")
    counts = Counts(csr_matrix(batch().dense.numpy()), np.ones((CELLS, 2)), torch.device("meta"))
    adam = Adam(model.parameters(), [model.encoder.first])
    for cut in counts.batches(3, torch.randperm(CELLS)):
        loss = step(model, adam, 0.01, cut)  # meta tensors have no values: whoever asks for one fails
        assert loss.device.type == "meta"


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))
def test_every_weight_learns(options):
    model = network(covariates=2, **options)
    before = {name: weights.clone() for name, weights in model.named_parameters()}
    step(model, Adam(model.parameters(), [model.encoder.first]), 0.01, batch(2))
    for name, weights in model.named_parameters():
        assert not torch.equal(weights, before[name]), name


class Watched:
    """Hyper-parameters that record which of them are read."""

    def __init__(self, parameters, read):
        self._parameters, self._read = parameters, read

    def __getattr__(self, name):
        if name in Parameters.model_fields:
            self._read.add(name)
            return getattr(self._parameters, name)
        return getattr(Parameters, name).fget(self)


@pytest.mark.parametrize("likelihood", ["poisson", "zinb"])
def test_what_the_network_reads_is_marked_as_shaping_it(likelihood):
    read = set()
    p = Parameters(encoder="6-3", decoder="4", likelihood=likelihood)
    model = Network(GENES, Watched(p, read), covariates=2)
    model(batch(2))
    assert read - {"precision", "denoised"} <= shaping_the_network() - {"covariates"}
    assert {"encoder", "decoder", "activation", "input"} <= read
