"""A training that was cut off anywhere goes on to the same bits, and damaged checkpoints do no harm."""

import math
import os

import numpy as np
import pytest
import torch

from zipo.engine.batches import Counts
from zipo.engine.checkpoints import Checkpoints, State, Stopped, read_state, write_state
from zipo.engine.model import Network
from zipo.engine.optimizer import Adam
from zipo.engine.training import Trainer, train
from zipo.parameters import Parameters
from zipo.shared.errors import InputError

NEVER = math.inf


def parts(simulated):
    """Training and validation counts; 400 cells make 7 batches of 64 or fewer."""
    return (
        Counts(x, np.zeros((x.shape[0], 0)), torch.device("cpu")) for x in (simulated.X[:400], simulated.X[400:500])
    )


def fit(simulated, checkpoints=None, **parameters):
    """A trained network and how its training went, or Stopped."""
    # every part of the state matters here: the rate leaves its decay, is cut on a plateau, and patience runs out
    chosen = {"max_epochs": 9, "learning_rate_floor": 0.018, "plateau_patience": 1, "plateau_threshold": 0.2}
    p = Parameters(
        **{"encoder": "16-6", "batch_size": 64, "likelihood": "zinb", "stop_patience": 4} | chosen | parameters
    )
    training, validation = parts(simulated)
    network = Network(training.genes, p, seed=5)
    return network, train(network, training, validation, 1, checkpoints=checkpoints)


class StopsAfter(Checkpoints):
    """Asks its training to stop after a number of batches."""

    def __init__(self, folder, batches, identity="same"):
        super().__init__(folder, identity, NEVER)
        self.batches = batches

    def offer(self, state):
        self.batches -= 1
        self.stop_soon = self.batches == 0
        super().offer(state)


def same(one, other):
    """Are networks and trainings equal to the last bit, but for the time they took?"""
    (network, training), (network2, training2) = one, other
    weights, weights2 = network.state_dict(), network2.state_dict()
    assert list(weights) == list(weights2)
    training2.seconds, training2.compute_seconds = training.seconds, training.compute_seconds
    return all(torch.equal(weights[name], weights2[name]) for name in weights) and training == training2


@pytest.mark.parametrize("batches", [1, 6, 7, 8, 20, 62])
def test_a_stopped_training_goes_on_to_the_same_bits(simulated, tmp_path, batches):
    with pytest.raises(Stopped):
        fit(simulated, StopsAfter(tmp_path / "seed-1", batches))
    assert same(fit(simulated), fit(simulated, Checkpoints(tmp_path / "seed-1", "same", NEVER)))


def test_times_before_a_stop_count(simulated, tmp_path, monkeypatch):
    with pytest.raises(Stopped):
        fit(simulated, StopsAfter(tmp_path / "seed-1", 8))
    checkpoint = Checkpoints(tmp_path / "seed-1", "same", NEVER).latest()
    before = checkpoint.rest["outcome"]["compute_seconds"]
    monkeypatch.setattr("time.process_time", lambda: 100.0)  # from here on the CPU does nothing
    _, training = fit(simulated, Checkpoints(tmp_path / "seed-1", "same", NEVER))
    assert 0 < before == pytest.approx(training.compute_seconds, abs=1e-9)


def test_a_training_stopped_at_every_batch_goes_on_to_the_same_bits(simulated, tmp_path):
    stops = 0
    while True:
        try:
            ended = fit(simulated, StopsAfter(tmp_path / "seed-1", 1), max_epochs=3)
            break
        except Stopped:
            stops += 1
    assert stops == 21  # 3 epochs of 7 batches
    assert same(fit(simulated, max_epochs=3), ended)


def test_a_training_cut_off_without_warning_goes_on_from_the_last_of_its_regular_checkpoints(simulated, tmp_path):
    class Killed(BaseException):
        pass

    class DiesAt(Checkpoints):
        batches = 0

        def offer(self, state):
            self.batches += 1
            if self.batches == 30:
                raise Killed
            super().offer(state)

    with pytest.raises(Killed):
        fit(simulated, DiesAt(tmp_path / "seed-1", "same", every=0))
    assert sorted(os.listdir(tmp_path / "seed-1")) == ["000028.npz", "000029.npz"]
    assert same(fit(simulated), fit(simulated, Checkpoints(tmp_path / "seed-1", "same", NEVER)))


