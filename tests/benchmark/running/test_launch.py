"""Methods that go wrong in every way: each gets its status and a reason, and nothing is raised or left behind."""

import json
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from tests.methods.fixtures import CELLS, EMPTY_CELL, EMPTY_GENE, GENES, is_gone
from zipo.benchmark.running import launch
from zipo.methods import Method
from zipo.shared.errors import InputError

COUNTS = "counts.layers['denoised'] = x"
WRONG = {
    "raises": (["raise ValueError('no such\\nluck')"], "failed", "ValueError: no such luck"),
    "misses a package": (["import nosuch"], "failed", "ModuleNotFoundError: No module named 'nosuch'"),
    "exits": (["sys.exit('enough')"], "failed", "SystemExit: enough"),
    "exits at once": (
        ["os.write(2, b'farewell')", "os._exit(3)"],
        "failed",
        "ended with exit code 3 before it gave an answer; its last words were: farewell",
    ),
    "ends at once as if all were well": (["os._exit(0)"], "failed", "ended with exit code 0 before it gave an answer"),
    "is killed": (
        ["os.kill(os.getpid(), signal.SIGKILL)"],
        "failed",
        "killed by signal 9 (SIGKILL), as where memory runs out",
    ),
    "touches wild memory": (["import ctypes", "ctypes.string_at(8)"], "failed", "killed by signal 11 (SIGSEGV)"),
    "runs out of memory": (["np.ones(1 << 50)"], "failed", "out of memory: Unable to allocate 8.00 PiB"),
    "gives nothing": ([], "invalid", "the answer has no layers['denoised']"),
    "gives None": (["return None"], "failed", "AttributeError: 'NoneType' object has no attribute 'obs_names'"),
    "gives NaN": ([COUNTS, "x[2, 4] = np.nan"], "invalid", "denoised has values that are not a number (NaN)"),
    "gives infinities": ([COUNTS, "x[2, 4] = np.inf"], "invalid", "denoised has infinite values"),
    "gives negative values": ([COUNTS, "x[2, 4] = -0.5"], "invalid", "denoised has negative values, down to -0.5"),
    "gives a wrong latent": (
        [COUNTS, "counts.obsm['latent'] = np.full((counts.n_obs, 2), np.nan)"],
        "invalid",
        "latent has values that are not a number (NaN)",
    ),
    "gives probabilities above one": (
        [COUNTS, "counts.layers['zero_probability'] = np.full(x.shape, 1.5)"],
        "invalid",
        "zero_probability has values above 1, up to 1.5",
    ),
    "drops a cell": (
        [COUNTS, "counts = counts[1:].copy()"],
        "invalid",
        f"the answer has {CELLS - 2} cells; expected the {CELLS - 1} that were given",
    ),
    "drops a gene": (
        [COUNTS, "counts = counts[:, 1:].copy()"],
        "invalid",
        f"the answer has {GENES - 2} genes; expected the {GENES - 1} that were given",
    ),
    "reorders genes": (
        [COUNTS, "counts = counts[:, ::-1].copy()"],
        "invalid",
        "the genes of the answer are not those that were given, in the same order",
    ),
    "gives logarithms": (["counts.layers['denoised'] = np.log1p(x)"], "invalid", "not on the scale of the counts"),
    "gives shares": (
        ["counts.layers['denoised'] = x / x.sum(1, keepdims=True)"],
        "invalid",
        "not on the scale of the counts: the median cell adds up to 0.00",
    ),
    "gives logarithms of normalised counts": (
        ["counts.layers['denoised'] = np.log1p(1e4 * x / x.sum(1, keepdims=True))"],
        "invalid",
        "not on the scale of the counts: a gene of twice the counts adds up to 1.4 times as much, as in logarithms",
    ),
    "gives normalised counts": (
        ["counts.layers['denoised'] = x / x.sum(1, keepdims=True) * np.median(x.sum(1))"],
        "invalid",
        "not on the scale of the counts: a cell of twice the counts adds up to 1.0 times as much, as where cells were",
    ),
    "changes the counts": ([COUNTS, "counts.X.data[0] += 1"], "invalid", "it changed the counts that it was given"),
}


def run(method: Method, counts, tmp_path, **rest) -> launch.Result:
    return launch.run(method, counts, tmp_path / "out", **{"seed": 1, "threads": 1, "seconds": 60} | rest)


@pytest.mark.parametrize("case", WRONG)
def test_a_fault_is_named(case, awkward, written, tmp_path):
    lines, status, reason = WRONG[case]
    result = run(written(*lines), awkward, tmp_path)
    assert (result.status, result.reason[: len(reason)]) == (status, reason)
    assert "\n" not in result.reason
    assert launch.Result.read(tmp_path / "out") == result
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"result.json", "log.txt"}
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def starting_a_child(pid: Path) -> list[str]:
    """Lines of a method that start a process, whose number goes to a file."""
    return [
        "import subprocess",
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
        f"open({str(pid)!r}, 'w').write(str(child.pid))",
    ]


