"""Stored scores: taken where the controls score as they did, left out with the reason where they do not."""

import pandas as pd
import pytest

from zipo.commands.benchmark.stored import comparable

CONTROLS = ("no_denoising", "gene_mean")
MEASURES = {"poisson_deviance": 0.3, "mse_counts": 2.0, "marker_auroc": 0.9, "denoised_ari": 0.5, "seconds": 1.0}


def table(methods=(*CONTROLS, "mine"), splits=(1, 2), factors=None, kind="split") -> pd.DataFrame:
    """Scores of methods, whose numbers differ by method and split; `factors` change some by (method, measure)."""
    rows = []
    for number, method in enumerate(methods, 1):
        for split in splits:
            for measure, value in MEASURES.items():
                changed = value * number * split * (factors or {}).get((method, measure), 1)
                row = {"dataset": "tiny", "kind": kind, "method": method, "split": split, "seed": 1}
                rows.append(row | {"metric": measure, "value": changed})
    return pd.DataFrame(rows)


STORED = (*CONTROLS, "peer")


def test_scores_of_the_same_counts_are_taken_but_for_seconds_and_what_ran_here():
    rows, remarks = comparable(table((*STORED, "mine"), splits=(1, 2, 3)), table(), CONTROLS)
    assert remarks == []
    assert set(rows["method"]) == {"peer"}
    assert set(rows["split"]) == {1, 2}
    assert set(rows["metric"]) == set(MEASURES) - {"seconds"}


def test_seeds_that_did_not_run_here_are_left_out():
    stored = pd.concat([table(STORED), table(STORED).assign(seed=2)])
    rows, _ = comparable(stored, table(), CONTROLS)
    assert set(rows["seed"]) == {1}


def test_a_measure_that_is_taken_otherwise_is_left_out_with_its_numbers():
    factors = {(name, "marker_auroc"): 1.2 for name in CONTROLS}
    rows, remarks = comparable(table(STORED, factors=factors), table(), CONTROLS)
    assert set(rows["metric"]) == set(MEASURES) - {"seconds", "marker_auroc"}
    (remark,) = remarks
    assert remark.startswith("tiny, split counts: marker_auroc is left out of the stored scores: ")
    assert remark.endswith(" in the stored scores")


def test_clusters_of_a_control_whose_cells_are_all_alike_tell_nothing():
    rows, remarks = comparable(table(STORED, factors={("gene_mean", "denoised_ari"): 30}), table(), CONTROLS)
    assert remarks == []
    assert "denoised_ari" in set(rows["metric"])


def test_rounding_is_no_difference():
    factors = {(name, measure): 1 + 2e-6 for name in CONTROLS for measure in MEASURES}
    rows, remarks = comparable(table(STORED, factors=factors), table(), CONTROLS)
    assert (remarks, len(rows)) == ([], 2 * 4)


@pytest.mark.parametrize(
    ("stored", "remark"),
    [
        (
            table(STORED, factors={(name, m): 1.001 for name in CONTROLS for m in MEASURES}),
            "tiny, split counts: no_denoising has a poisson_deviance of 0.3 here and of 0.3003 in the stored scores: "
            "these are other counts (data, filters, share of molecules or version), so nothing stored is compared with",
        ),
        (
            table(STORED, splits=(11, 12)),
            "tiny, split counts: the stored scores are of the splits 11, 12 and not of 1, 2; choose among them by "
            "--first-split and --splits",
        ),
        (table(STORED, kind="rare"), "tiny, split counts: no stored scores"),
        (
            table(("peer",)),
            "tiny, split counts: none of the controls (no_denoising, gene_mean) is in the stored scores to tell that "
            "data are the same, so nothing stored is compared with",
        ),
    ],
)
def test_scores_that_are_not_comparable_are_left_out_in_words(stored, remark):
    rows, remarks = comparable(stored, table(), CONTROLS)
    assert (list(rows["method"]), remarks) == ([], [remark])


def test_other_counts_of_the_splits_make_all_kinds_others():
    stored = pd.concat(
        [table(STORED, factors={(n, m): 1.1 for n in CONTROLS for m in MEASURES}), table(STORED, kind="rare")]
    )
    rows, remarks = comparable(stored, pd.concat([table(), table(kind="rare")]), CONTROLS)
    assert (len(rows), len(remarks)) == (0, 1)
