"""What a figure's page says was run, against tables whose contents are known."""

from types import SimpleNamespace

import pandas as pd

from zipo.figures.shared.caption import what_ran

SIZES = pd.DataFrame(
    {
        "dataset": ["b", "a", "unused"], "title": ["Set B", "Set A", "Unused"],
        "cells_after": [1937, 700, 5], "genes_after": [1000, 60, 5],
    }
)  # fmt: skip
POISSON = {"likelihood": "poisson", "rate_penalty": "none", "alpha_rate": 0.0}


def test_captions_list_runs_by_data_set_in_the_studys_order_with_their_seeds():
    rows = [("a", 1, "x"), ("b", 1, "x,y"), ("b", 2, "x"), ("b", 2, "x"), ("b", 3, "y"), ("unused", 1, "y")]
    runs = pd.DataFrame(rows, columns=["dataset", "seed", "experiments"]).assign(**POISSON)
    actual = what_ran(SimpleNamespace(experiments=("x",)), {"runs": runs}, SIZES)
    assert actual == "Set B: 1,937 cells, 1,000 genes, 2 seeds. Set A: 700 cells, 60 genes, 1 seed."


def test_captions_of_other_tables_list_trials_seeds_or_neither():
    module = SimpleNamespace(experiments=())
    trials = pd.DataFrame({"dataset": "b", "trial": range(12)})
    assert what_ran(module, {"trials": trials}, SIZES) == "Set B: 1,937 cells, 1,000 genes, 12 trials."
    totals = pd.DataFrame({"dataset": ["a", "a"], "total": [1, 2]})
    assert what_ran(module, {"totals": totals}, SIZES) == "Set A: 700 cells, 60 genes."
    places = pd.DataFrame({"dataset": ["a"] * 3, "x": [0.0] * 3})
    clusters = pd.DataFrame({"dataset": ["a"], "seed": [1]})
    assert what_ran(module, {"embeddings": places, "clusters": clusters}, SIZES).endswith("60 genes, 1 seed.")
    assert what_ran(module, {}, SIZES) == ""
