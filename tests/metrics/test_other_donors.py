"""Differential expression against other donors: by scipy, and with methods that are known to lose."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_matrix

from zipo.metrics import other_donors
from zipo.metrics.shared.case import Case, OtherDonors

GENES = 300


def cells_of(rng: np.random.Generator, types: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rates and counts of cells: gene means, of which half are others in "b", variation among cells, libraries of
    1,500."""
    profile = np.random.default_rng(8)
    means = profile.gamma(2.0, 1.0, GENES)
    factors = 2 ** np.where(np.arange(GENES) % 2, profile.normal(0, 1.5, GENES), 0)
    differ = factors != 1  # and add up to as much, so that the others keep their share
    factors[differ] *= means[differ].sum() / (means * factors)[differ].sum()
    rates = np.where((types == "b")[:, None], means * factors, means) * rng.gamma(5.0, 0.2, (len(types), GENES))
    rates *= 1500 * rng.lognormal(0, 0.3, (len(types), 1)) / rates.sum(1, keepdims=True)
    return rates, rng.poisson(rates)


@pytest.fixture(scope="module")
def methods() -> dict[str, Case]:
    rng = np.random.default_rng(1)
    types = np.repeat(["a", "b"], 150)
    rates, counts = cells_of(rng, types)
    donor_types = np.tile(["a", "b"], 150)
    donors = OtherDonors(
        counts=csr_matrix(cells_of(rng, donor_types)[1].astype(np.float32)),
        genes=np.arange(GENES),
        cell_types=donor_types,
        donors=np.repeat(["x", "y", "z"], 100),
    )
    case = Case(csr_matrix(counts.astype(np.float32)), counts, cell_types=types, other_donors=donors)
    denoised = {
        "oracle": rates,
        "no_denoising": counts,
        "gene_mean": counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum(),
        "zeros": np.zeros_like(counts),
        "smoothed": smoothed(counts, types),
        "exchanged": rates[(np.arange(300) + np.repeat([150, 0], 75)[np.arange(300) % 150]) % 300],
    }
    return {name: dataclasses.replace(case, denoised=values.astype(np.float32)) for name, values in denoised.items()}


def smoothed(counts: np.ndarray, types: np.ndarray) -> np.ndarray:
    """A fifth of each cell is its own, the rest one of three other cells of its type, as a smoother of neighbours."""
    rng = np.random.default_rng(1)
    answer = np.zeros(counts.shape)
    for cell_type in np.unique(types):
        cells = np.flatnonzero(types == cell_type)
        prototypes = rng.choice(cells, 3)
        answer[cells] = 0.2 * counts[cells] + 0.8 * counts[prototypes[rng.integers(0, 3, len(cells))]]
    return answer


def test_order(methods):
    scores = {name: other_donors.score(case) for name, case in methods.items()}
    for measure in ("donors_ranking", "donors_power"):
        oracle, none, mean, zeros = (scores[name][measure] for name in ("oracle", "no_denoising", "gene_mean", "zeros"))
        assert oracle > none + 0.005
        assert none > 0.5
        assert zeros == 0
        assert abs(mean) < 0.2
    for name in ("oracle", "no_denoising", "gene_mean", "zeros", "exchanged"):
        assert scores[name]["donors_false_calls"] < 0.05


def test_smoothing_calls_unchanged_genes(methods):
    none, smooth = (other_donors.score(methods[name]) for name in ("no_denoising", "smoothed"))
    assert smooth["donors_false_calls"] > none["donors_false_calls"] + 0.3
    assert smooth["donors_power"] > 0.9
    assert smooth["donors_ranking"] < none["donors_ranking"]


def test_cells_that_change_places_rank_nothing(methods):
    """Half of the cells of each type with the denoised counts of the other."""
    scores = other_donors.score(methods["exchanged"])
    assert abs(scores["donors_ranking"]) < 0.2
    assert scores["donors_power"] < 0.05


