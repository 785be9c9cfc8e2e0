"""Likelihoods against scipy and 50-digit arithmetic, their gradients against finite differences."""

import mpmath
import numpy as np
import pytest
import torch
from scipy import stats

from zipo.engine.likelihoods import NegativeBinomial, Poisson, ZeroInflated

COUNTS = [0, 1, 2, 3, 5, 10, 11, 30, 100, 1000, 9999, 10000]
MEANS = [1e-8, 1e-4, 0.01, 0.5, 1.0, 5.0, 10.0, 11.0, 50.0, 1e3, 1.01e3, 9e3, 1e4, 1.01e4, 1e5, 1e6]
THETAS = [-30, -20, -10, -5, -2, 0, 0.5, 3, 10, 20, 30]
ZERO_LOGITS = [-40, -10, -3, 0, 2, 10, 40]
EULER = 0.5772156649015329


def grid(*axes):
    """All combinations, one float32 tensor an axis."""
    return [torch.tensor(axis.ravel(), dtype=torch.float32) for axis in np.meshgrid(*axes)]


def log_nb(x, log_m, theta):
    """log NB in 50 digits, from the textbook formula."""
    with mpmath.workdps(50):
        x, log_m, theta = (mpmath.mpf(float(value)) for value in (x, log_m, theta))
        size = mpmath.exp(log_m - theta)
        gammas = mpmath.loggamma(x + size) - mpmath.loggamma(size) - mpmath.loggamma(x + 1)
        return float(gammas - size * mpmath.log1p(mpmath.exp(theta)) - x * mpmath.log1p(mpmath.exp(-theta)))


def inflate(log_f, x, r):
    """log of the mixture, given the base's log-probability, in 50 digits."""
    with mpmath.workdps(50):
        z = 1 / (1 + mpmath.exp(-mpmath.mpf(float(r))))
        return float(mpmath.log((z if x == 0 else 0) + (1 - z) * mpmath.exp(mpmath.mpf(float(log_f)))))


def assert_close(actual, expected, tolerance=1e-5):
    """Equal to the tolerance, relative above 1 nat and absolute below."""
    expected = np.asarray(expected)
    error = np.abs(actual.double().numpy() - expected) / np.maximum(1, np.abs(expected))
    assert error.max() < tolerance, f"largest error {error.max():.1e} at entry {error.argmax()}"


def test_poisson_agrees_with_scipy():
    x, log_m = grid(COUNTS, np.log(MEANS))
    assert_close(Poisson(log_m).log_prob(x), stats.poisson.logpmf(x.numpy(), np.exp(log_m.double().numpy())))


def test_negative_binomial_agrees_with_50_digits():
    x, log_m, theta = grid(COUNTS, np.log(MEANS), THETAS)
    assert_close(
        NegativeBinomial(log_m, theta).log_prob(x),
        [log_nb(*entry) for entry in zip(x, log_m, theta, strict=True)],
    )


def test_series_hold_in_double_precision_too():
    """A wrong term of a series can hide below float32, not here."""
    x, log_m, theta = (tensor.double() for tensor in grid(COUNTS, np.log(MEANS), [-20, -4, -1, 0, 2, 15]))
    nb = [log_nb(*entry) for entry in zip(x, log_m, theta, strict=True)]
    assert_close(NegativeBinomial(log_m, theta).log_prob(x), nb, tolerance=1e-8)
    poisson = stats.poisson.logpmf(x.numpy(), np.exp(log_m.numpy()))
    assert_close(Poisson(log_m).log_prob(x), poisson, tolerance=1e-8)


def test_negative_binomial_agrees_with_scipy_at_moderate_theta():
    x, log_m, theta = grid(COUNTS, np.log(MEANS), [-3, 0, 3])
    m, share = np.exp(log_m.double().numpy()), 1 / (1 + np.exp(theta.double().numpy()))
    size = m * np.exp(-theta.double().numpy())
    assert_close(NegativeBinomial(log_m, theta).log_prob(x), stats.nbinom.logpmf(x.numpy(), size, share))


@pytest.mark.parametrize("theta", [None, -20, -1, 3])
def test_zero_inflation_agrees_with_50_digits(theta):
    x, log_m, r = grid([0, 1, 7, 10000], np.log(MEANS), ZERO_LOGITS)
    if theta is None:
        base = Poisson(log_m)
        log_f = stats.poisson.logpmf(x.numpy(), np.exp(log_m.double().numpy()))
    else:
        base = NegativeBinomial(log_m, torch.full_like(log_m, theta))
        log_f = [log_nb(a, b, theta) for a, b in zip(x, log_m, strict=True)]
    expected = [inflate(f, a, b) for f, a, b in zip(log_f, x, r, strict=True)]
    assert_close(ZeroInflated(base, r).log_prob(x), expected)


