"""The page on differential expression: its numbers are those of its tables, and its code does what it says."""

import re
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from scipy.sparse import csr_matrix

from zipo.methods import knn_smoothing

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "testing.md").read_text()
TEXT = " ".join(PAGE.split())
CODE = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
SPLITS = pd.read_csv(DOCS / "testing" / "other-donors.tsv", sep="\t", index_col="method")
DONORS = SPLITS[SPLITS["split"] == 4]
COUNTS, CONTROLS = "no_denoising", ["no_denoising", "shrinkage"]
MEASURES = ["donors_ranking", "donors_false_calls", "donors_power"]
GENES, CHANGED = 400, 40


def per_cent(value: float) -> str:
    return f"{100 * value:.0f}"


def test_the_table_is_that_of_the_run():
    rows = re.findall(r"^\| [`*](\w+)[`*](?:: the counts)? \| (\.\d+) \| (\.\d+) \| (\.\d+) \|$", PAGE, re.M)
    expected = DONORS.sort_values("donors_false_calls")[MEASURES]
    assert rows == [(name, *(f"{value:.3f}"[1:] for value in row)) for name, *row in expected.itertuples()]


def test_what_is_said_of_the_table_is_so():
    ranking, calls = DONORS["donors_ranking"], DONORS["donors_false_calls"]
    assert f"The ranking rises from {ranking[COUNTS]:.3f} to as much as {ranking.max():.3f}".replace("0.", ".") in TEXT
    assert set(ranking[ranking < ranking[COUNTS]].index) == {"deepimpute", "recode", "shrinkage"}
    others = calls.drop(CONTROLS)
    assert (others > calls[COUNTS]).all()
    low, high = per_cent(others.min()), per_cent(others.max())
    assert f"false calls rise from {per_cent(calls[COUNTS])} % to between {low} and {high} % with every one" in TEXT
    assert f"ZiPo's default, `zipo`, they are {per_cent(calls['zipo'])} %, more than twice" in TEXT
    assert 2 < calls["zipo"] / calls[COUNTS] < 2.5


def test_splits_differ_by_as_much_as_is_said():
    by_method = SPLITS.groupby("method")[MEASURES]
    ranking, calls, power = (f"{value:.3f}"[1:] for value in (by_method.max() - by_method.min()).max())
    assert f"rankings differ by at most {ranking}, false calls by {calls} and power by {power}." in TEXT
    assert f"for {(by_method.size() > 1).sum()} of the rows" in TEXT


def test_the_worst_draws_are_those_of_the_leaderboard():
    board = pd.read_parquet(DOCS / "leaderboard" / "leaderboard.parquet")
    means = board.pivot_table(index="metric", columns=["dataset", "method"], values="mean")
    control = board["remark"].fillna("").str.startswith("control")
    worst, methods = means.loc["null_differences_worst"], sorted(board.loc[~control, "method"].unique())
    datasets = {"baron": "pancreas", "zeisel": "brain", "simulated_programs": "simulated counts"}
    counts = {place: per_cent(worst[name, COUNTS]) for name, place in datasets.items()}
    words = [f"{share} % on {place}" for place, share in counts.items()]
    assert f"`null_differences_worst`) {words[0]}, {words[1]} and {words[2]} without denoising" in TEXT
    ranges = [
        f"{per_cent(worst[name][methods].min())} to {per_cent(worst[name][methods].max())} %" for name in datasets
    ]
    assert f"and {ranges[0]}, {ranges[1]} and {ranges[2]} with the methods" in TEXT


@pytest.fixture(scope="module")
def cells() -> ad.AnnData:
    """Two types of cells of six donors: 40 genes differ between the types in all donors, and all genes vary among
    donors and, within a donor, between its types."""
    rng = np.random.default_rng(3)
    change = np.where(np.arange(GENES) < CHANGED, np.where(np.arange(GENES) % 2, 1.2, -1.2), 0)
    base, counts, labels = rng.gamma(2, size=GENES), [], []
    for donor in range(6):
        own = rng.normal(0, 0.4, GENES)
        for cell_type, log_change in (("alpha", 0), ("beta", change)):
            shares = base * np.exp(own + rng.normal(0, 0.2, GENES) + log_change)
            library = rng.lognormal(7, 0.3, size=(40, 1))
            counts.append(rng.poisson(rng.gamma(5, 1 / 5, size=(40, GENES)) * library * shares / shares.sum()))
            labels += [(cell_type, f"donor-{donor}")] * 40
    obs = pd.DataFrame(labels, columns=["cell_type", "donor"], dtype="category")
    cells = ad.AnnData(csr_matrix(np.vstack(counts).astype(np.float32)), obs.set_index(obs.index.astype(str)))
    cells.layers["denoised"] = knn_smoothing.denoise(cells, seed=1, **knn_smoothing.parameters).layers["denoised"]
    return cells


def test_the_code_calls_what_differs_and_little_else(cells):
    names = {"cells": cells.copy()}
    for block in CODE:
        exec(block, names)
    called = names["q"] <= 0.05
    changed = np.isin(called.index, cells.var_names[:CHANGED])
    assert len(called) > GENES - 10
    assert called[changed].mean() > 0.9
    assert called[~changed].mean() < 0.03
    # the order is that of the denoised counts, and what changes comes first
    table = names["table"]
    assert (np.diff(table["score"].abs()) <= 0).all()
    assert np.isin(table.index[:CHANGED], cells.var_names[:CHANGED]).mean() > 0.9
    assert names["cells"].layers["log_denoised"].shape == cells.shape


def test_tests_on_cells_call_what_does_not_differ_and_more_so_when_denoised(cells):
    """What the page warns of happens in the data on which its code is tested."""
    wrong = {}
    for layer in ("counts", "denoised"):
        values = ad.AnnData(cells.X.toarray() if layer == "counts" else cells.layers["denoised"].copy(), cells.obs)
        sc.pp.normalize_total(values, target_sum=1e4)
        sc.pp.log1p(values)
        sc.tl.rank_genes_groups(values, "cell_type", groups=["beta"], reference="alpha", method="wilcoxon")
        p = sc.get.rank_genes_groups_df(values, "beta").set_index("names")["pvals_adj"]
        wrong[layer] = (p[[str(gene) for gene in range(CHANGED, GENES)]] <= 0.05).mean()
    assert wrong["counts"] > 0.1
    assert wrong["denoised"] > wrong["counts"] + 0.1
