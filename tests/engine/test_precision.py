"""Reduced precision and torch's compiler change how a step is computed, not what it learns."""

from functools import partial

import pytest
import torch

from tests.engine.test_model import OPTIONS, batch, network
from zipo.engine import training
from zipo.engine.loss import objective
from zipo.engine.optimizer import Adam
from zipo.engine.precision import tf32
from zipo.engine.training import step


def dense_network(**parameters):
    model = network(covariates=2, **parameters)
    model.kernels = False
    return model


def losses(steps: int, **parameters) -> torch.Tensor:
    """Of steps on one batch, as a GPU takes them."""
    model = dense_network(**parameters)
    adam = Adam(model.parameters(), [model.encoder.first])
    return torch.stack([step(model, adam, 0.01, batch(2)) for _ in range(steps)])


def test_bfloat16_multiplies_rounded_numbers():
    model = dense_network(precision="bfloat16", residuals="none", library="observed")
    actual = model(batch(2))
    first, head = model.encoder.first, model.log_proportions
    x = torch.addmm(first.bias.bfloat16(), torch.log1p(batch().dense).bfloat16(), first.weight.bfloat16())
    for block in model.encoder.blocks:
        x = block(x) if not hasattr(block, "linear") else rounded_block(block, x)
    known = torch.cat([x.float(), batch(2).covariates], dim=1).bfloat16()
    expected = torch.nn.functional.linear(known, head.weight.bfloat16(), head.bias.bfloat16())
    assert torch.equal(actual.logits, expected.float())
    assert actual.logits.dtype == actual.latent.dtype == torch.float32


def rounded_block(block, x):
    linear, *rest = block
    x = torch.nn.functional.linear(x.bfloat16(), linear.weight.bfloat16(), linear.bias.bfloat16())
    for module in rest:
        x = module(x)
    return x


@pytest.mark.parametrize("likelihood", ["poisson", "zip", "nb", "zinb"])
def test_bfloat16_learns_what_float32_learns(likelihood):
    exact, rounded = (losses(60, likelihood=likelihood, precision=each) for each in ("float32", "bfloat16"))
    assert not torch.equal(exact, rounded)
    assert exact[-1] < 0.95 * exact[0]
    torch.testing.assert_close(rounded, exact, rtol=0.01, atol=0)


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_predictions_are_in_float32_whatever_a_network_was_trained_in(precision):
    exact, other = dense_network().eval(), dense_network(precision=precision).eval()
    assert torch.equal(exact(batch(2)).logits, other(batch(2)).logits)


def test_tf32_lasts_for_a_step(monkeypatch):
    products, seen = torch.backends.cuda.matmul, []
    before = products.fp32_precision

    def watched(*arguments):
        seen.append(products.fp32_precision)
        return objective(*arguments)

    monkeypatch.setattr(training, "objective", watched)
    losses(1, precision="float32")
    losses(1, precision="tf32")
    assert seen == [before, "tf32"]
    assert products.fp32_precision == before != "tf32"
    with pytest.raises(KeyError), tf32(True):
        raise KeyError
    assert products.fp32_precision == before


@pytest.fixture
def traced(monkeypatch):
    """torch's compiler without its last stage, the generated code; what cannot be one graph fails."""
    compiling = partial(torch.compile, backend="aot_eager", fullgraph=True)
    monkeypatch.setattr(torch, "compile", compiling)
    training._fused.cache_clear()
    yield
    training._fused.cache_clear()
    torch.compiler.reset()


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))
def test_a_compiled_step_is_one_graph_with_the_same_losses(options, traced):
    torch.testing.assert_close(losses(3, compiled=True, **options), losses(3, **options))
