"""Markers against sklearn's AUROC; better means recover them better."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from zipo.metrics import markers


def true_markers(case) -> dict[str, np.ndarray]:
    """The three genes of each type that its true means raise most."""
    logs = np.log1p(case.true_rates / case.true_rates.sum(1, keepdims=True) * 1e4)
    actual = {}
    for cell_type in np.unique(case.cell_types):
        inside = case.cell_types == cell_type
        actual[cell_type] = np.argsort(logs[~inside].mean(0) - logs[inside].mean(0))[:3]
    return actual


def test_agrees_with_sklearn(shallow_cases):
    case = shallow_cases["no_denoising"]
    known = dataclasses.replace(case, markers=true_markers(case))
    cp10k = 1e4 * case.denoised / case.denoised.sum(1, keepdims=True, dtype=float)
    areas, changes = [], []
    for cell_type, genes in known.markers.items():
        inside = case.cell_types == cell_type
        for gene in genes:
            areas.append(roc_auc_score(inside, np.round(np.log1p(cp10k[:, gene]), 5)))
            changes.append(np.log2((cp10k[inside, gene].mean() + 1) / (cp10k[~inside, gene].mean() + 1)))
    scores = markers.score(known)
    assert scores["marker_auroc"] == pytest.approx(np.mean(areas), rel=1e-9)
    assert scores["marker_log_fold_change"] == pytest.approx(np.mean(changes), rel=1e-4)


def test_order(shallow_cases):
    truth = true_markers(shallow_cases["oracle"])
    areas = {
        name: markers.score(dataclasses.replace(case, markers=truth))["marker_auroc"]
        for name, case in shallow_cases.items()
    }
    assert areas["oracle"] > 0.95
    assert areas["oracle"] > areas["no_denoising"] + 0.05 > 0.65
    assert areas["gene_mean"] == areas["zeros"] == 0.5


def test_cells_without_a_type_and_types_without_cells_are_left_out(shallow_cases):
    case = shallow_cases["no_denoising"]
    truth = true_markers(case)
    known = np.arange(len(case.cell_types)) % 2 == 0
    hidden = dataclasses.replace(
        case, cell_types=np.where(known, case.cell_types, ""), markers=truth | {"type-9": np.array([0])}
    )
    half = dataclasses.replace(
        case,
        counts=case.counts[known],
        denoised=case.denoised[known],
        cell_types=case.cell_types[known],
        markers=truth,
    )
    assert markers.score(hidden) == pytest.approx(markers.score(half), rel=1e-12)
    nowhere = dataclasses.replace(case, markers={"type-9": np.array([0])})
    assert np.isnan(markers.score(nowhere)["marker_auroc"])
