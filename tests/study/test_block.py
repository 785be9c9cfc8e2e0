"""Blocks of seeds: rows on disk, nothing finished trained twice, nothing stale kept, signals obeyed."""

import json
import os
import shutil
import signal

import numpy as np
import pytest

from zipo.datasets.prepared import write
from zipo.engine.checkpoints import Checkpoints, Stopped
from zipo.parameters import Parameters
from zipo.shared.digest import digest
from zipo.shared.errors import InputError
from zipo.study import block
from zipo.study.block import obeying_signals, run_block
from zipo.study.run import run
from zipo.study.runs_table import runs_table

SETTING = {
    "id": "zipo-16x6-abc123",
    "dataset": "simulated",
    "method": "zipo",
    **Parameters(encoder="16-6", batch_size=64, max_epochs=2).model_dump(mode="json"),
}
VARIES = {"seconds", "seconds_per_epoch", "compute_seconds", "cells_per_second", "peak_memory_mb"}


class Job:
    """A training job in a folder, with the seeds that it really trained."""

    def __init__(self, folder, simulated, monkeypatch):
        self.folder, self.trained, self.die_at = folder, [], None
        self.data, self.code = folder / "simulated.h5ad", folder / "model.py"
        write(simulated, self.data)
        self.code.write_text("one")
        monkeypatch.setattr(block, "run", self._run)

    def _run(self, adata, setting, seed, thresholds, device, checkpoints):
        if seed == self.die_at:
            raise KeyboardInterrupt
        self.trained.append(seed)
        return run(adata, setting, seed, thresholds, device, checkpoints=checkpoints)

    def __call__(self, seeds, **changed):
        """Train a block; its rows without what varies, and the seeds that were trained for it."""
        self.trained.clear()
        name = f"{seeds[0]}-{seeds[-1]}"
        rows, latents = self.folder / f"seeds-{name}.json", self.folder / f"latents-{name}.npz"
        arguments = {"setting": SETTING, "thresholds": [0.01], "latents_of": "first"} | changed
        run_block(
            self.data, seeds=seeds, device="cpu", threads=1, rows_file=rows, latents_file=latents,
            kept=self.folder / "kept", code=[self.code], checkpoint_seconds=300, **arguments,
        )  # fmt: skip
        with np.load(latents) as arrays:
            looked_at = seeds if arguments["latents_of"] == "all" else seeds[:1]
            assert (arrays["latents"].shape, arrays["seeds"].tolist()) == ((len(looked_at), 600, 6), looked_at)
        return [_fixed(entry["row"]) for entry in json.loads(rows.read_text())], list(self.trained)


def _fixed(row):
    return {name: value for name, value in row.items() if name not in VARIES}


@pytest.fixture
def job(tmp_path, simulated, monkeypatch):
    return Job(tmp_path, simulated, monkeypatch)


def test_a_block_writes_a_row_a_seed_with_its_history_and_the_first_seeds_latents(job, simulated):
    job([2, 4])
    actual = json.loads((job.folder / "seeds-2-4.json").read_text())
    for entry, seed in zip(actual, (2, 4), strict=True):
        model, row, history = run(simulated, SETTING, seed, [0.01], "cpu")
        assert entry["history"] == history
        assert _fixed(entry["row"]) == _fixed(row)
        if seed == 2:
            with np.load(job.folder / "latents-2-4.npz") as kept:
                np.testing.assert_array_equal(kept["latents"], model.latent(simulated)[None])
                assert (str(kept["setting"]), kept["seeds"].tolist()) == (SETTING["id"], [2])


def test_latents_of_all_seeds_are_kept_where_they_are_looked_at(job, simulated):
    assert job([1, 2])[1] == [1, 2]
    assert job([1, 2], latents_of="all")[1] == [2]  # the first has them
    assert job([1, 2], latents_of="all")[1] == []
    with np.load(job.folder / "latents-1-2.npz") as kept:
        for seed, latents in zip((1, 2), kept["latents"], strict=True):
            np.testing.assert_array_equal(latents, run(simulated, SETTING, seed, [0.01], "cpu")[0].latent(simulated))


def test_seeds_that_were_finished_are_not_trained_again(job, simulated):
    job.die_at = 3
    with pytest.raises(KeyboardInterrupt):
        job([1, 2, 3])
    assert job.trained == [1, 2]
    assert not (job.folder / "seeds-1-3.json").exists()
    job.die_at = None
    rows, trained = job([1, 2, 3])
    assert trained == [3]
    assert rows == [_fixed(run(simulated, SETTING, seed, [0.01], "cpu")[1]) for seed in (1, 2, 3)]
    assert sorted(os.listdir(job.folder / "kept")) == ["seed-1.npz", "seed-2.npz", "seed-3.npz"]


