"""Contributions against numpy's covariances of dense arrays, and their sums."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.stats import skew

from zipo.engine.neuron_effects import neuron_effects
from zipo.model.programs.contributions import Contributions, contributions
from zipo.shared.errors import InputError


@pytest.fixture(scope="module")
def dense(model, cells):
    """What the encoder sees (C, G), and the inputs and outputs (C, K) of the neurons, by numpy and torch modules."""
    seen = np.log1p(np.asarray(cells.X.todense(), float))
    first = model.network.encoder.first
    inputs = seen @ first.weight.detach().double().numpy() + first.bias.detach().double().numpy()
    block = model.network.eval().encoder.blocks[0]
    with torch.no_grad():
        outputs = block(torch.as_tensor(inputs, dtype=torch.float32)).double().numpy()
    return seen, inputs, outputs


@pytest.fixture(scope="module")
def programs(model, cells):
    return contributions(model, cells, min_cells=1)


def test_contributions_are_weight_spread_and_correlation_with_the_output(model, cells, dense, programs):
    seen, inputs, outputs = dense
    weights = model.network.encoder.first.weight.detach().numpy()
    with torch.no_grad():
        effect = neuron_effects(model.network, model._counts(cells, "counts").batches(200)).numpy()
    assert len(programs.neuron) > 6
    for place, neuron in enumerate(programs.neuron - 1):
        output = outputs[:, neuron]
        turn = -1 if skew(output) < 0 else 1
        strength = output.std() * effect[neuron]
        joint = abs(np.cov(inputs[:, neuron], output, bias=True)[0, 1])
        assert programs.strength[place] == pytest.approx(strength, rel=1e-4)
        for gene in range(cells.n_vars):
            spread = seen[:, gene].std()
            correlation = np.corrcoef(seen[:, gene], output)[0, 1] if spread else 0.0
            share = abs(weights[gene, neuron]) * spread * correlation * output.std() / joint
            assert programs.contribution[gene, place] == pytest.approx(turn * share * strength, rel=1e-3, abs=1e-6)


def test_signed_by_the_weights_contributions_add_up_to_the_strength(model, programs):
    weights = model.network.encoder.first.weight.detach().numpy()[:, programs.neuron - 1]
    sums = np.abs((np.sign(weights) * programs.contribution).sum(axis=0))
    np.testing.assert_allclose(sums, programs.strength, rtol=1e-3)


@pytest.mark.parametrize("sign", [1, -1])
def test_genes_of_weights_of_one_sign_are_high_where_the_program_is_active(model, cells, sign):
    changed = deepcopy(model)
    with torch.no_grad():
        changed.network.encoder.first.weight.abs_().mul_(sign)
        if model.parameters.batch_norm == "after":  # later layers can turn an output, and so can its scale
            changed.network.encoder.blocks[0].norm.weight[::2].mul_(-1)
    actual = contributions(changed, cells, min_cells=1)
    assert (skew(actual.activity) < 0).any()
    assert (actual.contribution.sum(axis=0) > 0).all()


def test_activity_is_standardised_skewed_to_the_right_and_high_where_leading_genes_are(dense, programs, cells):
    _, _, outputs = dense
    activity = programs.activity
    np.testing.assert_allclose(activity.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(activity.std(axis=0), 1, rtol=1e-4)
    assert (skew(activity) >= 0).all()
    for place, neuron in enumerate(programs.neuron - 1):
        assert abs(np.corrcoef(activity[:, place], outputs[:, neuron])[0, 1]) == pytest.approx(1, abs=1e-4)
        leading = programs.leading(place, 3)
        sums = dense[0][:, leading].sum(axis=1)
        assert np.corrcoef(sums, activity[:, place])[0, 1] > 0


def test_the_strongest_come_first_and_keep_the_numbers_of_their_neurons(programs):
    assert (np.diff(programs.strength) <= 0).all()
    assert programs.names == [f"program_{number}" for number in programs.neuron]
    assert len(set(programs.neuron)) == len(programs.neuron)


def test_genes_of_too_few_cells_and_pruned_weights_contribute_nothing(model, cells):
    seen = np.asarray((cells.X > 0).sum(axis=0)).ravel()
    floor = int(np.median(seen))
    actual = contributions(model, cells, min_cells=floor)
    np.testing.assert_array_equal(actual.ranked, seen >= floor)
    assert not actual.contribution[seen < floor].any()
    pruned = contributions(model, cells, threshold=0.5, min_cells=1)
    weights = np.abs(model.network.encoder.first.weight.detach().numpy()[:, pruned.neuron - 1])
    assert not pruned.contribution[weights < 0.5 * weights.max(axis=0)].any()
    assert (pruned.contribution != 0).any(axis=0).all()


def test_neurons_that_are_dead_are_no_programs(model, cells):
    first = model.network.encoder.first
    kept = first.weight.detach().clone()
    try:
        with torch.no_grad():
            first.weight[:, 0] = 0
        actual = contributions(model, cells, min_cells=1)
        assert 1 not in actual.neuron
        with torch.no_grad():
            first.weight.zero_()
        with pytest.raises(InputError, match="no neuron of the first layer tells these cells apart"):
            contributions(model, cells, min_cells=1)
    finally:
        with torch.no_grad():
            first.weight.copy_(kept)


def test_cells_on_disk_give_the_same(model, cells, programs, tmp_path):
    import anndata as ad

    cells.write_h5ad(tmp_path / "cells.h5ad")
    backed = ad.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    actual = contributions(model, backed, min_cells=1)
    backed.file.close()
    np.testing.assert_allclose(actual.contribution, programs.contribution, rtol=1e-4, atol=1e-6)


def test_leading_genes_are_those_of_positive_contributions_alone():
    column = np.array([[0.1], [-3.0], [2.0], [0.0]])
    actual = Contributions(None, None, column, None, np.array([1]), None)
    assert actual.leading(0, 3).tolist() == [2, 0]
    assert actual.leading(0, 1).tolist() == [2]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"min_cells": 0}, "min_cells 0: a number of cells"),
        ({"min_cells": 500}, "no gene has counts in 500 of the 200 cells"),
        ({"threshold": 2}, "threshold 2: a share"),
    ],
)
def test_what_will_not_do_is_named(model, cells, options, problem):
    with pytest.raises(InputError, match=problem):
        contributions(model, cells, **options)
