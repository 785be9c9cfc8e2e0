"""`zipo benchmark`: one method file on data sets, beside controls and stored scores."""

import shutil

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.special import xlogy

from tests.commands.benchmark.conftest import METHOD, SOURCE
from zipo.datasets.simulation import simulate
from zipo.datasets.sources.simulated import SimulatedSource

pytestmark = [pytest.mark.usefixtures("_published"), pytest.mark.xdist_group("one-method")]


@pytest.fixture
def folder(finished, tmp_path, monkeypatch):
    """A copy of the finished benchmark, as the working folder."""
    shutil.copytree(finished[0], tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def scores(folder) -> pd.DataFrame:
    table = pd.read_csv(folder / "benchmark-mine" / "scores.tsv", sep="\t")
    return table.set_index(["method", "kind", "split", "metric"]).sort_index()


def deviance_of(split: int) -> float:
    """Mean Poisson deviance of the held-out molecules of a split, from the definition of each step."""
    counts = simulate(SimulatedSource(**SOURCE)).X.toarray()
    counts = counts[:, (counts > 0).sum(axis=0) >= 5]
    # molecules are drawn entry by entry, in the order of the rows
    training = np.zeros_like(counts)
    training[counts > 0] = np.random.default_rng(split).binomial(counts[counts > 0].astype(int), 0.9)
    held_out = counts - training
    shares, library = training.sum(axis=0) / training.sum(), training.sum(axis=1, keepdims=True)
    expected = (training + library * shares) / 2 / 9
    expected = np.maximum(expected, training.mean(axis=0) / 100 / 9)
    return (2 * (xlogy(held_out, held_out / expected) - held_out + expected)).mean()


@pytest.mark.parametrize("split", [3, 4])
def test_a_method_is_scored_on_what_it_did_not_see(split, finished):
    own = scores(finished[0]).loc[("mine", "split", split, "poisson_deviance"), "value"]
    assert own == pytest.approx(deviance_of(split), rel=1e-5)


def test_every_kind_of_counts_and_every_control_is_run(finished):
    folder, done = finished
    rows = set(scores(folder).index.droplevel("metric"))
    kinds = [("split", 3), ("split", 4), ("permuted", 3)]
    assert rows == {(m, *k) for m in ("no_denoising", "gene_mean", "shrinkage", "mine") for k in kinds}
    assert "[ 3/12] tiny permuted-3-seed-1 mine: ok" in done.stderr
    assert "\nTiny (tiny)\nmeasure " in done.stdout
    permuted = ad.read_h5ad(folder / "benchmark-mine" / "benchmark" / "data" / "tiny" / "permuted-3.h5ad")
    assert permuted.uns["permuted"]


def test_the_leaderboard_says_what_the_method_beats(finished):
    table = pd.read_csv(finished[0] / "benchmark-mine" / "leaderboard.tsv", sep="\t").set_index(["metric", "method"])
    means = table.loc["poisson_deviance", "mean"]
    assert means["mine"] == pytest.approx((deviance_of(3) + deviance_of(4)) / 2, rel=1e-5)
    beaten = {name for name in means.index if means["mine"] < means[name]}
    assert set(table.loc[("poisson_deviance", "mine"), "beats"].split(", ")) == beaten != set()
    # of the others from the method: the page says where it loses
    difference = table.loc[("poisson_deviance", "gene_mean"), "difference"]
    assert difference == pytest.approx(means["gene_mean"] - means["mine"])
    page = (finished[0] / "benchmark-mine" / "leaderboard.html").read_text()
    assert "mine beside The published" in page


def test_what_has_run_is_not_run_again_and_what_was_edited_is(zipo, folder):
    code, _, messages = zipo("benchmark", "mine.py")
    assert (code, messages.count("kept from before")) == (0, 12)
    measure = (("mine", "split", 3, "poisson_deviance"), "value")
    before = scores(folder).loc[measure]
    (folder / "mine.py").write_text(METHOD.replace("0.5", "0.25"))
    code, _, messages = zipo("benchmark", "mine.py")
    assert (code, messages.count("kept from before")) == (0, 9)
    assert scores(folder).loc[measure] != before


def stored_of(folder, change=None):
    """A table as a study stores it: the scores of the controls, and a method that does better than all."""
    table = pd.read_csv(folder / "benchmark-mine" / "scores.tsv", sep="\t")
    peer = table[table["method"] == "mine"].assign(method="peer")
    peer.loc[peer["metric"] == "poisson_deviance", "value"] = 0.001
    table = pd.concat([table[table["method"] != "mine"], peer]).assign(study="stored")
    file = folder / "stored.tsv"
    (change(table) if change else table).to_csv(file, sep="\t", index=False, na_rep="NA")
    return file


def test_a_method_is_ranked_among_stored_ones(zipo, folder):
    code, printed, messages = zipo("benchmark", "mine.py", "--against", stored_of(folder))
    assert (code, "note:" in messages) == (0, False)
    (line,) = [line for line in printed.splitlines() if line.startswith("poisson deviance")]
    assert "2 of 2  peer 0.001 " in line
    assert f"Stored scores of peer: {folder / 'stored.tsv'}\n" in printed
    table = pd.read_csv(folder / "benchmark-mine" / "leaderboard.tsv", sep="\t").set_index(["metric", "method"])
    assert table.loc["poisson_deviance", "origin"].to_dict()["peer"] == "stored"
    assert table.loc[("poisson_deviance", "peer"), "rank"] == 1
    # another machine's seconds rank nothing
    assert set(table.loc["seconds"].index) == {"no_denoising", "gene_mean", "shrinkage", "mine"}


def test_stored_scores_of_other_counts_are_not_compared_with(zipo, folder):
    file = stored_of(folder, lambda table: table.assign(value=table["value"] * 1.01))
    code, printed, messages = zipo("benchmark", "mine.py", "--against", file)
    assert code == 0
    assert "note: tiny, split counts: " in messages
    assert "in the stored scores: these are other counts" in messages
    assert "peer" not in printed


def test_scores_that_are_none_are_refused(zipo, folder):
    (folder / "old.tsv").write_text("dataset\tmethod\n")
    code, _, messages = zipo("benchmark", "mine.py", "--against", "old.tsv")
    assert code == 2
    assert messages.startswith("error: old.tsv: there is no column 'study'; expected the scores.tsv")
    code, _, messages = zipo("benchmark", "mine.py", "--against", "nosuch.tsv")
    assert (code, messages[:42]) == (2, "error: --against: nosuch.tsv: no such file")


@pytest.mark.parametrize(
    ("line", "seconds", "reason"),
    [
        ("raise ValueError('no luck')", 60, "failed: ValueError: no luck; its output is in benchmark-mine/"),
        ("return counts[:3]", 60, "invalid: the answer has 3 cells; expected the 120 that were given"),
        ("import time; time.sleep(600)", 1, "timeout: not finished after 1 seconds"),
    ],
)
def test_a_method_that_fails_costs_nothing_else(line, seconds, reason, zipo, folder):
    head, _ = METHOD.split("    matrix = ")
    (folder / "mine.py").write_text(f"{head}    {line}\n")
    code, _, messages = zipo("benchmark", "mine.py", "--splits", "1", "--seconds", seconds)
    assert code == 1
    assert f"note: mine on tiny (split-3-seed-1, permuted-3-seed-1): {reason}" in messages
    assert messages.count("kept from before") == 6
    table = pd.read_csv(folder / "benchmark-mine" / "leaderboard.tsv", sep="\t").set_index(["metric", "method"])
    assert table.loc[("poisson_deviance", "shrinkage"), "status"] == "ok"
    assert table.loc[("poisson_deviance", "mine"), "status"] == reason.split(":")[0]


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        ("name = 'mine'\n", [], "mine.py: mine.py does not declare env, parameters"),
        (METHOD.replace("env = None", "env = 'nosuch'"), [], "its pins are missing: there is no nosuch.txt in "),
        (
            METHOD,
            ["--datasets", "tinny"],
            "'tinny' is not in the catalogue; there are other, tiny; did you mean 'tiny'?",
        ),
        (None, [], "mine.py: no such file; `zipo new-method NAME` writes a method to fill in"),
        (METHOD, ["--splits", "0"], ""),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_runs(text, options, problem, zipo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if text:
        (tmp_path / "mine.py").write_text(text)
    code, _, messages = zipo("benchmark", "mine.py", *options)
    assert code == 2
    assert problem in messages
    assert not (tmp_path / "benchmark-mine").exists()


def test_a_control_is_no_method_to_try(zipo, tmp_path):
    (tmp_path / "shrinkage.py").write_text(METHOD.replace('"mine"', '"shrinkage"'))
    code, _, messages = zipo("benchmark", tmp_path / "shrinkage.py")
    assert (code, "shrinkage is a control that runs beside the method" in messages) == (2, True)