def test_a_method_that_hangs_is_stopped_with_all_that_it_started(awkward, written, tmp_path):
    pid = tmp_path / "pid"
    method = written(
        *starting_a_child(pid),
        "time.sleep(600)",
    )
    started = time.monotonic()
    result = run(method, awkward, tmp_path, seconds=4)
    assert (result.status, result.reason) == ("timeout", "not finished after 4 seconds")
    assert time.monotonic() - started < 20
    assert is_gone(int(pid.read_text()))


def test_what_a_good_method_leaves_running_ends_with_it(awkward, written, tmp_path):
    pid = tmp_path / "pid"
    method = written(
        *starting_a_child(pid),
        COUNTS,
    )
    assert run(method, awkward, tmp_path).status == "ok"
    assert is_gone(int(pid.read_text()))


def test_what_a_method_prints_is_kept_in_its_log(awkward, written, tmp_path):
    method = written(COUNTS, 'print(\'{"status": "failed"}\', flush=True)', "os.write(1, b'\\xff raw bytes\\n')")
    assert run(method, awkward, tmp_path).status == "ok"
    assert b'{"status": "failed"}\n\xff raw bytes\n' in (tmp_path / "out" / "log.txt").read_bytes()


def test_a_good_answer_is_kept_with_zeros_where_nothing_was_counted(awkward, written, tmp_path):
    method = written(
        "counts.layers['denoised'] = x + 1",
        "counts.obsm['latent'] = x[:, :3] + 1",
        "counts.var['size'] = np.full(counts.n_vars, 2.0)",
        "assert (x.sum(0) > 0).all() and (x.sum(1) > 0).all()",
    )
    result = run(method, awkward, tmp_path)
    arrays = launch.arrays(tmp_path / "out")
    assert (result.status, result.reason, result.threads) == ("ok", "", 1)
    x = ad.read_h5ad(awkward).X.toarray()
    expected = x + 1
    expected[EMPTY_CELL] = expected[:, EMPTY_GENE] = 0
    np.testing.assert_array_equal(arrays["denoised"], expected)
    assert arrays["denoised"].dtype == np.float32
    np.testing.assert_array_equal(arrays["latent"][[0, EMPTY_CELL]], [x[0, :3] + 1, np.zeros(3)])
    np.testing.assert_array_equal(arrays["size"], np.where(np.arange(GENES) == EMPTY_GENE, 1, 2))
    assert set(arrays) == {"denoised", "latent", "size"}
    assert result.versions["numpy"] == np.__version__


def test_time_and_memory_are_those_of_the_denoising(awkward, written, tmp_path):
    small = run(written(COUNTS), awkward, tmp_path)
    large = run(written("block = np.ones(1 << 26)", "time.sleep(0.5)", "del block", COUNTS), awkward, tmp_path)
    assert small.seconds < 0.5 <= large.seconds < 5
    assert large.peak_mb - small.peak_mb == pytest.approx((1 << 29) / 1e6, rel=0.1)


def test_the_peak_memory_is_not_that_of_whoever_started_the_method(awkward, written, tmp_path):
    block = np.ones(1 << 27)  # a gigabyte
    assert run(written(COUNTS), awkward, tmp_path).peak_mb < 0.5 * block.nbytes / 1e6


def test_only_who_says_so_sees_more_than_counts(awkward, written, tmp_path):
    script = (
        "open({!r}, 'w').write(repr(sorted([*counts.obs, *counts.var, *counts.layers, *counts.uns, *counts.obsm])))"
    )
    truth = ["batch", "cell_type", "true_dispersion", "true_rates", "true_state_rates"]
    for sees_truth, expected in ((False, ["batch"]), (True, truth)):
        file = tmp_path / "names"
        assert run(written(script.format(str(file)), COUNTS, sees_truth=sees_truth), awkward, tmp_path).status == "ok"
        assert file.read_text() == repr(expected)


def test_threads_seed_and_parameters_arrive(awkward, tmp_path):
    file = tmp_path / "dropped.py"
    file.write_text(
        "import os\nparameters = {'a': 1, 'b': 2}\n"
        "def denoise(counts, *, seed, a, b):\n"
        "    names = ['OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMBA_NUM_THREADS']\n"
        "    print([seed, a, b, *(os.environ[name] for name in names)])\n"
        "    counts.layers['denoised'] = counts.X\n"
        "    return counts\n"
    )
    method = Method("dropped", file, parameters={"a": 1, "b": 2})
    result = run(method, awkward, tmp_path, seed=9, threads=2, parameters={"b": [3]})
    assert result.status == "ok"
    assert "[9, 1, [3], '2', '2', '2']" in (tmp_path / "out" / "log.txt").read_text()
    assert result.parameters == {"a": 1, "b": [3]}
    with pytest.raises(InputError, match="method dropped: parameter 'c' is unknown; known are a, b"):
        run(method, awkward, tmp_path, parameters={"c": 1})


