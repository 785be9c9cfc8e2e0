"""The loss against scipy's probabilities, double-precision autograd of the textbook formulas, and numpy."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.sparse import csr_matrix

from benchmarks.plain import log_likelihood
from zipo.engine.batches import Counts
from zipo.engine.loss import Sums, TermWeights, cell_nll, entry_terms, library_rate, scale_invariant_sparsity
from zipo.engine.prediction import Prediction

CELLS, GENES = 9, 1100  # more than two blocks of genes, and a rest
LIKELIHOODS = ["poisson", "nb", "zip", "zinb"]
WEIGHTS = TermWeights(0.7, 0.3, 0.2, 0.05)


def batch(counts: np.ndarray):
    return Counts(csr_matrix(counts), np.zeros((len(counts), 0)), torch.device("cpu")).batch(torch.arange(len(counts)))


def drawn(likelihood: str, dispersion_rows: int = CELLS, by_rate: bool = True, scale: float = 1.0):
    """Counts, and what a decoder might say of them."""
    rng = np.random.default_rng(6)
    counts = rng.poisson(rng.gamma(0.3, 3, (CELLS, GENES)))
    counts[0, :4] = 17, 40, 300, 5000  # beyond the terms that are summed one by one
    counts[1] = 0
    counts[1, GENES - 1] = 1
    outputs = {name: torch.tensor(scale * rng.standard_normal((CELLS, GENES)), dtype=torch.float32) for name in "arz"}
    library = torch.log(torch.tensor(rng.uniform(500, 2000, (CELLS, 1)), dtype=torch.float32))
    return counts, Prediction(
        latent=torch.zeros(CELLS, 1),
        log_library=library,
        logits=outputs["a"],
        zero_logits=outputs["r"] if "z" in likelihood else None,
        dispersion=outputs["z"][:dispersion_rows] if "nb" in likelihood else None,
        by_rate=by_rate,
        base="nb" if "nb" in likelihood else "poisson",
        batch=batch(counts),
        posterior=False,
    )


def parameters_of(prediction: Prediction) -> dict[str, torch.Tensor]:
    """The tensors that a gradient goes to."""
    names = "log_library", "logits", "zero_logits", "dispersion"
    return {name: getattr(prediction, name) for name in names if getattr(prediction, name) is not None}


def expected_loss(counts: np.ndarray, outputs: dict[str, torch.Tensor], by_rate: bool) -> torch.Tensor:
    """The weighted sum, densely."""
    x = torch.tensor(counts, dtype=torch.float64)
    log_rates = outputs["log_library"] + torch.log_softmax(outputs["logits"], dim=1)
    parameters = {"log_rates": log_rates}
    z = torch.zeros_like(x)
    if "zero_logits" in outputs:
        parameters["zero_logits"], z = outputs["zero_logits"], torch.sigmoid(outputs["zero_logits"])
    loss = WEIGHTS.z_squared * z.square().sum() + WEIGHTS.rates_error * (log_rates.exp() - x).square().sum()
    if "dispersion" in outputs:
        dispersion = outputs["dispersion"].expand_as(x)
        parameters["theta"] = dispersion if by_rate else dispersion + log_rates
        loss = loss + WEIGHTS.dispersion_squared * dispersion.square().sum()
    return loss - WEIGHTS.nll * log_likelihood(x, parameters).sum()


CASES = [(likelihood, CELLS, True) for likelihood in LIKELIHOODS]
CASES += [(likelihood, rows, False) for likelihood in ("nb", "zinb") for rows in (1, CELLS)]


@pytest.mark.parametrize("use_kernel", [True, False])
@pytest.mark.parametrize(("likelihood", "rows", "by_rate"), CASES)
def test_nll_of_each_cell_is_that_of_the_textbook(likelihood, rows, by_rate, use_kernel):
    counts, prediction = drawn(likelihood, rows, by_rate)
    total, by_cell = cell_nll(prediction, batch(counts), use_kernel)
    log_rates = prediction.log_rates.double()
    parameters = {"log_rates": log_rates}
    if prediction.zero_logits is not None:
        parameters["zero_logits"] = prediction.zero_logits.double()
    if prediction.theta is not None:
        parameters["theta"] = prediction.theta.double()
    expected = -log_likelihood(torch.tensor(counts, dtype=torch.float64), parameters).sum(dim=1)
    np.testing.assert_allclose(by_cell, expected, rtol=1e-5)
    assert total.item() == pytest.approx(expected.sum().item(), rel=1e-5)


@pytest.mark.parametrize(("likelihood", "rows", "by_rate"), CASES)
def test_loss_and_gradients_are_those_of_the_textbook(likelihood, rows, by_rate):
    counts, prediction = drawn(likelihood, rows, by_rate)
    outputs = parameters_of(prediction)
    for each in outputs.values():
        each.requires_grad_()
    loss, _ = entry_terms(prediction, batch(counts), WEIGHTS, use_kernel=True)
    (2 * loss).backward()
    exact = {name: each.detach().double().requires_grad_() for name, each in outputs.items()}
    expected = expected_loss(counts, exact, by_rate)
    (2 * expected).backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    for name, each in outputs.items():
        size = exact[name].grad.abs().max().item()
        np.testing.assert_allclose(each.grad, exact[name].grad, rtol=2e-5, atol=1e-6 * min(size, 100), err_msg=name)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("use_kernel", [True, False])
def test_sums_are_scipys(likelihood, use_kernel):
    counts, prediction = drawn(likelihood)
    _, sums = entry_terms(prediction, batch(counts), WEIGHTS, use_kernel)
    a, r, theta = (prediction.logits, prediction.zero_logits, prediction.dispersion)
    m = np.exp(prediction.log_library.double().numpy() + torch.log_softmax(a.double(), 1).numpy())
    z = np.zeros_like(m) if r is None else 1 / (1 + np.exp(-r.double().numpy()))
    if theta is None:
        log_f, squared = stats.poisson.logpmf(counts, m), 0.0
    else:
        theta = theta.double().numpy()
        log_f, squared = stats.nbinom.logpmf(counts, m * np.exp(-theta), 1 / (1 + np.exp(theta))), np.sum(theta**2)
    mixture = z * (counts == 0) + (1 - z) * np.exp(log_f)
    log_prob = np.log(mixture, out=log_f + np.log1p(-z), where=counts == 0)
    errors = np.sum((m - counts) ** 2), np.sum(((1 - z) * m - counts) ** 2)
    expected = Sums(-log_prob.sum(), z.sum(), np.sum(z**2), squared, *errors)
    for name, mine, theirs in zip(Sums._fields, sums, expected, strict=True):
        assert mine.item() == pytest.approx(theirs, rel=1e-5), name


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("scale", [10.0, 25.0])
def test_what_is_far_from_the_counts_stays_finite_and_as_the_dense_form_has_it(likelihood, scale):
    counts, prediction = drawn(likelihood, scale=scale)
    results = {}
    for use_kernel in (True, False):
        outputs = parameters_of(prediction)
        for each in outputs.values():
            each.requires_grad_().grad = None
        prediction.__dict__.pop("log_proportions", None)
        loss, sums = entry_terms(prediction, batch(counts), TermWeights(1e-3, 0, 0, 0), use_kernel)
        loss.backward()
        results[use_kernel] = [loss.detach(), sums.nll, *(each.grad for each in outputs.values())]
    for mine, theirs in zip(results[True], results[False], strict=True):
        assert torch.isfinite(mine).all()
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4 * theirs.abs().max().item())


@pytest.mark.parametrize("name", ["log_library", "logits", "zero_logits", "dispersion"])
def test_what_is_no_number_is_no_loss(name):
    counts, prediction = drawn("zinb")
    getattr(prediction, name)[3, 0] = torch.nan
    assert entry_terms(prediction, batch(counts), WEIGHTS, use_kernel=True)[0].isnan()


@pytest.mark.parametrize("likelihood", ["zip", "zinb"])
def test_threads_change_no_bit(likelihood):
    before, results = torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        counts, prediction = drawn(likelihood)
        prediction.logits.requires_grad_()
        loss, sums = entry_terms(prediction, batch(counts), WEIGHTS, use_kernel=True)
        loss.backward()
        results.append([loss.detach(), *sums, prediction.logits.grad])
    torch.set_num_threads(before)
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))


@pytest.fixture
def weights() -> torch.Tensor:
    return torch.randn(40, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_sparsity_is_the_papers_formula(weights):
    w = weights.numpy()
    expected = np.mean(np.abs(w).mean(axis=0) / np.sqrt((w**2).mean(axis=0)))
    assert scale_invariant_sparsity(weights).item() == pytest.approx(expected, rel=1e-9)


def test_sparsity_ignores_the_scale_of_each_neuron(weights):
    scaled = weights * torch.tensor([1e-3, 1, 10, 1e3, 5, 0.2], dtype=torch.float64)
    torch.testing.assert_close(
        scale_invariant_sparsity(scaled),
        scale_invariant_sparsity(weights),
        rtol=1e-8,
        atol=0,
    )


def test_sparsity_gradient_matches_finite_differences(weights):
    assert torch.autograd.gradcheck(scale_invariant_sparsity, (weights.requires_grad_(),))


def test_sparsity_of_one_gene_a_neuron_is_its_lower_bound():
    weights = torch.zeros(25, 3)
    weights[[4, 9, 20], [0, 1, 2]] = torch.tensor([1.0, -7.0, 0.3])
    assert scale_invariant_sparsity(weights).item() == pytest.approx(1 / 5, rel=1e-6)


def test_sparsity_of_zero_weights_is_zero_with_zero_gradient():
    weights = torch.zeros(2, 9, requires_grad=True)
    value = scale_invariant_sparsity(weights)
    value.backward()
    assert value.item() == 0
    assert weights.grad.abs().max().item() == 0


def test_the_rate_penalty_of_libraries_is_a_mean_square():
    rng = np.random.default_rng(2)
    library, observed = rng.gamma(2, 9, (7, 1)), rng.poisson(20.0, (7, 1)).astype(float)
    penalty = library_rate(torch.tensor(library), torch.tensor(observed))
    assert penalty.item() == pytest.approx(np.mean((library - observed) ** 2), rel=1e-12)
