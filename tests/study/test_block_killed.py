"""Training processes that are killed outright, again and again: nothing finished is lost, no number changes."""

import json
import multiprocessing
import random

import pytest

from zipo.datasets.prepared import write
from zipo.parameters import Parameters
from zipo.study.block import run_block

SETTING = {
    "id": "zipo-16x6-abc123",
    "dataset": "simulated",
    "method": "zipo",
    **Parameters(encoder="16-6", batch_size=64, max_epochs=12, likelihood="zinb").model_dump(mode="json"),
}
VARIES = {"seconds", "seconds_per_epoch", "compute_seconds", "cells_per_second", "peak_memory_mb"}
KILLS = 20


def train(data, folder):
    """A job's process."""
    run_block(
        data, SETTING, [1, 2], [0.01], device="cpu", threads=1, rows_file=folder / "seeds-1-2.json",
        latents_file=folder / "latents-1-2.npz", latents_of="first", kept=folder / "kept", code=[],
        checkpoint_seconds=0,
    )  # fmt: skip


@pytest.fixture
def start(tmp_path, simulated):
    """Starts a job's process in a folder; the modules are loaded once, so that most of its time is training."""
    data = tmp_path / "simulated.h5ad"
    write(simulated, data)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["zipo.study.block"])

    def start(folder):
        folder.mkdir(exist_ok=True)
        process = context.Process(target=train, args=(data, folder))
        process.start()
        return process

    return start


def rows(folder):
    """The rows that a job left, without what varies from time to time, and the histories."""
    runs = json.loads((folder / "seeds-1-2.json").read_text())
    return [[{key: row for key, row in run["row"].items() if key not in VARIES}, run["history"]] for run in runs]


@pytest.mark.fault(
    "SIGKILL of a training process at random moments", where="local", times=KILLS, then="the same command"
)
def test_a_training_killed_twenty_times_at_random_moments_ends_with_the_same_numbers(tmp_path, start):
    whole = start(tmp_path / "whole")
    whole.join()
    expected = rows(tmp_path / "whole")
    moments, kills, rounds = random.Random(1), 0, 0
    while kills < KILLS:
        folder = tmp_path / f"round-{rounds}"
        rounds += 1
        finished = {}
        while not (folder / "seeds-1-2.json").exists():
            process = start(folder)
            process.join(moments.uniform(0.05, 1.0) if kills < KILLS else None)
            if process.is_alive():
                process.kill()
                process.join()
                kills += 1
            for path in folder.glob("kept/seed-?.npz"):  # a finished seed is never written again
                assert finished.setdefault(path, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
        assert rows(folder) == expected
    assert (kills, rounds > 0) == (KILLS, True)
