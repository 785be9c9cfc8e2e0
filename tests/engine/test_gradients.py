"""Losses, gradients and statistics written out, against autograd in double precision and torch's batch norm."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from zipo.engine.batches import Counts
from zipo.engine.blocks import BEFORE
from zipo.engine.gradients import are_written_out, leave_gradients
from zipo.engine.loss import TermWeights, objective, scored
from zipo.engine.model import Network
from zipo.engine.optimizer import Adam
from zipo.engine.training import step, train
from zipo.parameters import Parameters

CELLS, GENES = 30, 40
OPTIONS = [
    {"residuals": "none"},
    {"residuals": 1},
    {"residuals": "full", "batch_norm": "before"},
    {"batch_norm": "none", "activation": "relu"},
    {"batch_norm": "before", "activation": "relu6"},
    {"batch_norm": "after", "activation": "relu6", "library_network": 5},
    {"encoder": "4", "likelihood": "poisson"},
    {"encoder": "12-4", "decoder": "6", "likelihood": "zinb"},
    {"encoder": "16-12-9-7-4", "decoder": "6-9", "batch_norm": "before", "likelihood": "nb", "dispersion": "gene"},
    {"library": "observed", "likelihood": "zinb", "dispersion": "gene_cell", "batch_norm": "none"},
    {"inference": "refined", "library": "observed", "input": "normalised_log1p", "alpha_w": 0.0},
]
named = pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))


def counts(cells: int = CELLS, covariates: int = 2) -> Counts:
    rng = np.random.default_rng(4)
    matrix = rng.poisson(rng.gamma(0.5, 4, (cells, GENES)))
    return Counts(csr_matrix(matrix), rng.standard_normal((cells, covariates)), torch.device("cpu"))


def network(covariates: int = 2, **options) -> Network:
    """A network whose weights are nowhere zero or one, so that each shows in all gradients."""
    chosen = Parameters(**{"encoder": "16-12-4", "alpha_w": 0.3, "alpha_rate": 1e-3} | options)
    model = Network(GENES, chosen, covariates, median_library=60.0, seed=2)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, weight in [*model.named_parameters(), *model.named_buffers()]:
            moved = any(part in name for part in ("norm", "library.1.", "start", "shift", "log_excess"))
            if moved and weight.is_floating_point():
                weight.add_(0.3 * torch.rand(weight.shape, generator=generator))
    return model.train()


def by_autograd(model: Network, batch) -> tuple[float, dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Loss, gradients and buffers after it, in double precision and without any kernel."""
    exact = copy.deepcopy(model).double()
    exact.kernels = False
    for name in ("values", "constant", "library_size", "covariates"):
        setattr(batch, name, getattr(batch, name).double())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "float", torch.Tensor.double)  # by which outputs of reduced precision are read
        patch.setattr(torch, "zeros", partial(torch.zeros, dtype=torch.float64))
        loss, _ = objective(exact, batch)
        loss.backward()
    return loss.item(), {name: each.grad for name, each in exact.named_parameters()}, dict(exact.named_buffers())


def compare(model: Network, data: Counts, cells: torch.Tensor, tolerance: float = 1e-6) -> None:
    batch = data.batch(cells)
    assert are_written_out(model, batch)
    expected, gradients, buffers = by_autograd(model, data.batch(cells))
    first = model.encoder.first
    first.expect_gradient()
    assert leave_gradients(model, batch).item() == pytest.approx(expected, rel=2e-6)
    largest = max(gradient.abs().max().item() for gradient in gradients.values())
    inputs = batch.scattered(model.transform(batch))
    for name, weight in model.named_parameters():
        ours = weight.grad
        if weight is first.weight:
            model.kernels = False
            ours = inputs.T @ first.by_output
            if first.by_sparsity:
                leaf = weight.detach().clone().requires_grad_()
                (first.by_sparsity * l1_over_l2(leaf)).backward()
                ours = ours + leaf.grad
            model.kernels = True
        # sums that batch norm makes zero are differences of numbers as large as the others
        np.testing.assert_allclose(ours, gradients[name], rtol=100 * tolerance, atol=tolerance * largest, err_msg=name)
    for name, buffer in model.named_buffers():
        np.testing.assert_allclose(buffer, buffers[name], rtol=1e-5, atol=1e-6, err_msg=name)


def l1_over_l2(weights: torch.Tensor) -> torch.Tensor:
    """As the paper has it."""
    return (weights.abs().mean(0) / weights.square().mean(0).sqrt()).mean()


@named
def test_losses_gradients_and_statistics_are_those_of_autograd_in_double_precision(options):
    compare(network(**options), counts(), torch.arange(CELLS))


@named
def test_of_two_cells_too(options):
    # whose differences batch norm makes large, with their rounding
    compare(network(**options), counts(), torch.tensor([3, 11]), tolerance=2e-5)


