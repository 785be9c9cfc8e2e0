"""The options of the simulation, each by the moments or the distribution that it is to have."""

import anndata as ad
import numpy as np
import pytest
from scipy import special, stats

from zipo.datasets.prepared import write
from zipo.datasets.simulation import simulate
from zipo.datasets.sources.simulated import SimulatedSource


def draw(**options) -> ad.AnnData:
    return simulate(SimulatedSource(**{"kind": "simulated", "cells": 800, "genes": 300} | options))


def log_rates(data: ad.AnnData) -> np.ndarray:
    return np.log(data.layers["true_rates"].astype(float))


def test_the_options_at_their_defaults_leave_the_draw_as_it_was():
    """Counts of the data set simulated_1500, noted before there were any of these options."""
    data = draw(cells=1500, genes=1000, dropout_midpoint=-1.0)
    assert data.X.sum() == 2_947_362
    assert sorted(data.obs) == ["cell_type"]
    assert not data.obsm


@pytest.mark.parametrize(
    "option",
    [{"tail_index": 2.0}, {"programs": 3}, {"batches": 2}, {"trajectory": True}],
    ids=lambda option: next(iter(option)),
)
def test_an_option_changes_nothing_else_that_is_drawn(option):
    """The same types, and the same libraries, which the sums of the rates are."""
    plain, other = draw(), draw(**option)
    assert list(plain.obs["cell_type"]) == list(other.obs["cell_type"])
    totals = [data.layers["true_rates"].sum(axis=1, dtype=float) for data in (plain, other)]
    np.testing.assert_allclose(*totals, rtol=1e-4)
    assert not np.allclose(plain.layers["true_rates"], other.layers["true_rates"], rtol=0.1)


def test_means_with_a_tail_are_products_of_gamma_and_pareto():
    """P(G P > t) = P(G > t) + t^-a E[G^a; G <= t] with G gamma of shape .6 and P Pareto of index a from one on."""
    index, shape = 1.7, 0.6
    data = draw(cells=2, genes=20_000, cell_types=1, differential_share=0.0, dispersion=0.0, tail_index=index)
    plain = draw(cells=2, genes=20_000, cell_types=1, differential_share=0.0, dispersion=0.0)
    # shares are means over their sum, which is known from any one gene: the factor is 1 at least
    means = np.random.default_rng(1).gamma(shape, size=20_000)
    np.testing.assert_allclose(
        plain.layers["true_rates"][0] / plain.layers["true_rates"][0].sum(), means / means.sum(), rtol=1e-3
    )
    factor = data.layers["true_rates"][0].astype(float) / means
    factor /= factor[means > 1e-6].min()

    def cdf(t):
        below = special.gammainc(shape + index, t) * special.gamma(shape + index) / special.gamma(shape)
        return 1 - stats.gamma(shape).sf(t) - t**-index * below

    assert stats.kstest(factor * means, cdf).pvalue > 0.001
    assert stats.kstest(means, cdf).pvalue < 1e-6
    largest = np.sort(factor * means)[-400:]  # Hill's estimator; its standard error is the index over 20
    assert 1 / np.log(largest[1:] / largest[0]).mean() == pytest.approx(index, abs=5 * index / 20)


@pytest.fixture(scope="module")
def programmed() -> ad.AnnData:
    """One type with two programs, each on half of the genes."""
    options = {"cell_types": 1, "programs": 2, "program_share": 0.5, "program_spread": 0.6, "dispersion": 0.2}
    return draw(cells=6000, genes=60, seed=2, **options)


def test_programs_give_log_rates_their_covariance(programmed):
    """A difference of two genes' log rates, free of the library, has the variance |l_i - l_j|^2 + 2 psi'(1 / d)."""
    loadings, logs = programmed.varm["true_loadings"], log_rates(programmed)
    pairs = np.random.default_rng(0).integers(60, size=(300, 2))
    i, j = pairs[pairs[:, 0] != pairs[:, 1]].T
    expected = np.square(loadings[i] - loadings[j]).sum(axis=1) + 2 * special.polygamma(1, 5)
    np.testing.assert_allclose((logs[:, i] - logs[:, j]).var(axis=0), expected, rtol=0.12)


def test_genes_of_a_program_go_together_as_their_loadings_say(programmed):
    """Against a gene outside of all programs: cov = l_i l_j + psi', var = |l|^2 + 2 psi'."""
    loadings, logs = programmed.varm["true_loadings"], log_rates(programmed)
    outside = np.flatnonzero(~loadings.any(axis=1))
    assert len(outside) > 3
    first = np.argsort(-np.abs(loadings[:, 0]))[:8]
    noise = special.polygamma(1, 5)
    x = logs[:, first] - logs[:, outside[:1]]
    covariance = loadings[first] @ loadings[first].T + noise * (1 + np.eye(8))
    scale = np.sqrt(np.diag(covariance))
    expected = covariance / np.outer(scale, scale)
    np.testing.assert_allclose(np.corrcoef(x.T), expected, atol=5 / np.sqrt(6000))


def test_loadings_and_activities_have_the_spread_that_is_asked_for():
    data = draw(cells=4000, genes=3000, programs=4, program_share=0.2, program_spread=0.7)
    loadings, activities = data.varm["true_loadings"], data.obsm["true_activities"]
    assert (loadings != 0).mean() == pytest.approx(0.2, abs=5 * 0.4 / np.sqrt(loadings.size))
    assert loadings[loadings != 0].std() == pytest.approx(0.7, rel=0.05)
    assert stats.kstest(activities.ravel(), stats.norm.cdf).pvalue > 0.001
    for cell_type in data.obs["cell_type"].unique():  # shared by all types
        chosen = activities[data.obs["cell_type"] == cell_type]
        assert np.abs(chosen.mean(axis=0)).max() < 5 / np.sqrt(len(chosen))


