"""A likelihood that is added by its class and one line: a generalised Poisson, without a compiled kernel."""

from math import factorial

import numpy as np
import pytest
import torch
from torch import Tensor

from zipo import InputError, ZiPo
from zipo.engine.likelihoods import BASES, Dense
from zipo.parameters import Parameters, ParameterValues
from zipo.shared.likelihoods import FAMILIES, Family

COUNTS = torch.arange(400.0)


class GeneralisedPoisson(Dense):
    """Consul & Jain 1973: mean m, variance m / (1 - share)^2, with share = sigmoid(theta)."""

    def __init__(self, log_rates: Tensor, theta: Tensor) -> None:
        self.rates, self.share, self.theta = log_rates.exp(), torch.sigmoid(theta), theta
        self.base_rates = self.rates * torch.sigmoid(-theta)

    @property
    def parameters(self) -> dict[str, Tensor]:
        return {"rates": self.rates, "share": self.share}

    @property
    def mean(self) -> Tensor:
        return self.rates

    def log_prob_zero(self) -> Tensor:
        return -self.base_rates

    def log_prob_positive(self, counts: Tensor, constant: Tensor | None = None) -> Tensor:
        total = self.base_rates + self.share * counts
        return torch.log(self.base_rates) + (counts - 1) * torch.log(total) - total - torch.lgamma(counts + 1)

    def at(self, index: Tensor) -> "GeneralisedPoisson":
        return GeneralisedPoisson(self.rates.log().flatten()[index], self.theta.flatten()[index])

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        uniform = torch.rand(self.rates.shape, generator=generator)
        counts, below = torch.zeros_like(uniform), torch.exp(self.log_prob_zero())
        for count in range(1, 100):
            counts = torch.where(uniform > below, float(count), counts)
            below = below + torch.exp(self.log_prob_positive(torch.full_like(uniform, count)))
        return counts


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(BASES, "gp", GeneralisedPoisson)
    monkeypatch.setitem(FAMILIES, "gp", Family("gp", overdispersed=True))
    monkeypatch.setitem(FAMILIES, "zigp", Family("gp", overdispersed=True, zero_inflated=True))


def probability(x: int, m: float, share: float) -> float:
    """The generalised Poisson by its definition."""
    base = m * (1 - share)
    return base * (base + share * x) ** (x - 1) * np.exp(-base - share * x) / factorial(x)


@pytest.mark.parametrize(("m", "share"), [(0.3, 0.1), (4.0, 0.5), (11.0, 0.3)])
def test_the_class_is_the_distribution_by_its_definition(m, share):
    theta = torch.full_like(COUNTS, np.log(share / (1 - share)))
    likelihood = GeneralisedPoisson(torch.full_like(COUNTS, np.log(m)), theta)
    probabilities = likelihood.log_prob(COUNTS).double().exp().numpy()
    np.testing.assert_allclose(probabilities[:30], [probability(x, m, share) for x in range(30)], rtol=1e-4)
    assert probabilities.sum() == pytest.approx(1, rel=1e-5)
    assert probabilities @ COUNTS.double().numpy() == pytest.approx(m, rel=1e-4)


@pytest.mark.parametrize("likelihood", ["gp", "zigp"])
def test_a_model_is_trained_with_it_and_denoises(simulated, tmp_path, likelihood):
    simulated = simulated[:300]
    x = simulated.X.toarray()
    p = {"encoder": "16-6", "batch_size": 64, "max_epochs": 20, "rate_penalty": "none", "likelihood": likelihood}
    model = ZiPo(**p).fit(simulated)
    history = [epoch["training_loss"] for epoch in model.training.history]
    assert history[-1] < history[0]

    parts = model.distribution(simulated)
    assert list(parts) == (["rates", "share"] if likelihood == "gp" else ["rates", "zero_probability", "share"])
    z = parts.get("zero_probability", np.zeros_like(x)).astype(float)
    m, share = parts["rates"].astype(float), parts["share"].astype(float)
    np.testing.assert_allclose(model.denoise(simulated), (1 - z) * m, rtol=1e-4, atol=1e-6)
    some = np.random.default_rng(1).integers(0, x.shape, (200, 2))
    brute = [sum(n * probability(n, m[i, j], share[i, j]) for n in range(120)) for i, j in some if m[i, j] < 20]
    np.testing.assert_allclose(brute, [m[i, j] for i, j in some if m[i, j] < 20], rtol=1e-4)

    base = m * (1 - share)
    logs = np.cumsum(np.log(np.maximum(np.arange(x.max() + 1), 1)))[x.astype(int)]
    log_prob = np.log(base) + (x - 1) * np.log(base + share * x) - base - share * x - logs
    nll = -np.log(z * (x == 0) + (1 - z) * np.exp(log_prob)).mean()
    assert model.loss(simulated) == pytest.approx(nll, rel=1e-4)
    assert model.check(simulated).nll < model.gene_poisson_nll(simulated)
    assert model.sample(simulated).mean() == pytest.approx(((1 - z) * m).mean(), rel=0.05)

    model.save(tmp_path / "model")
    np.testing.assert_array_equal(ZiPo.load(tmp_path / "model").denoise(simulated), model.denoise(simulated))


def test_its_name_and_capabilities_are_known_without_torch():
    assert (Parameters(likelihood="zigp").zero_inflated, Parameters(likelihood="zigp").overdispersed) == (True, True)
    names = ParameterValues.model_json_schema()["properties"]["likelihood"]["enum"]
    assert names == ["poisson", "nb", "zip", "zinb", "gp", "zigp"]
    with pytest.raises(InputError, match=r"'gauss' will not do: .*'poisson', 'nb', 'zip', 'zinb', 'gp' or 'zigp'"):
        ZiPo(likelihood="gauss")


def test_metrics_do_not_take_it_for_a_distribution_that_they_know(simulated):
    from zipo.methods import zipo as method

    small = {"encoder": "8-4", "max_epochs": 1, "device": "cpu"}
    known = method.denoise(simulated[:60], seed=1, likelihood="nb", **small)
    unknown = method.denoise(simulated[:60], seed=1, likelihood="gp", **small)
    assert set(known.layers) - set(simulated.layers) == {"denoised", "rates", "size"}
    assert set(unknown.layers) - set(simulated.layers) == {"denoised"}
