"""The table of docs/leaderboard.md and the numbers in its text are those of the published leaderboard."""

import re
from pathlib import Path

import pandas as pd
import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "leaderboard.md").read_text()
TEXT = " ".join(PAGE.split())
COLUMNS = [
    ("baron", "poisson_deviance"),
    ("baron", "mse_counts"),
    ("zeisel", "poisson_deviance"),
    ("zeisel", "mse_counts"),
    ("simulated_programs", "poisson_deviance"),
    ("simulated_programs", "truth_mse"),
    ("baron", "denoised_ari"),
    ("baron", "latent_ari"),
    ("baron", "false_correlations"),
    ("baron", "false_module_amplitude"),
    ("baron", "seconds"),
]
METHODS = {
    "**ZiPo**": "zipo",
    "GLM-PCA": "glmpca",
    "Poisson NMF": "nmf",
    "MAGIC": "magic",
    "ENHANCE": "enhance",
    "kNN-smoothing": "knn_smoothing",
    "ZiPo, preset `paper`": "zipo_paper",
    "DCA": "dca",
    "scVI (ZINB)": "scvi",
    "PCA": "pca",
    "ALRA": "alra",
}
"""Names of methods on the page; controls are there by their own, in italics."""


@pytest.fixture(scope="module")
def board() -> pd.DataFrame:
    table = pd.read_parquet(DOCS / "leaderboard" / "leaderboard.parquet")
    return table.set_index(["method", "dataset", "metric"])


@pytest.fixture(scope="module")
def rows() -> dict[str, list[str]]:
    """Cells of the table by the method's name in the leaderboard."""
    table = PAGE.split("\n\n")[2].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {METHODS.get(name, name.strip("*")): values for name, *values in cells}


def test_the_table_has_every_row_of_the_leaderboard(board, rows):
    assert set(rows) == set(board.index.get_level_values("method"))


@pytest.mark.parametrize("place", range(len(COLUMNS)), ids=[" ".join(each) for each in COLUMNS])
def test_a_column_is_that_of_the_leaderboard(board, rows, place):
    dataset, metric = COLUMNS[place]
    for method, cells in rows.items():
        key = method, dataset, metric
        value = board["mean"].get(key, default=float("nan"))
        if pd.isna(value):
            assert cells[place] == "", key
            continue
        number, rank = re.fullmatch(r"([\d.]+)(?: \((\d+)\))?", cells[place]).groups()
        digits = len(number.partition(".")[2])
        assert float(number) == pytest.approx(value, abs=0.51 * 10**-digits), key
        if metric != "seconds":
            assert rank == (None if pd.isna(board["rank"][key]) else str(board["rank"][key])), key


def test_the_gains_in_the_text_are_those_of_the_table(board):
    deviance = board["mean"].xs("poisson_deviance", level="metric").unstack("method")
    sets = ["baron", "zeisel", "simulated_programs"]
    ours, factors = deviance["zipo"], deviance["glmpca"]
    above_factors = [f"{100 * (1 - ours[name] / factors[name]):.1f}" for name in sets]
    assert "{}, {} and {} % below GLM-PCA".format(*above_factors) in TEXT
    nets = deviance[["dca", "scvi"]].min(axis=1)
    above_nets = [100 * (1 - ours[name] / nets[name]) for name in sets]
    assert "{:.0f}, {:.0f} and {:.1f} % below the better of DCA and scVI".format(*above_nets) in TEXT
    bound = deviance["bayes"]["simulated_programs"]
    assert f"it is {100 * (ours['simulated_programs'] / bound - 1):.1f} %".replace(" 0.", " .") in TEXT


def test_the_agreements_in_the_text_are_those_of_the_leaderboard(board):
    latent, denoised = (board["mean"].xs(f"{name}_ari", level="metric") for name in ("latent", "denoised"))
    for method, dataset, scores in (
        ("zipo", "baron", latent),
        ("dca", "baron", latent),
        ("nmf", "zeisel", latent),
        ("pca", "zeisel", latent),
        ("zipo", "zeisel", latent),
        ("no_denoising", "baron", denoised),
        ("no_denoising", "zeisel", denoised),
        ("zipo", "baron", denoised),
        ("zipo", "zeisel", denoised),
    ):
        assert f"{scores[method, dataset]:.3f}".removeprefix("0") in TEXT, (method, dataset)
