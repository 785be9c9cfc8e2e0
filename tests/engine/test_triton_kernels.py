"""The GPU's kernels: their numbers by Triton's interpreter on a processor, and that they compile for GPUs.

Both need Triton, which torch brings along where it was built for a GPU: pip install triton
"""

import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest
import torch

from tests.engine import test_loss, test_model
from tests.engine.test_loss import CASES, LIKELIHOODS, batch, drawn
from zipo.engine import loss, triton_kernels
from zipo.engine.loss import TermWeights, entry_terms
from zipo.engine.optimizer import Adam
from zipo.engine.training import step

if torch.cuda.is_available():
    pytest.skip("where there is a GPU, benchmarks/gpu.py checks the kernels on it", allow_module_level=True)
with pytest.MonkeyPatch.context() as patch:
    patch.setenv("TRITON_INTERPRET", "1")  # read where Triton and the kernels are defined, and at their first call
    missing = "Triton is not installed; torch brings it along where it was built for a GPU"
    triton = pytest.importorskip("triton", reason=missing)
    from triton import language as tl

    from zipo.engine.triton_kernels import example
    from zipo.engine.triton_kernels.arithmetic import gamma_differences

    @triton.jit
    def differences(size, x, log_all, out, N: tl.constexpr):
        place = tl.arange(0, N)
        logs, reciprocals = gamma_differences(tl.load(size + place), tl.load(x + place), tl.load(log_all + place))
        tl.store(out + place, logs)
        tl.store(out + N + place, reciprocals)


COMPILE = Path(__file__).with_name("compile_triton.py")


@pytest.fixture(autouse=True)
def in_the_processors_place(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setattr(loss, "_Kernel", loss._TritonKernel)


@pytest.mark.parametrize(("likelihood", "rows", "by_rate"), CASES)
def test_loss_and_gradients_are_those_of_the_textbook(likelihood, rows, by_rate):
    test_loss.test_loss_and_gradients_are_those_of_the_textbook(likelihood, rows, by_rate)


@pytest.mark.parametrize(("likelihood", "rows", "by_rate"), CASES)
def test_nll_of_each_cell_is_that_of_the_textbook(likelihood, rows, by_rate):
    test_loss.test_nll_of_each_cell_is_that_of_the_textbook(likelihood, rows, by_rate, use_kernel=True)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_sums_are_scipys(likelihood):
    test_loss.test_sums_are_scipys(likelihood, use_kernel=True)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("scale", [10.0, 25.0])
@pytest.mark.filterwarnings("ignore:overflow encountered")  # of lanes whose results are not taken
def test_what_is_far_from_the_counts_stays_finite_and_as_the_dense_form_has_it(likelihood, scale):
    test_loss.test_what_is_far_from_the_counts_stays_finite_and_as_the_dense_form_has_it(likelihood, scale)


@pytest.mark.parametrize("name", ["log_library", "logits", "zero_logits", "dispersion"])
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_what_is_no_number_is_no_loss(name):
    test_loss.test_what_is_no_number_is_no_loss(name)


def test_a_term_that_is_turned_off_may_be_infinite():
    counts, prediction = drawn("zinb")
    prediction.log_library[:] = 60  # rates whose squares leave float32
    actual, sums = entry_terms(prediction, batch(counts), TermWeights(0, 0.5, 0, 0), use_kernel=True)
    assert sums.rates_error.isinf()
    assert actual.item() == pytest.approx(0.5 * sums.z_squared.item())


def test_without_gradients_wanted_the_sums_are_the_same():
    counts, prediction = drawn("zinb")
    alone = entry_terms(prediction, batch(counts), test_loss.WEIGHTS, use_kernel=True)
    prediction.logits.requires_grad_()
    learning = entry_terms(prediction, batch(counts), test_loss.WEIGHTS, use_kernel=True)
    assert torch.equal(torch.stack([alone[0], *alone[1]]), torch.stack([learning[0].detach(), *learning[1]]))


def test_a_second_backward_pass_is_refused():
    counts, prediction = drawn("zip")
    prediction.logits.requires_grad_()
    actual, _ = entry_terms(prediction, batch(counts), test_loss.WEIGHTS, use_kernel=True)
    actual.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="goes backward once"):
        actual.backward()


@pytest.mark.parametrize(("likelihood", "options"), [("zip", {}), ("zinb", {"dispersion": "gene"})])
def test_training_steps_have_the_losses_of_the_dense_form(likelihood, options):
    losses = {}
    for kernels in (True, False):
        model = test_model.network(covariates=2, likelihood=likelihood, **options)
        model.kernels = kernels
        adam = Adam(model.parameters(), [model.encoder.first])
        losses[kernels] = torch.stack([step(model, adam, 0.01, test_model.batch(2)) for _ in range(2)])
    torch.testing.assert_close(losses[True], losses[False], rtol=1e-5, atol=0)


def test_the_example_passes_and_a_wrong_kernel_does_not(monkeypatch):
    device = torch.device("cpu")
    example.check_example(device)
    right = example.nll_and_gradients

    def wrong(*arguments, **options):
        scored = right(*arguments, **options)
        scored.gradients[3][1, 7] += 0.5
        return scored

    monkeypatch.setattr(example, "nll_and_gradients", wrong)
    with pytest.raises(ArithmeticError, match="theta of an example differ"):
        example.check_example(device)


def test_differences_of_gamma_functions_err_less_than_their_bound():
    sizes, counts = np.meshgrid([1e-20, 1e-3, 0.3, 1.0, 7.5, 100.0, 1e5, 1e9], [1.0, 2, 5, 16, 17, 30, 400, 5e4])
    size, x = torch.tensor(sizes.ravel()), torch.tensor(counts.ravel())
    log_all, out = torch.log(size + x), torch.empty(2, len(x), dtype=torch.float64)
    differences[(1,)](size, x, log_all, out, N=len(x))
    with mpmath.workdps(50):
        for s, n, shift, logs, reciprocals in zip(*map(torch.Tensor.tolist, (size, x, log_all, *out)), strict=True):
            s, n = mpmath.mpf(s), mpmath.mpf(n)
            exact = mpmath.loggamma(s + n) - mpmath.loggamma(s) - n * mpmath.mpf(shift)
            rounding = 4e-16 * n * (abs(shift) + 2)  # of n numbers of the logarithm's size
            assert abs(logs - exact) < 1.3e-14 + float(rounding), (s, n)
            exact = mpmath.digamma(s + n) - mpmath.digamma(s)
            assert abs(reciprocals - exact) < 7e-15 + 1e-14 * float(exact), (s, n)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", [75, 80, 90, 100])
def test_the_kernels_compile_for_gpus(architecture, tmp_path):
    """To machine code, for every likelihood: Turing, Ampere, Hopper, Blackwell."""
    command = [sys.executable, str(COMPILE), str(architecture)]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TRITON_CACHE_DIR": str(tmp_path)}
    environment |= {"PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split()[-1] == "bytes"


def test_without_a_gpu_they_are_not_used():
    assert not triton_kernels.work_on(torch.device("cpu"))
    assert not triton_kernels.work_on(torch.device("meta"))
    assert test_model.network().fuses_likelihood  # by the processor's


def test_a_gpu_that_they_fail_on_is_warned_of_and_computed_on_densely(monkeypatch, caplog):
    def fail(device):
        raise OSError("no ptxas")

    monkeypatch.setattr(example, "check_example", fail)
    triton_kernels._work_on.cache_clear()
    try:
        assert not triton_kernels.work_on(torch.device("cuda", 0))
    finally:
        triton_kernels._work_on.cache_clear()
    assert "no ptxas" in caplog.text