def test_a_block_that_is_cut_anew_finds_its_seeds(job):
    rows, _ = job([1, 2])
    longer, trained = job([1, 2, 3])
    assert (longer[:2], trained) == (rows, [3])
    # a block's first seed needs latents, which no other seed keeps
    assert job([2, 3]) == (longer[1:], [2])


def test_an_edit_of_whatever_the_numbers_hang_on_trains_again(job, simulated):
    job([1])
    assert job([1])[1] == []
    job.code.write_text("two")
    assert job([1])[1] == [1]
    assert job([1], thresholds=[0.02])[1] == [1]
    assert job([1], setting=SETTING | {"alpha_w": 0.2}, thresholds=[0.02])[1] == [1]
    changed = simulated.copy()
    changed.X[0, changed.X[0].indices[0]] += 1
    write(changed, job.data)
    rows, trained = job([1], setting=SETTING | {"alpha_w": 0.2}, thresholds=[0.02])
    assert trained == [1]
    assert rows[0]["alpha_w"] == 0.2


def test_what_is_said_of_the_counts_trains_nothing_again(job, simulated):
    simulated = simulated.copy()
    simulated.uns["dataset"] = {"title": "Simulated"}
    write(simulated, job.data)
    rows, _ = job([1])
    simulated.uns["dataset"] = {"title": "Simulated counts", "tissue": "none"}
    write(simulated, job.data)
    assert job([1]) == (rows, [])


def test_a_damaged_finished_seed_is_trained_again(job, caplog):
    rows, _ = job([1, 2])
    kept = job.folder / "kept" / "seed-2.npz"
    kept.write_bytes(kept.read_bytes()[:-100])
    assert job([1, 2]) == (rows, [2])
    assert "seed-2.npz: damaged, so it is passed over" in caplog.text


@pytest.mark.fault(
    "a full disk when a finished seed, latents or rows are written", where="local", times=1, then="the same command"
)
@pytest.mark.parametrize(
    "part", ["kept/seed-1.part.npz", "kept/seed-2.part.npz", "latents-1-2.part.npz", "seeds-1-2.part.json"]
)
def test_a_full_disk_at_the_end_of_a_seed_costs_no_other(job, part):
    expected, _ = job([1, 2])
    shutil.rmtree(job.folder / "kept")
    (job.folder / "kept").mkdir()
    (job.folder / part).symlink_to("/dev/full")
    with pytest.raises(InputError, match="No space left on device"):
        job([1, 2])
    finished = [int(file.stem.removeprefix("seed-")) for file in (job.folder / "kept").glob("seed-*.npz")]
    rows, trained = job([1, 2])
    assert rows == expected
    assert sorted(finished + trained) == [1, 2]


def test_a_diverged_run_is_finished_and_has_no_losses(job):
    diverging = SETTING | {"learning_rate": 1e20, "batch_norm": "none", "activation": "gelu"}
    rows, trained = job([1], setting=diverging)
    assert trained == [1]
    assert (rows[0]["status"], rows[0]["test_nll"], rows[0]["pruned_0.01_kept"]) == ("diverged", None, None)
    assert job([1], setting=diverging) == (rows, [])
    table = runs_table(
        "s", {SETTING["id"]: {"experiments": ["a", "b"], "variant": "X"}}, [job.folder / "seeds-1-1.json"]
    )
    assert table["test_nll"].isna().all()
    assert table[["status", "experiments", "variant"]].to_numpy().tolist() == [["diverged", "a,b", "X"]]


def test_a_digest_follows_names_values_and_contents(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("ab")
    other.write_text("c")
    actual = digest([one, other], {"x": 1, "y": [2]})
    assert actual == digest([one, other], {"y": [2], "x": 1})
    other.write_text("bc")
    one.write_text("a")
    assert actual != digest([one, other], {"x": 1, "y": [2]})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_training_after_a_checkpoint(tmp_path, simulated, number):
    checkpoints = Checkpoints(tmp_path / "seed-1", "me", every=300)
    before = signal.getsignal(number)
    with pytest.raises(Stopped), obeying_signals(checkpoints):
        run(simulated, SETTING, 1, [], "cpu", lambda epoch, nll: os.kill(os.getpid(), number), checkpoints)
    assert signal.getsignal(number) == before
    state = checkpoints.latest()
    assert (len(state.rest["outcome"]["history"]), state.rest["batches_done"]) == (1, 1)


def test_a_signal_asks_for_a_checkpoint(tmp_path, simulated):
    checkpoints = Checkpoints(tmp_path / "seed-1", "me", every=300)
    with obeying_signals(checkpoints):
        os.kill(os.getpid(), signal.SIGUSR1)
        _, row, _ = run(simulated, SETTING, 1, [], "cpu", checkpoints=checkpoints)
    assert row["epochs"] == 2
    assert checkpoints.latest().rest["batches_done"] == 1
