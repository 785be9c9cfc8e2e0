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
    "ZiPo, preset `fast`": "zipo_fast",
    "the same with ZINB": "zipo_paper_zinb",
    "LDVAE": "ldvae",
    "RECODE": "recode",
    "RECODE, version 1": "recode_1",
    "CellMapper": "cellmapper",
    "Noise2Self": "scself",
    "DeepImpute": "deepimpute",
}
"""Names of methods on the page; controls are there by their own, in italics."""


ALL_SETS = [
    "baron", "baron_donors", "baron_mouse", "zeisel", "cord_blood", "pbmc8k", "dentate_gyrus", "choroid_plexus",
    "simulated_programs", "simulated_trajectory", "simulated_batches", "designed_baron",
]  # fmt: skip
"""Columns of the table of all data sets."""


@pytest.fixture(scope="module")
def board() -> pd.DataFrame:
    return board_of("leaderboard")


@pytest.fixture(scope="module")
def full() -> pd.DataFrame:
    return board_of("leaderboard-full")


@pytest.fixture(scope="module")
def rows() -> dict[str, list[str]]:
    return rows_of(PAGE.split("\n\n")[2])


def board_of(folder: str) -> pd.DataFrame:
    table = pd.read_parquet(DOCS / folder / "leaderboard.parquet")
    return table.set_index(["method", "dataset", "metric"])


def rows_of(table: str) -> dict[str, list[str]]:
    """Cells of a table of the page by the method's name in the leaderboard."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {METHODS.get(name, name.strip("*")): values for name, *values in cells}


def test_the_table_has_every_row_of_the_leaderboard(board, rows):
    assert set(rows) == set(board.index.get_level_values("method"))


@pytest.mark.parametrize("place", range(len(COLUMNS)), ids=[" ".join(each) for each in COLUMNS])
def test_a_column_is_that_of_the_leaderboard(board, rows, place):
    dataset, metric = COLUMNS[place]
    for method, cells in rows.items():
        check_cell(cells[place], board, (method, dataset, metric))


@pytest.mark.parametrize("place", range(len(ALL_SETS)), ids=ALL_SETS)
def test_a_column_of_all_data_sets_is_that_of_their_leaderboard(full, place):
    rows = rows_of(PAGE.split("<!-- table full -->\n\n")[1].split("\n\n<!-- end -->")[0])
    assert set(rows) == set(full.index.get_level_values("method"))
    for method, cells in rows.items():
        assert len(cells) == len(ALL_SETS)
        check_cell(cells[place], full, (method, ALL_SETS[place], "poisson_deviance"))


def test_the_text_on_all_data_sets_is_that_of_their_leaderboard(full):
    text = TEXT.split("## On twelve data sets")[1].split("## Beside openproblems")[0]
    measures = ("poisson_deviance", "denoised_ari", "seconds")
    means = {metric: full["mean"].xs(metric, level="metric").unstack("method") for metric in measures}
    ours = means["poisson_deviance"]["zipo"]
    nets = 100 * (1 - ours / means["poisson_deviance"][["dca", "scvi"]].min(axis=1))
    factors = 100 * (1 - ours / means["poisson_deviance"]["glmpca"])
    assert f"{nets.min():.1f} to {nets.max():.1f} % below the better of DCA and scVI" in text
    assert f"{factors.min():.1f} % (cord blood) to {factors.max():.1f} % below GLM-PCA" in text
    assert factors.idxmin() == "cord_blood"
    for metric in ("poisson_deviance", "mse_counts"):
        places = full["rank"].xs(metric, level="metric").unstack("method")[["zipo", "zipo_fast"]]
        assert (places <= 2).all(axis=None)
    agreement = means["denoised_ari"].loc["baron_mouse"]
    assert f"(ARI {agreement['zipo']:.3f}) are behind those of the counts ({agreement['no_denoising']:.3f})".replace(
        "0.", ".") in text  # fmt: skip
    shares = 100 * means["seconds"]["zipo"] / means["seconds"]["scvi"]
    assert f"{shares.min():.0f} to {shares.max():.0f} % of scVI's" in text


def check_cell(cell: str, board: pd.DataFrame, key: tuple[str, str, str]) -> None:
    """A cell has the mean of a leaderboard to its digits, and the place but for seconds; none where there is none."""
    value = board["mean"].get(key, default=float("nan"))
    if pd.isna(value):
        assert cell == "", key
        return
    number, rank = re.fullmatch(r"([\d.]+)(?: \((\d+)\))?", cell).groups()
    digits = len(number.partition(".")[2])
    assert float(number) == pytest.approx(value, abs=0.51 * 10**-digits), key
    if key[2] != "seconds":
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
