"""Penalties against their formulas in numpy."""

import numpy as np
import pytest
import torch

from zipo.engine import loss


@pytest.fixture
def weights() -> torch.Tensor:
    return torch.randn(40, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_sparsity_is_the_papers_formula(weights):
    w = weights.numpy()
    expected = np.mean(np.abs(w).mean(axis=0) / np.sqrt((w**2).mean(axis=0)))
    assert loss.scale_invariant_sparsity(weights).item() == pytest.approx(expected, rel=1e-9)


def test_sparsity_ignores_the_scale_of_each_neuron(weights):
    scaled = weights * torch.tensor([1e-3, 1, 10, 1e3, 5, 0.2], dtype=torch.float64)
    torch.testing.assert_close(
        loss.scale_invariant_sparsity(scaled),
        loss.scale_invariant_sparsity(weights),
        rtol=1e-8,
        atol=0,
    )


def test_sparsity_gradient_matches_finite_differences(weights):
    assert torch.autograd.gradcheck(loss.scale_invariant_sparsity, (weights.requires_grad_(),))


def test_sparsity_of_one_gene_a_neuron_is_its_lower_bound():
    weights = torch.zeros(25, 3)
    weights[[4, 9, 20], [0, 1, 2]] = torch.tensor([1.0, -7.0, 0.3])
    assert loss.scale_invariant_sparsity(weights).item() == pytest.approx(1 / 5, rel=1e-6)


def test_sparsity_of_zero_weights_is_zero_with_zero_gradient():
    weights = torch.zeros(2, 9, requires_grad=True)
    value = loss.scale_invariant_sparsity(weights)
    value.backward()
    assert value.item() == 0
    assert weights.grad.abs().max().item() == 0


def test_the_rate_penalty_of_libraries_is_a_mean_square():
    rng = np.random.default_rng(2)
    library, observed = rng.gamma(2, 9, (7, 1)), rng.poisson(20.0, (7, 1)).astype(float)
    found = loss.library_rate(torch.tensor(library), torch.tensor(observed))
    assert found.item() == pytest.approx(np.mean((library - observed) ** 2), rel=1e-12)