@named
def test_with_fixed_statistics_too(options):
    model = network(**options)
    model.fine_tune()
    before = copy.deepcopy(dict(model.named_buffers()))
    compare(model.train(), counts(), torch.arange(CELLS))
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, before[name]), name


def test_without_covariates_too():
    compare(network(0, encoder="16-12-4", likelihood="zinb"), counts(covariates=0), torch.arange(CELLS))


@pytest.mark.parametrize(
    "options",
    [
        {"activation": "gelu"},
        {"precision": "bfloat16"},
        {"likelihood": "nb", "rate_penalty": "library"},
    ],
)
def test_what_is_not_written_out_is_left_to_autograd(options):
    model, batch = network(**options), counts().batch(torch.arange(CELLS))
    assert not are_written_out(model, batch)
    assert np.isfinite(step(model, Adam(model.parameters(), [model.encoder.first]), 0.01, batch).item())


def test_a_single_cell_and_a_network_without_kernels_are_left_to_autograd():
    model, data = network(), counts()
    assert not are_written_out(model, data.batch(torch.tensor([3])))
    model.kernels = False
    assert not are_written_out(model, data.batch(torch.arange(CELLS)))


@named
def test_three_epochs_have_the_losses_of_autograd_without_kernels(options):
    data, losses = counts(200), []
    for kernels in (True, False):
        small = {"batch_size": 32, "max_epochs": 3, "learning_rate": 2e-3}
        model = network(**options | small)
        model.kernels = kernels
        history = train(model, data, counts(40), seed=1).history
        # gradients of biases before a batch norm are zero but for rounding, of which Adam makes steps of full length:
        # they change nothing in training, and in evaluation the distance of the running means from them
        settled = not any(block.order == BEFORE for block in [*model.layers.encoder, *model.layers.library])
        names = ("training_loss", "validation_loss") if settled else ("training_loss",)
        losses.append([epoch[name] for epoch in history for name in names])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_threads_change_no_bit():
    before, steps = torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        model = network(likelihood="zinb", encoder="300-12-4")
        model.encoder.first.expect_gradient()
        loss = leave_gradients(model, counts().batch(torch.arange(CELLS)))
        steps.append([loss, *(weight.grad for weight in model.parameters() if weight.grad is not None)])
    torch.set_num_threads(before)
    assert all(torch.equal(one, two) for one, two in zip(*steps, strict=True))


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "relu6"])
@pytest.mark.parametrize("batch_norm", ["none", "before", "after"])
def test_what_is_no_number_is_no_loss(activation, batch_norm):
    model = network(activation=activation, batch_norm=batch_norm)
    model.encoder.first.bias.data[3] = torch.nan
    model.encoder.first.expect_gradient()
    assert leave_gradients(model, counts().batch(torch.arange(CELLS))).isnan()


def test_a_copy_of_a_network_has_its_own_layers():
    model, batch = network(), counts().batch(torch.arange(CELLS))
    step(model, Adam(model.parameters(), [model.encoder.first]), 0.01, batch)
    twin, before = copy.deepcopy(model), copy.deepcopy(model.state_dict())
    step(twin, Adam(twin.parameters(), [twin.encoder.first]), 0.01, batch)
    assert all(torch.equal(model.state_dict()[name], weights) for name, weights in before.items())
    assert not torch.equal(twin.encoder.blocks[1].linear.weight, model.encoder.blocks[1].linear.weight)


@pytest.mark.parametrize("by_rate", [False, True])
@pytest.mark.parametrize("likelihood", ["poisson", "zip", "nb", "zinb"])
def test_gradients_in_the_memory_of_the_outputs_are_the_same(likelihood, by_rate):
    rng, cells, genes = np.random.default_rng(6), 5, 1100  # more than two blocks of genes
    matrix = csr_matrix(rng.poisson(rng.gamma(0.5, 2, (cells, genes))))
    batch = Counts(matrix, np.zeros((cells, 0)), torch.device("cpu")).batch(torch.arange(cells))
    drawn = [torch.from_numpy(rng.normal(0, 1, (cells, genes)).astype(np.float32)) for _ in range(3)]
    logits, zero_logits, dispersion = drawn
    zero_logits = zero_logits if likelihood.startswith("z") else None
    dispersion = None if likelihood in ("poisson", "zip") else dispersion
    outputs = torch.log(batch.library_size), logits, zero_logits, dispersion
    weights = TermWeights(1.0, 0.1, 0.01, 0.001)
    apart = scored(outputs, by_rate, batch, weights, learn=True)
    within = scored(outputs, by_rate, batch, weights, learn=True, overwrite=True)
    assert within.loss == apart.loss
    for expected, got, output in zip(apart.gradients[1:], within.gradients[1:], outputs[1:], strict=True):
        assert torch.equal(got, expected)
        assert output is None or got.data_ptr() == output.data_ptr()
