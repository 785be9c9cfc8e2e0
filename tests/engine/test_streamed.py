"""Counts on disk train as those in memory do: the same batches in the same order, resumed to the same bits."""

import anndata as ad
import numpy as np
import pytest
import torch

from tests.engine.test_checkpoints import NEVER, StopsAfter, same
from zipo.datasets.on_disk import on_disk, survey
from zipo.engine.batches import Counts
from zipo.engine.checkpoints import Checkpoints, Stopped
from zipo.engine.evaluation import gene_poisson_nll, losses
from zipo.engine.model import Network
from zipo.engine.streamed import StreamedCounts
from zipo.engine.training import train
from zipo.parameters import Parameters

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def both(simulated, tmp_path_factory):
    """A function that gives some cells of one data set, streamed and in memory."""
    path = tmp_path_factory.mktemp("streamed") / "simulated.h5ad"
    simulated.write_h5ad(path)
    stored = ad.read_h5ad(path, backed="r")
    covariates = np.random.default_rng(0).normal(size=(simulated.n_obs, 2))

    def cut(cells=slice(None), fetch=1 << 22):
        view, known = stored[cells], covariates[cells]
        rows = on_disk(view, "file")
        streamed = StreamedCounts(rows, survey(rows, view.obs_names, view.var_names), known, CPU, fetch)
        return streamed, Counts(simulated[cells].X, known, CPU)

    yield cut
    stored.file.close()


def generator(seed=3):
    return torch.Generator().manual_seed(seed)


def batch_fields(batch):
    return [value.tolist() if isinstance(value, torch.Tensor) else value for value in vars(batch).values()]


@pytest.mark.parametrize("fetch", [1, 900, 5000, 1 << 22])  # stored counts; all 600 cells have about 25,000
@pytest.mark.parametrize(("size", "skip"), [(64, 0), (64, 7), (37, 1), (599, 0), (1000, 0), (64, 10)])
def test_batches_are_those_of_the_same_counts_in_memory(both, fetch, size, skip):
    streamed, memory = both(fetch=fetch)
    for order in (None, streamed.order(generator())):
        actual, expected = (list(counts.batches(size, order, skip)) for counts in (streamed, memory))
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            assert batch_fields(one) == batch_fields(other)


def test_totals_and_losses_are_those_of_the_same_counts_in_memory(both):
    streamed, memory = both(np.random.default_rng(1).permutation(600)[:401], fetch=3000)
    torch.testing.assert_close(streamed.library_size, memory.library_size, rtol=0, atol=0)
    torch.testing.assert_close(streamed.covariates, memory.covariates, rtol=0, atol=0)
    torch.testing.assert_close(streamed.gene_totals(), memory.gene_totals(), rtol=0, atol=0)
    assert gene_poisson_nll(streamed.gene_totals(), streamed, 64) == gene_poisson_nll(memory.gene_totals(), memory, 64)
    network = Network(streamed.genes, Parameters(encoder="8-4"), covariates=2, seed=1)
    assert losses(network, streamed, 64) == losses(network, memory, 64)


def test_an_order_has_all_cells_and_keeps_neighbours_in_one_fetch(both):
    chosen = np.random.default_rng(6).permutation(600)[:300]
    streamed, _ = both(chosen, fetch=3000)
    streamed.block, streamed.fetch = 10, 60
    order = streamed.order(generator()).numpy()
    assert sorted(order) == list(range(300))
    in_file = np.argsort(np.argsort(chosen))[order]  # neighbours are those that lie close there
    blocks = [{cell // 10 for cell in in_file[begin : begin + 60]} for begin in range(0, 300, 60)]
    assert [len(fetched) for fetched in blocks] == [6] * 5
    # neither the blocks nor the cells of a fetch come as they lie in the file
    assert all(max(fetched) - min(fetched) > 5 for fetched in blocks)
    assert sum(np.diff(in_file) == 1) < 30


def test_cells_that_are_fetched_at_once_are_ordered_as_in_memory(both):
    streamed, memory = both()
    assert torch.equal(streamed.order(generator()), memory.order(generator()))
    in_parts, _ = both(fetch=5000)
    assert not torch.equal(in_parts.order(generator()), memory.order(generator()))


def test_an_order_hangs_on_the_seed_alone(both):
    streamed, _ = both(fetch=3000)
    first = streamed.order(generator())
    assert torch.equal(first, streamed.order(generator()))
    assert not torch.equal(first, streamed.order(generator(4)))
    one = generator()
    assert not torch.equal(streamed.order(one), streamed.order(one))


@pytest.mark.parametrize("skip", [0, 3])
def test_no_more_is_held_than_a_fetch_and_a_batch(both, monkeypatch, skip):
    streamed, _ = both(fetch=2500)
    asked, read = [], streamed.rows.read
    monkeypatch.setattr(streamed.rows, "read", lambda cells: asked.append(len(cells)) or read(cells))
    given = 0
    for batch in streamed.batches(16, streamed.order(generator()), skip):
        assert sum(asked) - given <= streamed.fetch + 16 < 120
        given += batch.cells
    assert sum(asked) == given == 600 - 16 * skip


def fit(both, checkpoints=None):
    """A network and how its training went, from counts of which a tenth is in memory at a time."""
    training, validation = (both(cells, fetch=2000)[0] for cells in (slice(400), slice(400, 500)))
    network = Network(training.genes, Parameters(encoder="16-6", batch_size=64, max_epochs=3), covariates=2, seed=5)
    return network, train(network, training, validation, 1, checkpoints=checkpoints)


@pytest.mark.parametrize("batches", [1, 6, 7, 12, 20])
def test_a_stopped_training_goes_on_to_the_same_bits(both, tmp_path, batches):
    with pytest.raises(Stopped):
        fit(both, StopsAfter(tmp_path / "seed-1", batches))
    assert same(fit(both), fit(both, Checkpoints(tmp_path / "seed-1", "same", NEVER)))


def test_training_takes_the_steps_that_it_takes_in_memory(both):
    streamed, memory = both(slice(400), fetch=2000)
    memory.order = streamed.order
    trained = []
    for counts in (streamed, memory):
        network = Network(counts.genes, Parameters(encoder="16-6", batch_size=64, max_epochs=3), covariates=2, seed=5)
        trained.append((network, train(network, counts, memory, 1)))
    assert same(*trained)