def test_probabilities_sum_to_one():
    x = torch.arange(3000.0)
    for log_m, theta, r in [(1.0, -3.0, -1.0), (3.0, 1.0, 0.5), (-2.0, 2.0, 2.0)]:
        base = NegativeBinomial(torch.full_like(x, log_m), torch.full_like(x, theta))
        total = ZeroInflated(base, torch.full_like(x, r)).log_prob(x).double().exp().sum().item()
        assert total == pytest.approx(1, abs=1e-5)


def test_gradients_are_finite_over_the_whole_range():
    x, log_m, theta, r = grid([0, 1, 10000], np.log(MEANS), THETAS, ZERO_LOGITS)
    for tensor in (log_m, theta, r):
        tensor.requires_grad_()
    for likelihood in (Poisson(log_m), NegativeBinomial(log_m, theta)):
        ZeroInflated(likelihood, r).log_prob(x).sum().backward()
    for tensor in (log_m, theta, r):
        assert torch.isfinite(tensor.grad).all()


def test_nothing_is_infinite_far_outside_the_range():
    log_m, theta, r = (
        torch.tensor([-200.0, -90.0]),
        torch.tensor([-60.0, 60.0]),
        torch.tensor([-1e4, 1e4]),
    )
    for likelihood in (Poisson(log_m), NegativeBinomial(log_m, theta)):
        inflated = ZeroInflated(likelihood, r)
        assert torch.isfinite(inflated.log_prob(torch.tensor([0.0, 0.0]))).all()
        assert torch.isfinite(inflated.log_prob(torch.tensor([5.0, 5.0]))).all()


@pytest.mark.parametrize("count", [0, 1, 4, 37, 5000])
def test_gradients_match_finite_differences(count):
    log_m, theta, r = (
        tensor.double().requires_grad_()
        for tensor in grid(np.log([1e-3, 0.3, 3.3, 70.0, 4e3]), [-9, -2.5, 0.3, 2.2, 8], [-9, -1, 0.4, 6])
    )
    x = torch.full_like(log_m, count)

    def total(log_m, theta, r):
        zip_, zinb = Poisson(log_m), NegativeBinomial(log_m, theta)
        return ZeroInflated(zip_, r).log_prob(x) + ZeroInflated(zinb, r).log_prob(x)

    assert torch.autograd.gradcheck(total, (log_m, theta, r), eps=1e-5, atol=2e-5, rtol=1e-4)


def test_gradient_of_a_large_negative_binomial_size():
    # at theta = -20 the size is 5e9, where digamma differences in float32 are noise; Poisson: x - m
    log_m = torch.tensor([1.0, 3.0, 6.0], requires_grad=True)
    x = torch.tensor([2.0, 40.0, 390.0])
    NegativeBinomial(log_m, torch.full((3,), -20.0)).log_prob(x).sum().backward()
    torch.testing.assert_close(log_m.grad, x - log_m.detach().exp(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("m", "theta", "z"), [(3.0, None, 0.0), (50.0, 0.0, 0.3), (0.5, 1.5, 0.2), (8.0, None, 0.6)])
def test_samples_have_the_moments_of_their_likelihood(m, theta, z):
    n = 400_000
    log_m = torch.full((n,), float(np.log(m)))
    likelihood = Poisson(log_m) if theta is None else NegativeBinomial(log_m, torch.full((n,), theta))
    base_variance = m if theta is None else m * (1 + np.exp(theta))
    if z:
        likelihood = ZeroInflated(likelihood, torch.full((n,), float(np.log(z / (1 - z)))))
    draws = likelihood.sample(torch.Generator().manual_seed(11)).double()
    mean, variance = (1 - z) * m, (1 - z) * (base_variance + z * m**2)
    assert likelihood.mean[0].item() == pytest.approx(mean, rel=1e-6)
    assert draws.mean().item() == pytest.approx(mean, abs=5 * np.sqrt(variance / n))
    assert draws.var().item() == pytest.approx(variance, rel=0.03)
    zeros = likelihood.log_prob_zero()[0].exp().item()
    assert (draws == 0).double().mean().item() == pytest.approx(zeros, abs=5 * np.sqrt(zeros * (1 - zeros) / n))


def test_gathered_entries_are_those_of_the_whole():
    log_m, theta, r = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(0))
    index = torch.tensor([0, 7, 23])
    x = torch.tensor([1.0, 4.0, 2.0])
    whole = ZeroInflated(NegativeBinomial(log_m, theta), r)
    dense = torch.zeros(24)
    dense[index] = x
    torch.testing.assert_close(whole.at(index).log_prob_positive(x), whole.log_prob(dense.view(4, 6)).flatten()[index])


