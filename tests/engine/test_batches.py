"""Batches against dense numpy indexing."""

import warnings
from dataclasses import fields

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse import random as random_matrix

from zipo.engine.batches import Counts, gathered
from zipo.engine.likelihoods import count_constant


def counts_of(cells: int) -> tuple[np.ndarray, Counts]:
    rng = np.random.default_rng(4)
    matrix = random_matrix(cells, 9, density=0.3, format="csr", random_state=rng, data_rvs=lambda n: rng.poisson(3, n))
    dense = matrix.toarray()
    return dense, Counts(matrix, dense[:, :2], torch.device("cpu"))


def test_a_batch_holds_the_cells_asked_for_in_order():
    dense, counts = counts_of(20)
    cells = [13, 0, 19, 7, 7]
    batch = counts.batch(torch.tensor(cells))
    expected = dense[cells].astype(np.float32)
    np.testing.assert_array_equal(batch.dense.numpy(), expected)
    np.testing.assert_array_equal(batch.index.numpy(), np.flatnonzero(expected))
    np.testing.assert_array_equal(batch.values.numpy(), expected[expected > 0])
    np.testing.assert_array_equal(batch.covariates.numpy(), expected[:, :2])
    np.testing.assert_array_equal(batch.library_size.numpy()[:, 0], expected.sum(1))
    torch.testing.assert_close(batch.constant, count_constant(batch.values))
    by_device = gathered(counts, torch.tensor(cells))  # as a GPU cuts it
    for actual, wanted in zip(by_device, (batch.starts, batch.columns, batch.values, batch.constant), strict=True):
        assert torch.equal(actual, wanted)


def test_some_cells_of_a_batch_are_the_batch_of_those_cells():
    _, counts = counts_of(20)
    some = counts.batch(torch.tensor([13, 0, 19, 7])).some(torch.tensor([3, 0]))
    wanted = counts.batch(torch.tensor([7, 13]))
    for field in fields(wanted):
        one, other = (torch.as_tensor(getattr(each, field.name)) for each in (some, wanted))
        assert torch.equal(one, other), field.name


def test_batches_cover_every_cell_once_and_none_has_a_single_cell():
    dense, counts = counts_of(21)
    order = torch.randperm(21, generator=torch.Generator().manual_seed(0))
    batches = list(counts.batches(5, order))
    assert [batch.cells for batch in batches] == [5, 5, 5, 6]
    np.testing.assert_array_equal(torch.cat([batch.dense for batch in batches]).numpy(), dense[order.numpy()])


def test_counts_share_the_memory_of_a_matrix_that_fits_and_leave_it_as_it_was():
    dense, _ = counts_of(20)
    matrix = csr_matrix(dense.astype(np.float32))
    counts = Counts(matrix, dense[:, :2], torch.device("cpu"))
    assert np.shares_memory(counts.values.numpy(), matrix.data)
    assert np.shares_memory(counts.columns.numpy(), matrix.indices)
    np.testing.assert_array_equal(matrix.toarray(), dense)


def test_counts_that_cannot_be_written_are_copied():
    dense, _ = counts_of(20)
    matrix = csr_matrix(dense.astype(np.float32))
    matrix.data.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        counts = Counts(matrix, dense[:, :2], torch.device("cpu"))
    assert not np.shares_memory(counts.values.numpy(), matrix.data)