def test_programs_leave_the_mean_of_a_gene():
    """Before cells are brought to their library size: two genes' expected ratio to an unaffected one."""
    options = {"cells": 20_000, "genes": 400, "cell_types": 1, "dispersion": 0.0, "library_spread": 0.0, "seed": 4}
    plain, data = draw(**options), draw(programs=1, program_share=0.5, program_spread=0.4, **options)
    loadings, rates = data.varm["true_loadings"][:, 0], data.layers["true_rates"].astype(float)
    unaffected = np.flatnonzero(loadings == 0)[0]
    ratios = (rates / rates[:, [unaffected]]).mean(axis=0)
    expected = plain.layers["true_rates"][0] / plain.layers["true_rates"][0, unaffected]
    np.testing.assert_allclose(ratios / expected, 1, atol=0.05)


def test_cells_of_a_trajectory_lie_between_the_root_and_their_type():
    """Logarithms of two genes' ratio grow linearly from the root, which all branches share, to that of the type."""
    options = {"cell_types": 3, "dispersion": 0.0}
    data, types = draw(trajectory=True, **options), draw(**options)
    ratios, ends = (log_rates(x)[:, 1:] - log_rates(x)[:, [0]] for x in (data, types))
    t = data.obs["pseudotime"].to_numpy()
    assert stats.kstest(t, stats.uniform.cdf).pvalue > 0.001
    roots = []
    for cell_type in types.obs["cell_type"].unique():
        cells = np.flatnonzero(types.obs["cell_type"] == cell_type)
        design = np.column_stack([1 - t[cells], t[cells]])
        (root, end), *_ = np.linalg.lstsq(design, ratios[cells])
        np.testing.assert_allclose(design @ [root, end], ratios[cells], atol=1e-4)
        np.testing.assert_allclose(end, ends[cells[0]], atol=1e-3)
        roots.append(root)
    np.testing.assert_allclose(roots[0], roots[1], atol=1e-3)
    np.testing.assert_allclose(roots[0], roots[2], atol=1e-3)
    assert np.abs(roots[0] - ends[0]).max() > 0.5


def test_batches_differ_by_log_normal_factors():
    """Of two batches of alike cells a gene's log fold change, but for the library, is N(0, 2 s^2) over genes."""
    data = draw(cells=100, genes=5000, cell_types=1, dispersion=0.0, batches=2, batch_spread=0.4)
    first = data.obs["batch"].to_numpy() == "batch-0"
    logs = log_rates(data)
    logs -= logs.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(logs[first] - logs[first][0], 0, atol=1e-4)
    change = logs[first][0] - logs[~first][0]
    assert stats.kstest(change, stats.norm(0, 0.4 * np.sqrt(2)).cdf).pvalue > 0.001
    assert first.mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(100))


def test_a_rare_type_has_its_share_and_the_others_their_proportions():
    rare, plain = draw(cells=20_000, genes=2, rare_share=0.02), draw(cells=20_000, genes=2)
    shares, before = (data.obs["cell_type"].value_counts(normalize=True).sort_index() for data in (rare, plain))
    assert shares["type-4"] == pytest.approx(0.02, abs=5 * np.sqrt(0.02 * 0.98 / 20_000))
    others = [f"type-{t}" for t in range(4)]
    np.testing.assert_allclose(shares[others] / 0.98, before[others] / before[others].sum(), atol=0.015)


def test_rates_vary_around_those_of_the_state_by_the_dispersion():
    """Of everything at once: rates over those of the state, free of the library, are ratios of gamma variables."""
    data = draw(trajectory=True, programs=2, batches=3, tail_index=2.5, dispersion=0.25)
    assert (data.var["true_dispersion"] == 0.25).all()
    np.testing.assert_allclose(
        data.layers["true_state_rates"].sum(axis=1), data.layers["true_rates"].sum(axis=1), rtol=1e-4
    )
    noise = log_rates(data) - np.log(data.layers["true_state_rates"])
    ratios = noise[:, 1] - noise[:, 0]
    # of two gamma variables of shape 4 the ratio is F distributed with 8 and 8 degrees of freedom
    assert stats.kstest(np.exp(ratios), stats.f(8, 8).cdf).pvalue > 0.001


def test_the_loss_is_what_its_curve_says():
    data = draw(dropout_midpoint=0.3, dropout_slope=-1.5)
    curve = data.uns["true_loss"]
    assert curve == {"midpoint": 0.3, "slope": -1.5}
    expected = stats.logistic.cdf(-1.5 * (log_rates(data) - 0.3))
    np.testing.assert_allclose(data.layers["true_zero_probability"], expected, atol=1e-5)


def test_all_of_it_can_be_written(tmp_path):
    data = draw(cells=50, genes=20, trajectory=True, programs=2, batches=2, dropout_midpoint=0.0)
    write(data, tmp_path / "all.h5ad")
    again = ad.read_h5ad(tmp_path / "all.h5ad")
    np.testing.assert_array_equal(again.varm["true_loadings"], data.varm["true_loadings"])
    assert list(again.obs["batch"]) == list(data.obs["batch"])
