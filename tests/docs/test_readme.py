"""The README's commands and Python for counts of one's own: run as they stand, on the counts that they fetch."""

import contextlib
import re
from pathlib import Path

import anndata as ad
import pytest
import run_tutorial
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

README = (Path(__file__).parents[2] / "README.md").read_text()
SECTION = README.split("## Denoise counts\n")[1].split("\n## ")[0]
COMMANDS, PYTHON = (re.search(rf"^```{kind}\n(.*?)^```$", SECTION, re.M | re.S)[1] for kind in ("", "python"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the commands have run; the package is installed already."""
    folder = tmp_path_factory.mktemp("readme")
    lines = [line for line in COMMANDS.splitlines() if not line.startswith("pip install")]
    with threadpool_limits(1), pytest.MonkeyPatch.context() as patch, contextlib.chdir(folder):
        patch.setenv("OMP_NUM_THREADS", "1")
        run_tutorial.shell("\n".join(lines))
    return folder


@pytest.mark.xdist_group("readme")
def test_the_commands_do_what_they_say(folder):
    counts, denoised = (ad.read_h5ad(folder / name) for name in ("baron.h5ad", "denoised.h5ad"))
    assert counts.shape == (1937, 20125)
    assert denoised.shape == (1937, 1000)
    assert (counts[:, denoised.var_names].X != denoised.X).nnz == 0
    assert denoised.uns["zipo"]["check"]["plausible"]
    assert {path.stem for path in (folder / "denoised.plots").glob("*.png")} == {"training", "latent", "zeros"}


@pytest.mark.xdist_group("readme")
def test_the_python_runs_on_the_same_counts(folder, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    names: dict = {"__name__": "__main__"}
    with threadpool_limits(1), contextlib.chdir(folder):
        exec(compile(PYTHON, "README.md", "exec"), names)
    cells = names["cells"]
    assert cells.layers["denoised"].sum() == pytest.approx(cells.X.sum(), rel=0.01)
    # the clusters are the types, as the caption of its picture says: .93 to .96 by four seeds, two instruction sets;
    # types of a few cells join others, by the seed, so that .88 to .94 of the cells are in a cluster of their type
    assert adjusted_rand_score(cells.obs["leiden"], cells.obs["cell_type"]) > 0.85
