"""The table of all methods on all data sets: its order, places and empty cells, and that the page has it."""

import pandas as pd
import pytest


@pytest.fixture
def script(import_script):
    return import_script("leaderboard_table")


def test_rows_are_in_the_order_of_their_mean_place(script):
    values = [
        ("baron", "glmpca", 0.25, 2), ("baron", "zipo", 0.1254, 1), ("baron", "bayes", 0.2, None),
        ("zeisel", "glmpca", 1.5, 1), ("zeisel", "zipo", None, 2), ("zeisel", "bayes", 1.0, None),
        ("unknown", "zipo", 9.0, 1),
    ]  # fmt: skip
    board = pd.DataFrame(values, columns=["dataset", "method", "mean", "rank"]).assign(metric="poisson_deviance")
    other = board.assign(metric="seconds", mean=7.0)
    assert script.by_dataset(pd.concat([other, board])).splitlines() == [
        "|  | pancreas | brain |",
        "| --- | ---: | ---: |",
        "| **ZiPo** | .125 (1) |  |",
        "| *bayes* | .200 | 1.000 |",
        "| GLM-PCA | .250 (2) | 1.500 (1) |",
    ]


def test_the_page_has_the_table_that_the_published_leaderboard_makes(script):
    board, page = pd.read_parquet(script.PUBLISHED), script.PAGE.read_text()
    assert script.with_tables(page, {"full": script.by_dataset(board)}) == page
    assert set(board["dataset"]) == set(script.DATASETS)
