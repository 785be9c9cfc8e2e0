"""The evidence on where the best trial lies against bootstrap samples drawn one by one."""

import numpy as np
import pandas as pd
import pytest

from tests.study.claims.invented import STUDY, claims, evaluate
from zipo.study.claims.kinds.best_trial import share_of_bests
from zipo.study.claims.verdicts import decide

ENTRY = {
    "section": "III-H", "claim": "c", "data": ["a"], "kind": "best_trial",
    "of": {"alpha_z": {"at_least": 0.03, "at_most": 0.3}},
}  # fmt: skip


def trials(*alphas: float) -> pd.DataFrame:
    """Trials from the best on, in another order, and one that was pruned."""
    table = pd.DataFrame({"alpha_z": alphas, "validation_nll": np.linspace(1, 2, len(alphas))})
    table = pd.concat([table.iloc[::-1], pd.DataFrame({"alpha_z": [0.1], "validation_nll": [0.5]})])
    return table.assign(dataset="a", status=["ok"] * len(alphas) + ["pruned"])


@pytest.mark.parametrize("among", [[1, 0, 0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 0, 0, 0, 0, 0, 0]])
def test_the_share_is_that_of_samples(among):
    rng = np.random.default_rng(1)
    best = rng.integers(0, len(among), (20_000, len(among))).min(axis=1)
    assert share_of_bests(np.array(among, bool)) == pytest.approx(np.mean(np.array(among)[best]), abs=0.012)


def test_the_place_of_the_best_is_shown_and_refuted():
    shown = evaluate(trials(0.1, 0.2, 0.05, 0.9, 0.02, 0.1, 0.02), **ENTRY)
    assert shown.p == pytest.approx(1 - shown.estimate)
    assert shown.count == 7

    def verdict(*alphas):
        return decide({"trials": trials(*alphas)}, STUDY, claims(it=ENTRY)).iloc[0]

    row = verdict(0.1, 0.2, 0.05, 0.9, 0.02, 0.1, 0.02, 0.02)
    assert row["verdict"] == "reproduced"
    assert row["sentence"].startswith("The trial of the lowest validation NLL has alpha_z 0.1; in 9")
    assert row["sentence"].endswith("The 3 best trials agree in this.")
    assert verdict(0.9, 0.02, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1)["verdict"] == "not reproduced"
    row = verdict(0.1, 0.9, 0.1, 0.9, 0.1, 0.9)
    assert row["verdict"] == "undecided"
    assert row["sentence"].endswith("The second best differs in this.")


def test_trials_that_say_nothing():
    row = decide({"trials": trials(0.1, 0.2)}, STUDY, claims(it=ENTRY)).iloc[0]
    assert row["sentence"] == "Not run: all trials are those of which the claim speaks."
    row = decide({"trials": trials()}, STUDY, claims(it=ENTRY)).iloc[0]
    assert row["sentence"] == "Not run: no trial came to its end."
