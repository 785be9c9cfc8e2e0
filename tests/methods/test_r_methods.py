"""Methods in R: how they call Rscript, with a program in its place, and what is said where R is not installed.

Nothing here runs R: the scripts themselves run in the tests of all methods, where R and the packages are installed.
"""

import os
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pytest

from tests.methods.fixtures import CELLS, EMPTY_CELL, EMPTY_GENE, GENES
from zipo import methods
from zipo.benchmark.running import launch

R = Path(methods.__file__).parent / "r"
ARGUMENTS = {"saver": [], "drimpute": [], "scimpute": ["10", "0.5"]}
each_method = pytest.mark.parametrize("name", ARGUMENTS)

# gives twice the counts, and fails unless it was called as run.R says
RSCRIPT = """#!{python}
import sys
from pathlib import Path
from scipy.io import mmread
import numpy as np

runner, script, source, target, *rest = sys.argv[1:]
assert Path(runner).read_text().startswith("# Runs a method in R: Rscript run.R SCRIPT INPUT OUTPUT SEED THREADS")
assert Path(script).read_text().startswith("package <- ")
assert [Path(script).stem, *rest] == {words}, rest
counts = mmread(Path(source) / "counts.mtx").toarray()
cells, genes = (len((Path(source) / f"{{name}}.txt").read_text().splitlines()) for name in ("cells", "genes"))
assert counts.shape == (cells, genes)
np.savetxt(Path(target) / "denoised.csv", 2 * counts, delimiter=",")
"""


def place(program: Path, text: str) -> None:
    program.parent.mkdir(exist_ok=True)
    program.write_text(text)
    program.chmod(0o755)


def run(name: str, counts: Path, tmp_path: Path) -> launch.Result:
    return launch.run(methods.method(name), counts, tmp_path / "out", seed=7, threads=2, seconds=60)


@each_method
def test_rscript_is_called_with_the_script_the_folders_and_the_parameters(name, awkward, tmp_path, monkeypatch):
    text = RSCRIPT.format(python=sys.executable, words=[name, "7", "2", *ARGUMENTS[name]])
    place(tmp_path / "bin" / "Rscript", text)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    result = run(name, awkward, tmp_path)
    assert (result.status, result.reason) == ("ok", "")
    denoised, x = launch.arrays(tmp_path / "out")["denoised"], ad.read_h5ad(awkward).X.toarray()
    assert denoised.shape == (CELLS, GENES)
    assert not denoised[EMPTY_CELL].any()
    assert not denoised[:, EMPTY_GENE].any()
    np.testing.assert_array_equal(denoised, 2 * x)


@each_method
def test_without_r_a_method_is_unavailable_and_says_what_to_install(name, awkward, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run(name, awkward, tmp_path)
    reason = f"Rscript is not installed; install R and, in R, {methods.method(name).install.partition('in R, ')[2]}"
    assert (result.status, result.reason) == ("unavailable", reason)
    assert name in result.reason.lower()


def test_a_package_that_r_does_not_have_makes_a_method_unavailable(awkward, tmp_path, monkeypatch):
    place(tmp_path / "bin" / "Rscript", "#!/bin/sh\necho 'the R package SAVER is not installed' >&2\nexit 69\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    result = run("saver", awkward, tmp_path)
    expected = "the R package SAVER is not installed; install R and, in R, install.packages('SAVER')"
    assert (result.status, result.reason[: len(expected)]) == ("unavailable", expected)


def test_an_error_in_r_is_a_failure_with_its_last_line(awkward, tmp_path, monkeypatch):
    place(tmp_path / "bin" / "Rscript", "#!/bin/sh\necho 'Execution halted' >&2\nexit 1\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    result = run("scimpute", awkward, tmp_path)
    reason = "RuntimeError: Rscript ended with exit code 1: Execution halted"
    assert (result.status, result.reason) == ("failed", reason)


@each_method
def test_each_method_has_a_script_that_names_its_package(name):
    lines = (R / f"{name}.R").read_text().splitlines()
    package = methods.method(name).source.split(", ")[-1].split()[0]
    assert lines[0] == f'package <- "{package}"'
    (head,) = (line for line in lines if line.startswith("denoise <- "))
    assert (
        head == f"denoise <- function({', '.join(['counts', 'seed', 'threads', *methods.method(name).parameters])}) {{"
    )
