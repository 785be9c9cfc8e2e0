"""Deviances by cell and gene against scikit-learn, and errors against the jackknife."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import mean_poisson_deviance

from zipo.commands.worth.held_out import deviances, molecules
from zipo.metrics.shared import chunks
from zipo.metrics.shared.case import Case

CELLS, GENES = 80, 12


@pytest.fixture
def case():
    rng = np.random.default_rng(2)
    rates = rng.gamma(0.7, 3.0, GENES) * rng.gamma(4.0, 0.25, (CELLS, GENES))
    counts = rng.poisson(9 * rates)
    counts[:, 0], rates[:, 0] = 0, 0
    denoised = np.float32(9 * rates * rng.gamma(20.0, 0.05, rates.shape))
    return Case(csr_matrix(counts), denoised, held_out=csr_matrix(rng.poisson(rates)), training_share=0.9)


def reference(case):
    """Held-out counts, and what the denoised counts and the gene means predict of them."""
    training, held_out = case.counts.toarray(), case.held_out.toarray()
    means = training.sum(axis=1, keepdims=True) * training.sum(axis=0) / training.sum() / 9
    least = np.maximum(0.01 * training.mean(axis=0) / 9, 1e-6)
    return held_out, np.maximum(case.denoised.astype(float) / 9, least), np.maximum(means, least)


def test_deviances_are_scikit_learns(case, monkeypatch):
    monkeypatch.setattr(chunks, "ENTRIES", 100)  # several chunks
    held_out, predicted, means = reference(case)
    result = deviances(case)
    for actual, expected in ((result.by_cell, predicted), (result.base_by_cell, means)):
        single = [GENES * mean_poisson_deviance(held_out[cell], expected[cell]) for cell in range(CELLS)]
        np.testing.assert_allclose(actual, single, rtol=1e-6)
    for gene in range(1, GENES):
        of_gene = [mean_poisson_deviance(held_out[:, gene], each[:, gene]) for each in (predicted, means)]
        assert result.explained_by_gene[gene] == pytest.approx(1 - of_gene[0] / of_gene[1], rel=1e-6)
    np.testing.assert_allclose(result.explained_by_cell, 1 - result.by_cell / result.base_by_cell)


def test_errors_of_genes_are_those_of_the_jackknife(case):
    held_out, predicted, means = reference(case)
    result = deviances(case)
    for gene in range(1, GENES):
        kept = [np.arange(CELLS) != cell for cell in range(CELLS)]
        shares = [
            1
            - mean_poisson_deviance(held_out[some, gene], predicted[some, gene])
            / mean_poisson_deviance(held_out[some, gene], means[some, gene])
            for some in kept
        ]
        error = np.sqrt((CELLS - 1) * np.var(shares))
        assert result.error_by_gene[gene] == pytest.approx(error, rel=0.1)


def test_other_denoised_counts_may_be_the_base(case):
    held_out, predicted, means = reference(case)
    result = deviances(Case(case.counts, 9 * means, held_out=case.held_out, training_share=0.9), base=case.denoised)
    of_gene = [mean_poisson_deviance(held_out[:, 3], each[:, 3]) for each in (means, predicted)]
    assert result.explained_by_gene[3] == pytest.approx(1 - of_gene[0] / of_gene[1], rel=1e-6)


def test_molecules_are_counted_by_gene_and_by_cell(case):
    held_out = case.held_out.toarray()
    np.testing.assert_array_equal(molecules(case.held_out, axis=0), held_out.sum(axis=0))
    np.testing.assert_array_equal(molecules(case.held_out, axis=1), held_out.sum(axis=1))
