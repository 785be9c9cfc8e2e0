"""The tables that decide claims: columns that are added, and scores of latents beside the runs."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.study.claims.invented import SHARE, STUDY, claims
from zipo.study.claims.tables import read_tables, with_measures
from zipo.study.claims.verdicts import decide

LATENTS = SHARE | {
    "figure": 16,
    "measure": "nmi",
    "of": {"likelihood": ["zip", "zinb"]},
    "direction": "greater",
    "bound": 0.5,
}


@pytest.fixture
def finished() -> pd.DataFrame:
    """Two settings of two seeds as a runs table has them."""
    table = pd.DataFrame(
        {"setting": ["s1", "s1", "s2", "s2"], "seed": [1, 2, 1, 2], "likelihood": ["zip"] * 2 + ["zinb"] * 2}
    )
    return table.assign(
        dataset="a", experiments="alpha_z", status="ok", first_layer=8, genes=50, weights=1000,
        stopped_by="patience", training_cells=80, test_cells=10,
    )  # fmt: skip


SCORES = pd.DataFrame({"dataset": "a", "setting": ["s1", "s2"], "seed": 1, "nmi": [0.8, 0.7]}).assign(
    silhouette=0.1, ari=0.2
)


def test_scores_of_one_seed_are_told_and_undecided(finished):
    tables = {"runs": with_measures(finished, SCORES)}
    row = decide(tables, STUDY, claims(it=LATENTS)).iloc[0]
    assert (row["verdict"], row["pairs"], row["mean_of"]) == ("undecided", 1, 0.7)
    assert row["sentence"].startswith("nmi at likelihood zinb is 0.7, the weakest of 2 comparisons, to be greater than")
    assert row["sentence"].endswith("from 1 seed; a test needs two.")
    both = pd.concat([SCORES, SCORES.assign(seed=2, nmi=[0.82, 0.71])])
    row = decide({"runs": with_measures(finished, both)}, STUDY, claims(it=LATENTS)).iloc[0]
    expected = max(stats.ttest_1samp(v, 0.5, alternative="greater").pvalue for v in ([0.7, 0.71], [0.8, 0.82]))
    assert (row["verdict"], row["p"]) == ("reproduced", pytest.approx(expected))
    row = decide({"runs": with_measures(finished, SCORES[:0])}, STUDY, claims(it=LATENTS)).iloc[0]
    assert row["sentence"] == "Not run: no run has nmi."


def test_tables_are_read_with_what_claims_ask_beside(finished, tmp_path):
    trials = pd.DataFrame({"encoder": ["8-4-2"] * 8 + [None], "status": ["ok"] * 8 + ["failed"]})
    for name, table in {"runs": finished, "clusters": SCORES, "trials": trials, "totals": finished}.items():
        table.to_parquet(tmp_path / f"{name}.parquet")
    tables = read_tables(sorted(tmp_path.iterdir()))
    assert set(tables) == {"runs", "trials", "totals"}
    runs = tables["runs"]
    assert runs["first_layer_share"].tolist() == [0.4] * 4
    assert runs["nmi"].tolist() == pytest.approx([0.8, np.nan, 0.7, np.nan], nan_ok=True)
    assert tables["trials"][["first_layer", "latents", "depth"]].drop_duplicates().to_numpy().tolist() == [[8, 2, 3]]
    assert len(tables["trials"]) == 8
    assert "nmi" not in read_tables([tmp_path / "runs.parquet"])["runs"]
