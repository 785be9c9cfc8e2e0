"""RNA and protein: against scipy, on counts whose proteins follow the true expression, and as data sets carry them."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.sparse import csr_matrix

from tests.metrics.conftest import cases
from zipo.datasets import filters
from zipo.datasets.catalogue import Filters
from zipo.datasets.formats import h5ad
from zipo.datasets.thinning import thinned
from zipo.metrics import protein_rna
from zipo.metrics.shared.case import Case
from zipo.metrics.shared.permutation import permuted
from zipo.metrics.shared.rank_correlation import spearman
from zipo.metrics.shared.rare_type import rarefied


@pytest.fixture(scope="module")
def measured(simulated) -> ad.AnnData:
    """Proteins of twenty genes of middling expression: Poisson, in proportion to the gene's true share of a cell."""
    data = simulated.copy()
    shares = data.layers["true_rates"] / data.layers["true_rates"].sum(axis=1, keepdims=True)
    genes = np.argsort(-shares.mean(axis=0))[10:30]
    abundance = np.random.default_rng(1).poisson(50 * shares[:, genes] / shares[:, genes].mean(axis=0))
    data.obsm["protein"] = pd.DataFrame(abundance, index=data.obs_names, columns=data.var_names[genes])
    data.obs["batch"] = np.where(np.arange(data.n_obs) % 2, "x", "y")
    data.obs["pseudotime"] = np.linspace(0, 1, data.n_obs)
    return data


def correlation(case: Case) -> float:
    return protein_rna.score(case)["protein_correlation"]


def test_the_truth_goes_with_the_protein_best_and_a_mean_not_at_all(measured):
    truth, none, mean, zeros = (correlation(case) for case in cases(measured).values())
    assert truth > none + 0.2
    assert none > 0.1
    assert mean == zeros == 0


def test_correlations_agree_with_scipy(measured):
    case = cases(measured)["no_denoising"]
    logs = np.log1p(1e4 * case.denoised / case.denoised.sum(1, keepdims=True, dtype=float))
    table = measured.obsm["protein"]
    rho = [
        stats.spearmanr(np.round(logs[:, measured.var_names.get_loc(gene)], 5), table[gene]).statistic for gene in table
    ]
    assert correlation(case) == pytest.approx(np.mean(rho), rel=1e-9)


def test_constant_columns():
    x, y = np.random.default_rng(1).poisson(2.0, size=(2, 30, 3))
    x[:, 1], y[:, 2] = 1, 1
    actual = spearman(x, y)
    assert actual[0] == pytest.approx(stats.spearmanr(x[:, 0], y[:, 0]).statistic, rel=1e-9)
    assert actual[1] == 0
    assert np.isnan(actual[2])
    counts = x.astype(np.float32)
    kept = Case(csr_matrix(counts), counts, proteins=y[:, [0, 2]], protein_genes=np.array([0, 2]))
    alone = Case(csr_matrix(counts), counts, proteins=y[:, [0]], protein_genes=np.array([0]))
    assert correlation(kept) == correlation(alone) != 0
    assert np.isnan(correlation(Case(csr_matrix(counts), counts, proteins=y[:, [2]], protein_genes=np.array([2]))))


def test_proteins_of_genes_that_filters_dropped_are_left_out(measured):
    names = list(measured.obsm["protein"].columns)
    kept = measured[:, [name for name in measured.var_names if name not in names[:5]]].copy()
    kept.layers["denoised"] = kept.X.toarray()
    case = Case.of(kept, kept)
    assert list(kept.var_names[case.protein_genes]) == names[5:]
    np.testing.assert_array_equal(case.proteins, measured.obsm["protein"].to_numpy()[:, 5:])
    assert "proteins" in case.has
    array = kept.copy()
    array.obsm["protein"], array.uns["protein_genes"] = measured.obsm["protein"].to_numpy(), names
    np.testing.assert_array_equal(Case.of(array, array).protein_genes, case.protein_genes)
    assert "proteins" not in Case.of(kept[:, :1], kept[:, :1]).has
    del kept.obsm["protein"]
    assert "proteins" not in Case.of(kept, kept).has


def test_data_sets_carry_proteins_batches_and_places_with_their_cells(measured, tmp_path):
    """Through filters, thinning, a rare type and a file; permuted counts are of no cell that was measured."""
    few = filters.apply(measured, Filters(min_counts=300))
    rare = rarefied(few, measured.obs["cell_type"].iloc[0], seed=1)
    training, _ = thinned(rare, 0.9, seed=1)
    assert training.n_obs < few.n_obs < measured.n_obs
    h5ad.write(training, tmp_path / "counts.h5ad", "lzf")
    after = ad.read_h5ad(tmp_path / "counts.h5ad")
    before = measured[after.obs_names]
    assert list(after.obsm["protein"].columns) == list(before.obsm["protein"].columns)
    np.testing.assert_array_equal(after.obsm["protein"].to_numpy(), before.obsm["protein"].to_numpy())
    np.testing.assert_array_equal(after.obs["pseudotime"], before.obs["pseudotime"])
    assert list(after.obs["batch"]) == list(before.obs["batch"])
    after.layers["denoised"] = after.X.toarray()
    assert {"proteins", "batches", "pseudotime"} <= Case.of(after, after).has
    assert "protein" not in permuted(measured, seed=1).obsm
