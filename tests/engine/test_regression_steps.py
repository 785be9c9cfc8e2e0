"""Steps of genes' regressions against numpy's solutions, and where the unbounded ones lead astray."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from zipo.engine import regression_steps as module
from zipo.engine.regression_steps import regression_steps

CELLS, GENES, INPUTS = 300, 7, 3
ROWS, COLUMNS = np.triu_indices(INPUTS)


@pytest.fixture
def problem(monkeypatch):
    """Inputs (cells, K), information (genes, K, K), precision (K,) and gradient (genes, K), in more parts than one."""
    monkeypatch.setattr(module, "GENES_AT_ONCE", 3)
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(CELLS, INPUTS))
    weights = rng.gamma(1, 1, (GENES, CELLS))
    information = np.einsum("gc,ck,cl->gkl", weights, inputs, inputs)
    return inputs, information, rng.gamma(2, 1, INPUTS), rng.normal(0, 100, (GENES, INPUTS))


def step(inputs, information, precision, gradient, largest):
    parts = torch.from_numpy(inputs).float().split(100)
    normal = torch.from_numpy(information[:, ROWS, COLUMNS]).float()
    precision, gradient = torch.from_numpy(precision).float(), torch.from_numpy(gradient).float()
    return regression_steps(normal, precision, gradient, parts, largest).numpy()


def test_short_steps_are_the_solutions_of_the_regressions(problem):
    _, information, precision, gradient = problem
    pairs = zip(information, gradient, strict=True)
    expected = [np.linalg.solve(matrix + np.diag(precision), slope) for matrix, slope in pairs]
    np.testing.assert_allclose(step(*problem, largest=1e6), expected, rtol=1e-4)


def test_long_steps_are_shortened_to_what_the_cell_that_moves_most_may(problem):
    inputs = problem[0]
    free = step(*problem, largest=1e6)
    change = np.abs(inputs @ free.T).max(axis=0)
    largest = np.median(change)
    bounded = step(*problem, largest=largest)
    np.testing.assert_allclose(np.abs(inputs @ bounded.T).max(axis=0), np.minimum(change, largest), rtol=1e-4)
    np.testing.assert_allclose(bounded, free * np.minimum(1, largest / change)[:, None], rtol=1e-4)


def test_a_gene_of_a_few_remote_cells_comes_to_its_poisson_regression():
    """Where a step was bounded for each standard deviation of the latents, it overshot such a gene's counts."""
    rng = np.random.default_rng(2)
    latent = np.append(rng.normal(0, 0.3, CELLS - 3), [4.5, 4.8, 5.0])
    x = np.append(rng.poisson(0.05, CELLS - 3), [180, 210, 240]).astype(float)
    inputs = np.column_stack([latent, np.ones(CELLS)])

    def loss(values):
        eta = inputs @ values
        return np.sum(np.exp(eta) - x * eta) + np.sum(values**2) / 2

    values, losses = np.array([0.0, np.log(x.mean())]), []
    for _ in range(40):
        rates = np.exp(inputs @ values)
        information = (inputs * rates[:, None]).T @ inputs
        normal = torch.from_numpy(information[np.triu_indices(2)])[None]
        gradient = torch.from_numpy(inputs.T @ (x - rates) - values)[None]
        one = torch.ones(2, dtype=torch.float64)
        values = values + regression_steps(normal, one, gradient, [torch.from_numpy(inputs).float()], 2.0)[0].numpy()
        losses.append(loss(values))
    best = minimize(loss, values)
    assert losses[-1] == pytest.approx(best.fun, abs=1e-3)
    np.testing.assert_allclose(values, best.x, atol=1e-3)