def test_logarithms_of_shallow_counts_are_told_by_their_genes(written, tmp_path):
    rng = np.random.default_rng(2)
    rates = np.r_[np.full(2, 60.0), np.full(400, 0.3)]  # like ribosomal genes among others: most counts are ones
    file = tmp_path / "shallow.h5ad"
    ad.AnnData(csr_matrix(rng.poisson(rates, size=(100, 402)).astype(np.float32))).write_h5ad(file)
    result = run(written("counts.layers['denoised'] = 2 * np.log1p(x)"), file, tmp_path)
    assert result.status == "invalid"
    assert "a gene of twice the counts adds up to 1.5 times as much, as in logarithms and roots" in result.reason
    free = run(written("counts.layers['denoised'] = 2 * np.log1p(x)", keeps_library=False), file, tmp_path)
    assert free.status == "ok"
    data = ad.read_h5ad(file)
    data.uns["permuted"] = True
    data.write_h5ad(file)
    assert run(written("counts.layers['denoised'] = 2 * np.log1p(x)"), file, tmp_path).status == "ok"


def test_what_stood_in_the_folder_goes(awkward, written, tmp_path):
    run(written(COUNTS, "counts.obsm['latent'] = x[:, :2]"), awkward, tmp_path)
    assert set(launch.arrays(tmp_path / "out")) == {"denoised", "latent"}
    run(written(COUNTS), awkward, tmp_path)
    assert set(launch.arrays(tmp_path / "out")) == {"denoised"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "its environment is not there; `zipo study method-environment other {folder}` makes it"),
        ({"status": "unavailable", "reason": "no wheel", "pins": ""}, "its environment could not be made: no wheel"),
    ],
)
def test_a_method_without_its_environment_is_unavailable(content, reason, awkward, written, tmp_path):
    folder = tmp_path / "environments" / "other"
    folder.mkdir(parents=True)
    if content:
        (folder / "environment.json").write_text(json.dumps(content))
    result = run(written(COUNTS, env="other"), awkward, tmp_path, environments=tmp_path / "environments")
    assert (result.status, result.reason) == ("unavailable", reason.format(folder=folder))


def test_an_environment_without_zipo_imports_what_methods_share(awkward, written, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (packages,) = (tmp_path / "venv" / "lib").glob("python3*/site-packages")
    # packages beside those of the tests' environment, where no editable install is looked at
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    lines = ["from zipo.methods.shared.nested import nested_split", "import zipo", "assert not hasattr(zipo, 'ZiPo')"]
    lines += ["import scipy.sparse", "counts.layers['denoised'] = sum(nested_split(scipy.sparse.csr_matrix(x), 1))"]
    python = tmp_path / "venv" / "bin" / "python"
    result = run(written(*lines, env="other"), awkward, tmp_path, python=python)
    assert (result.status, result.reason) == ("ok", "")
    denoised = launch.arrays(tmp_path / "out")["denoised"]
    np.testing.assert_array_equal(denoised, ad.read_h5ad(awkward).X.toarray())


def test_a_program_that_is_a_method(awkward, tmp_path):
    program = tmp_path / "double.sh"
    program.write_text(
        'test "$4" = 3 && test "$5" = 7 && test "$(wc -l < $2/genes.txt)" = 89 || exit 1\n'
        # MatrixMarket has columns first: cell, gene, count
        """awk '/^%/ {next} !size {cells=$1; genes=$2; size=1; next} {x[$1,$2]=$3}
        END {for (i=1; i<=cells; i++) {for (j=1; j<=genes; j++) printf "%s%s", (j>1?",":""), x[i,j]+0; print ""}}' """
        "$2/counts.mtx > $3/denoised.csv\n"
    )
    file = tmp_path / "dropped.py"
    words = ["sh", "{here}/double.sh", "-", "{input}", "{output}", "{factor}", "{seed}"]
    file.write_text(f"parameters = {{'factor': 3}}\ncommand = {words}\n")
    method = Method("dropped", file, parameters={"factor": 3}, keeps_library=True)
    result = run(method, awkward, tmp_path, seed=7)
    assert (result.status, result.reason) == ("ok", "")
    expected = ad.read_h5ad(awkward).X.toarray()
    np.testing.assert_array_equal(launch.arrays(tmp_path / "out")["denoised"], expected)

    assert (
        run(method, awkward, tmp_path, seed=8).reason == "RuntimeError: sh ended with exit code 1: it printed no error"
    )
    file.write_text("parameters = {}\ncommand = ['nosuch-program']\n")
    assert (run(method, awkward, tmp_path).status, run(method, awkward, tmp_path).reason) == (
        "unavailable",
        "nosuch-program is not installed",
    )