def test_by_brute_force(methods, monkeypatch):
    monkeypatch.setattr(other_donors, "DRAWS", 2)
    case = dataclasses.replace(methods["smoothed"], seed=4)
    other, rng = case.other_donors, np.random.default_rng(4)
    counts = other.counts.toarray().astype(float)
    bulks = {
        (donor, name): counts[(other.donors == donor) & (other.cell_types == name)].sum(0)
        for donor in "xyz"
        for name in "ab"
    }
    usual = np.max([bulk / bulk.sum() for bulk in bulks.values()], 0) < 0.05
    assert usual.sum() == GENES - 1  # one gene is too much of a cell
    changes = []
    for donor in "xyz":
        totals = {name: bulks[donor, name][usual].sum() for name in "ab"}
        added = {name: 2 * total / sum(totals.values()) for name, total in totals.items()}
        rate = {name: (bulks[donor, name] + added[name]) / total for name, total in totals.items()}
        changes.append(np.log2(rate["a"] / rate["b"]))
    molecules = [counts[other.cell_types == name].sum(0) for name in "ab"]
    tested = (case.counts.toarray() > 0).mean(0) >= 0.1
    unchanged = tested & (np.abs(np.mean(changes, 0)) < 0.25) & (np.minimum(*molecules) >= 100)
    changed = tested & ((np.array(changes) >= 1).all(0) | (np.array(changes) <= -1).all(0))
    assert unchanged.sum() > 100
    assert changed.sum() > 30
    draws = []
    for _ in range(2):
        groups = [
            case.denoised[rng.choice(np.flatnonzero(case.cell_types == name), 30, replace=False)] for name in "ab"
        ]
        a, b = (np.round(np.log1p(1e4 * x / x[:, usual].sum(1, keepdims=True)), 5) for x in groups)
        test = stats.mannwhitneyu(a[:, tested], b[:, tested], method="asymptotic", use_continuity=False)
        p, sign = np.ones(GENES), np.sign(test.statistic - 30 * 30 / 2)
        p[tested] = test.pvalue
        called = np.zeros(GENES, bool)  # Benjamini & Hochberg: up to the last p below its line
        order = np.flatnonzero(tested)[np.argsort(p[tested])]
        below = np.flatnonzero(p[order] <= 0.05 * np.arange(1, len(order) + 1) / len(order))
        called[order[: below[-1] + 1]] = True
        z = sign * stats.norm.isf(test.pvalue / 2)
        ranking = stats.spearmanr(z, np.mean(changes, 0)[tested]).statistic
        draws.append([ranking, called[unchanged].mean(), called[changed].mean()])
    assert list(other_donors.score(case).values()) == pytest.approx(np.mean(draws, 0), rel=1e-6)


def test_fold_changes_of_a_few_molecules():
    bulks = np.array([[[7.0, 0.0, 13.0], [19.0, 0.0, 1.0]]])
    changes = other_donors.fold_changes(bulks, np.full(3, True))
    np.testing.assert_allclose(changes, [[np.log2(8 / 20), 0.0, np.log2(14 / 2)]])


def test_a_gene_has_changed_if_all_donors_agree():
    changes = np.array([[1.0, 1.2, -1.0, 2.0, 0.0], [1.5, -1.2, -2.0, 0.9, 0.0]])
    assert other_donors.changed_in_each(changes).tolist() == [True, False, True, False, False]


def test_a_gene_that_is_much_of_a_cell_shifts_no_other(methods):
    """Half of the molecules of type "b" are one gene's, in the case and not in the donors."""
    case = methods["no_denoising"]
    counts, donors = case.counts.toarray(), case.other_donors.counts.toarray()
    hormone = GENES - 1
    donors[:, hormone] = 400
    counts[:, hormone] = np.where(case.cell_types == "b", 1500, 400)
    other = dataclasses.replace(case.other_donors, counts=csr_matrix(donors))
    changed = dataclasses.replace(case, counts=csr_matrix(counts), denoised=counts, other_donors=other)
    before, after = other_donors.score(case), other_donors.score(changed)
    assert after["donors_false_calls"] < before["donors_false_calls"] + 0.02
    assert after["donors_ranking"] == pytest.approx(before["donors_ranking"], abs=0.05)


def test_pairs_need_cells_of_both_types_and_two_donors(methods):
    case = methods["no_denoising"]
    assert list(other_donors.tested_pairs(case)) == [("a", "b")]
    for names in (np.repeat(["x", "y"], [280, 20]), np.repeat("x", 300)):
        alone = dataclasses.replace(case.other_donors, donors=names)  # of the second donor, ten cells of each type
        assert np.isnan(list(other_donors.score(dataclasses.replace(case, other_donors=alone)).values())).all()
    few = np.where(np.arange(300) < 271, "a", "b")
    assert not list(other_donors.tested_pairs(dataclasses.replace(case, cell_types=few)))


def test_genes_that_donors_lack_count_for_nothing(methods):
    """The same with genes beside those that are shared, whatever they are."""
    case = methods["no_denoising"]
    more = np.hstack([np.full((300, 2), 5000.0, np.float32), case.denoised])
    other = dataclasses.replace(case.other_donors, genes=np.arange(GENES) + 2)
    wider = dataclasses.replace(case, counts=csr_matrix(more), denoised=more, other_donors=other)
    assert other_donors.score(wider) == pytest.approx(other_donors.score(case), rel=1e-6)