@pytest.mark.parametrize("zero_logit", [None, -1.0, 2.0])
@pytest.mark.parametrize("theta", [None, -2.0, 1.0])
def test_posterior_means_are_those_of_bayes_rule_by_quadrature(theta, zero_logit):
    """Of the entry's own rate, which a gamma spreads about the mean, and of whether it is lost."""
    counts = np.array([0.0, 1, 4])
    for mean in (0.2, 3.0):
        log_m = torch.full((3,), np.log(mean), dtype=torch.float32)
        base = Poisson(log_m) if theta is None else NegativeBinomial(log_m, torch.full((3,), theta))
        likelihood = base if zero_logit is None else ZeroInflated(base, torch.full((3,), zero_logit))
        z = 0.0 if zero_logit is None else 1 / (1 + np.exp(-zero_logit))
        if theta is None:
            rates, weights = np.array([mean]), np.array([1.0])
        else:
            size = mean * np.exp(-theta)
            quantiles = (np.arange(200_000) + 0.5) / 200_000
            rates = stats.gamma.ppf(quantiles, size, scale=mean / size)
            weights = np.full(len(rates), 1 / len(rates))
        for count, ours in zip(counts, likelihood.posterior_mean(torch.tensor(counts).float()), strict=True):
            evidence = weights * (1 - z) * stats.poisson.pmf(count, rates)
            lost = z if count == 0 else 0.0
            assert ours.item() == pytest.approx((evidence @ rates) / (evidence.sum() + lost), rel=2e-3)


def test_information_is_the_variance_of_the_score():
    """Of the derivative of the log-probability by the logarithm of the mean, at a size that does not change with it."""
    for mean in (0.3, 5.0):
        x = np.arange(2000)
        log_m = torch.tensor([np.log(mean)], dtype=torch.float32)
        assert Poisson(log_m).information.item() == pytest.approx(
            stats.poisson.pmf(x, mean) @ (x - mean) ** 2, rel=1e-4
        )
        size, h = 1.7, 1e-5
        up, down = (stats.nbinom.logpmf(x, size, size / (size + mean * np.exp(step))) for step in (h, -h))
        score = (up - down) / (2 * h)
        expected = stats.nbinom.pmf(x, size, size / (size + mean)) @ score**2
        theta = log_m - np.float32(np.log(size))
        assert NegativeBinomial(log_m, theta).information.item() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("count", [0, 1, 4])
@pytest.mark.parametrize("size", [None, 0.5, 8.0])
@pytest.mark.parametrize("z", [0.0, 0.3])
def test_posterior_variance_and_slope_by_quadrature(count, size, z):
    """Of the rate of one entry that is lost with probability z and else gamma about m, given its count."""
    m = 1.7

    def moments(m):
        """Mean and variance, by the distribution's definition."""
        if size is None:
            rates, weights = np.array([m]), np.array([1.0])
        else:
            share = (np.arange(200_000) + 0.5) / 200_000
            rates = stats.gamma.ppf(share, size, scale=m / size)
            weights = np.full_like(rates, 1 / len(rates))
        weights = (1 - z) * weights * stats.poisson.pmf(count, rates)
        total = weights.sum() + (z if count == 0 else 0.0)
        mean = (weights * rates).sum() / total
        return mean, (weights * rates**2).sum() / total - mean**2

    log_m = torch.tensor([np.log(m)])
    ours = Poisson(log_m) if size is None else NegativeBinomial(log_m, log_m - np.log(size))
    if z:
        ours = ZeroInflated(ours, torch.tensor([np.log(z / (1 - z))]))
    x, step = torch.tensor([float(count)]), 1e-3
    mean, variance = moments(m)
    slope = (moments(m * np.exp(step))[0] - moments(m * np.exp(-step))[0]) / (2 * step)
    assert ours.posterior_mean(x).item() == pytest.approx(mean, rel=1e-3)
    assert ours.posterior_variance(x).item() == pytest.approx(variance, rel=2e-3, abs=1e-6)
    assert ours.posterior_slope(x).item() == pytest.approx(slope, rel=2e-3)
