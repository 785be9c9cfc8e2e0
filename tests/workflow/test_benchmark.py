"""Methods compared through Snakemake: files dropped into the folder of methods, good ones and bad ones."""

import pandas as pd
import pytest

from .conftest import Repository, new_repository

pytestmark = pytest.mark.xdist_group("benchmark")  # one worker, so that the study runs once

STUDY = {
    "study": "compared",
    "title": "Methods compared",
    "datasets": {"toy": {}},
    "default_dataset": "toy",
    "benchmark": {"splits": 1, "permuted": 0, "seconds": 8, "reference": "gene_mean"},
}
METHOD = """
import time
import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

name = "{name}"
env = None
parameters: dict = {{}}
seeded = False
keeps_library = True
scale = "counts"
source = "a test"


def denoise(counts, *, seed):
    x = csr_matrix(counts.X).toarray()
    denoised = counts.copy()
    {line}
    return denoised
"""
GOOD = "denoised.layers['denoised'] = (x + x.sum(axis=1, keepdims=True) * x.sum(axis=0) / x.sum()) / 2"
BAD = {
    "crashes": ("raise ValueError('no way')", "failed", "ValueError: no way"),
    "hangs": ("time.sleep(600)", "timeout", "not finished after 8 seconds"),
    "no_number": ("denoised.layers['denoised'] = x * np.nan", "invalid", "not a number (NaN)"),
    "negative": ("denoised.layers['denoised'] = x - 0.5", "invalid", "negative values"),
    "wrong_shape": (
        "denoised = denoised[:, :10].copy(); denoised.layers['denoised'] = x[:, :10]",
        "invalid",
        "10 genes",
    ),
    "logs": (
        "denoised.layers['denoised'] = np.log1p(1e4 * x / x.sum(axis=1, keepdims=True))",
        "invalid",
        "not on the scale of the counts",
    ),
    "unreadable": ("(", "failed", "unreadable.py cannot be imported"),
}
TARGETS = [f"results/compared/{name}" for name in ("leaderboard.tsv", "scores.tsv")]


def drop(repository: Repository, name: str, line: str) -> None:
    (repository.folder / "zipo" / "methods" / f"{name}.py").write_text(METHOD.format(name=name, line=line))


def read(repository: Repository) -> pd.DataFrame:
    return pd.read_csv(repository.folder / "results" / "compared" / "leaderboard.tsv", sep="\t")


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> tuple[Repository, pd.DataFrame, dict[str, int]]:
    """A study of two controls, its leaderboard, and the jobs that the dropped files add; they have run."""
    repository = new_repository(tmp_path_factory.mktemp("compared") / "project")
    for file in (repository.folder / "zipo" / "methods").glob("*.py"):
        if file.stem not in ("__init__", "gene_mean", "no_denoising"):
            file.unlink()
    repository.write_study(STUDY)
    repository.snakemake(*TARGETS)
    before = read(repository)
    drop(repository, "good", GOOD)
    for name, (line, _, _) in BAD.items():
        drop(repository, name, line)
    jobs = repository.planned(*TARGETS)
    repository.snakemake(*TARGETS)
    return repository, before, jobs


def test_a_dropped_file_is_all_that_runs_and_appears_in_the_leaderboard(compared):
    repository, _, jobs = compared
    added = 1 + len(BAD)
    assert jobs == {"denoise": added, "scores": added, "scores_table": 1, "leaderboard": 1}
    table = read(repository)
    own = table[table["method"] == "good"].set_index("metric")
    assert (own["status"] == "ok").all()
    assert (own["rank"].dropna() == 1).all()  # of one: the others are controls, or went wrong
    assert pd.isna(own.loc["library_rmse", "rank"])
    assert "no_denoising" in own.loc["poisson_deviance", "beats"]
    controls = table[table["metric"] == "poisson_deviance"].set_index("method")["mean"]
    assert own.loc["poisson_deviance", "mean"] < controls["no_denoising"]
    assert own.loc["poisson_deviance", "difference"] == pytest.approx(
        own.loc["poisson_deviance", "mean"] - controls["gene_mean"]
    )


@pytest.mark.parametrize("name", BAD)
def test_a_bad_method_is_marked_in_the_leaderboard_and_named_on_the_page(compared, name):
    repository, _, _ = compared
    _, status, reason = BAD[name]
    own = read(repository).query("method == @name")
    assert len(own) > 5
    assert set(own["status"]) == {status}
    assert own["reason"].str.contains(reason, regex=False).all()
    assert own[["mean", "rank", "low", "high"]].isna().all(axis=None)
    page = (repository.folder / "results" / "compared" / "leaderboard.html").read_text()
    assert f"<b>{name}</b> on toy: <span class='bad'>{status}</span>" in page
    scores = pd.read_csv(repository.folder / "results" / "compared" / "scores.tsv", sep="\t")
    assert scores.query("method == @name")["status"].tolist() == [status]


def test_bad_methods_harm_no_other_row(compared):
    repository, before, _ = compared
    table = read(repository)
    others = table[table["method"].isin(before["method"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, before, check_dtype=False)


def test_a_study_of_methods_alone_plans_neither_training_nor_claims(compared):
    repository, _, _ = compared
    planned = repository.planned()
    once = dict.fromkeys(("totals", "table_1", "benchmark_views", "configuration", "front", "report"), 1)
    assert planned == once | {"figure": 6, "page": 2}


def test_all_methods_run_again_on_another_number_of_threads(compared):
    repository, _, _ = compared
    rows = 3 + len(BAD)
    assert repository.planned(*TARGETS, "--config", "benchmark={threads: 2}") == {
        "denoise": rows, "scores": rows, "scores_table": 1, "leaderboard": 1
    }  # fmt: skip


def test_an_unknown_parameter_is_refused_before_anything_starts(tmp_path):
    repository = new_repository(tmp_path / "project")
    choice = {"methods": {"pca": {"parameters": {"rank": 3}}}}
    repository.write_study(STUDY | {"benchmark": choice})
    done = repository.try_snakemake()
    assert done.returncode != 0
    assert "benchmark.methods: pca.parameters: 'rank' is no parameter of pca; it has components" in done.stdout
    assert not (repository.folder / "results").exists()