@pytest.mark.fault(
    "a damaged checkpoint, passed over for the one before", where="local", times=1, then="the same command"
)
@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(simulated, tmp_path, caplog, damage):
    for batches in (10, 25):
        with pytest.raises(Stopped):
            fit(simulated, StopsAfter(tmp_path / "seed-1", batches))
    first, last = sorted((tmp_path / "seed-1").iterdir())
    content = bytearray(last.read_bytes())
    middle = len(content) // 2
    if damage == "cut":
        content = content[:middle]
    elif damage == "flip":
        content[middle] ^= 1
    else:
        content = bytearray(b"" if damage == "empty" else b"not a checkpoint\n" * 100)
    last.write_bytes(content)
    checkpoints = Checkpoints(tmp_path / "seed-1", "same", NEVER)
    assert checkpoints.latest().rest["batches_done"] == 10 % 7
    assert f"{last}: damaged, so it is passed over" in caplog.text
    assert same(fit(simulated), fit(simulated, checkpoints))
    first.write_bytes(b"")
    last.write_bytes(b"")
    assert checkpoints.latest() is None


def test_every_flipped_bit_of_the_contents_is_noticed(tmp_path):
    path = tmp_path / "1.npz"
    write_state(State({"a": torch.arange(20.0)}, {"epoch": 3}), path, "me")
    sound = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.choice(len(sound), 500, replace=False):
        damaged = bytearray(sound)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        # harmless flips are those in fields that no reader uses, such as dates
        if (state := read_state(path, "me")) is not None:
            assert torch.equal(state.tensors["a"], torch.arange(20.0))
            assert state.rest == {"epoch": 3}


def test_checkpoints_of_another_identity_are_not_gone_on_from(simulated, tmp_path):
    with pytest.raises(Stopped):
        fit(simulated, StopsAfter(tmp_path / "seed-1", 9))
    assert Checkpoints(tmp_path / "seed-1", "same", NEVER).latest() is not None
    assert Checkpoints(tmp_path / "seed-1", "another", NEVER).latest() is None


@pytest.mark.fault(
    "a full disk when checkpoints are written", where="local", times=14, then="going on without checkpoints"
)
def test_a_full_disk_costs_a_checkpoint_and_not_the_training(simulated, tmp_path, caplog):
    (tmp_path / "seed-1").mkdir()
    (tmp_path / "seed-1" / "000001.part.npz").symlink_to("/dev/full")
    ended = fit(simulated, Checkpoints(tmp_path / "seed-1", "same", every=0), max_epochs=2)
    assert "no checkpoint: " in caplog.text
    assert "No space left on device" in caplog.text
    assert same(fit(simulated, max_epochs=2), ended)


def test_checkpoints_are_removed_with_all_that_was_half_written(tmp_path):
    checkpoints = Checkpoints(tmp_path / "seed-1", "same", every=0)
    checkpoints.remove()
    checkpoints.offer(lambda: State({}, {}))
    (tmp_path / "seed-1" / "000002.part.npz").write_bytes(b"half")
    assert checkpoints.latest() == State({}, {})
    checkpoints.remove()
    assert os.listdir(tmp_path) == []


def test_a_checkpoint_can_be_asked_for_without_a_stop(simulated, tmp_path):
    checkpoints = Checkpoints(tmp_path / "seed-1", "same", NEVER)
    checkpoints.save_soon = True
    fit(simulated, checkpoints, max_epochs=1)
    assert os.listdir(tmp_path / "seed-1") == ["000001.npz"]
    assert checkpoints.latest().rest["batches_done"] == 1


def test_the_state_holds_all_that_changes(simulated):
    """What a step changes in a trainer, and is not in its state, would be lost: compare two trainers by attribute."""
    training, validation = parts(simulated)
    p = Parameters(encoder="16-6", batch_size=64, max_epochs=3)
    trainers = []
    for _ in range(2):
        trainers.append(Trainer(Network(training.genes, p, seed=5), training, validation, 1))
    trainers[0].run(None, None)
    trainers[1].restore(trainers[0].state())
    for trainer in trainers:
        trainer.outcome.seconds = trainer.outcome.compute_seconds = 0
    for name in vars(trainers[0]).keys() - {"_since", "training", "validation"}:  # what is given, and the clock
        one, other = (getattr(trainer, name) for trainer in trainers)
        assert _plain(one) == _plain(other), name


def test_a_bad_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_state(State({}, {}), tmp_path / "file" / "1.npz", "me")


def _plain(value):
    """An attribute as numbers that compare."""
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, torch.Generator):
        return value.get_state().tolist()
    if isinstance(value, torch.nn.Module):
        return _plain(value.state_dict())
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, Adam):
        return _plain(value.state())
    if hasattr(value, "__dict__"):
        return _plain(vars(value))
    return value
