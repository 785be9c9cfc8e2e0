"""Amplitudes of made-up modules: planted ones come back, and noise, libraries and dominant genes make none."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from zipo.metrics import false_amplitude, false_correlations
from zipo.metrics.shared.case import Case
from zipo.metrics.shared.permutation import permuted

CELLS, GENES = 400, 200
EVERYTHING = np.arange(CELLS), np.arange(GENES)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def means(rng):
    """Mean counts from 0.2 to 20."""
    return np.exp(rng.uniform(np.log(0.2), np.log(20.0), GENES))


@pytest.fixture
def library(rng):
    """Library sizes relative to their mean, two thirds of which are within a factor of two."""
    return np.exp(rng.normal(0, 0.7, (CELLS, 1)))


def case(denoised, counts=None):
    counts = np.ones((CELLS, GENES)) if counts is None else counts
    return Case(csr_matrix(counts), np.asarray(denoised, np.float32), cell_types=np.repeat("a", CELLS), kind="permuted")


def score(denoised, counts=None):
    return false_amplitude.score(case(denoised, counts))["false_amplitude"]


def module(rng, amplitude, genes=GENES):
    """Factors of cells and genes around 1: half of the genes go up where the other half goes down."""
    state = rng.normal(size=(CELLS, 1))
    state = (state - state.mean()) / state.std()
    return 1 + amplitude * state * np.where(np.arange(GENES) < genes, np.where(np.arange(GENES) % 2, 1, -1), 0)


def test_gene_means_and_library_sizes_have_none(means, library):
    assert score(library * means) < 1e-6  # the rounding of float32
    assert score(np.zeros((CELLS, GENES))) == 0


def test_counting_noise_has_none_however_large(rng, means, library):
    counts = rng.permuted(rng.poisson(library * means), axis=0)
    values = false_amplitude.scaled_columns(counts, *EVERYTHING)
    assert np.median(values.std(axis=0) / values.mean(axis=0)) > 0.7
    assert score(counts, counts) < 0.02


@pytest.mark.parametrize("amplitude", [1e-4, 0.03, 0.3])
def test_a_module_of_all_genes_comes_back_with_its_amplitude(rng, means, library, amplitude):
    measured = false_amplitude.score(case(library * means * module(rng, amplitude)))
    assert list(measured.values()) == pytest.approx([amplitude, amplitude], rel=0.03)


def test_the_share_of_correlations_does_not_tell_amplitudes_and_this_does(rng, means, library):
    """Planted at 0.1 % and at 30 % of the genes' means, the same module."""
    state = rng.bit_generator.state
    scores = {}
    for amplitude in (0.001, 0.3):
        rng.bit_generator.state = state
        planted = case(library * means * module(rng, amplitude))
        scores[amplitude] = false_correlations.score(planted) | false_amplitude.score(planted)
    small, large = scores.values()
    assert small["false_correlations"] == pytest.approx(large["false_correlations"], abs=0.01)
    assert small["false_correlations"] > 0.9
    assert large["false_amplitude"] == pytest.approx(300 * small["false_amplitude"], rel=0.02)


def test_the_share_of_correlations_is_hidden_by_noise_and_the_amplitude_is_not(rng, means, library):
    """Noise of each gene by itself, as a method leaves it in that keeps some of each count."""
    planted = library * means * module(rng, 0.3)
    noisy = planted * rng.gamma(1.0, 1.0, planted.shape)
    assert false_correlations.score(case(noisy))["false_correlations"] < 0.001
    assert score(noisy) == pytest.approx(0.3, rel=0.15)


def test_a_module_of_some_genes_has_their_amplitude_and_their_share_of_it_in_the_mean(rng, means, library):
    denoised = library * means * module(rng, 0.4, genes=GENES // 4) * rng.gamma(100.0, 0.01, (CELLS, GENES))
    measured = false_amplitude.score(case(denoised))
    assert measured["false_amplitude"] == pytest.approx(0.4 / 4, rel=0.1)
    assert measured["false_module_amplitude"] == pytest.approx(0.4, rel=0.1)


def test_several_modules_add_up_in_variance_and_the_largest_stands_alone(rng, means, library):
    """Of the second, every other pair of genes goes up with the first and down with it, so that both are apart."""
    pairs = np.where(np.arange(GENES) // 2 % 2, 1, -1)
    first, second = module(rng, 0.4), 1 + (module(rng, 0.3) - 1) * pairs
    measured = false_amplitude.score(case(library * means * (first + second - 1)))
    assert measured["false_amplitude"] == pytest.approx(0.5, rel=0.05)
    assert measured["false_module_amplitude"] == pytest.approx(0.4, rel=0.1)


def test_factors_of_cells_change_nothing(rng, means):
    denoised = means * module(rng, 0.3)
    expected = score(denoised)
    assert score(1000 * denoised) == pytest.approx(expected, rel=1e-4)
    assert score(denoised * np.exp(rng.normal(0, 1, (CELLS, 1)))) == pytest.approx(expected, rel=1e-4)


def test_one_gene_of_many_molecules_and_much_noise_makes_no_module(rng, means):
    """Divided by their total, all other genes would go together against it."""
    means[0] = means.sum() / 2
    counts = rng.poisson(50 * means * np.column_stack([rng.gamma(2.0, 0.5, CELLS), np.ones((CELLS, GENES - 1))]))
    by_total = counts / counts.sum(axis=1, keepdims=True)
    assert false_amplitude.shared_amplitudes(by_total, rng)[1].mean() > 0.15
    assert score(counts, counts) < 0.05  # the gene has 5 % of the sum of roots, half of the molecules


def test_scaling_by_hand():
    denoised = np.array([[1.0, 9.0, 0.0], [2.0, 18.0, 0.0], [0.0, 0.0, 0.0]])
    actual = false_amplitude.scaled_columns(denoised, np.array([0, 1, 2]), np.array([1]))
    # mean shares 2/30 and 18/30: the sum of shares over their roots, for cells 1 and 2
    expected = 0.9 / (0.1 / np.sqrt(1 / 15) + 0.9 / np.sqrt(0.6))
    np.testing.assert_allclose(actual[:, 0], [expected, expected, 0.0])


def test_denoising_of_permuted_counts(simulated):
    """On the counts of a type as methods get them: those of other cells, mixed in, make a module."""
    shuffled = permuted(simulated, seed=3)
    types = shuffled.obs["cell_type"].to_numpy().astype(str)
    counts = shuffled.X.toarray()
    pooled = counts.copy()
    generator = np.random.default_rng(1)
    for name in np.unique(types):
        members = np.flatnonzero(types == name)
        prototypes = counts[generator.choice(members, 3)]
        pooled[members] = 0.2 * counts[members] + 0.8 * prototypes[generator.integers(0, 3, len(members))]
    none, smoothed = (
        false_amplitude.score(Case(shuffled.X, values, cell_types=types, kind="permuted"))
        for values in (counts, pooled)
    )
    assert none["false_amplitude"] < 0.05
    assert smoothed["false_amplitude"] > 0.3


def test_types_of_few_cells_have_no_number(simulated):
    few = Case(simulated.X[:40], simulated.X[:40].toarray(), cell_types=np.repeat(["a", "b"], 20), kind="permuted")
    assert np.isnan(list(false_amplitude.score(few).values())).all()
