"""Studies that meet a fault: what was finished stays, the numbers are as without it, and the same command completes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from copy import deepcopy
from pathlib import Path

import pandas as pd
import pytest

from .conftest import STUDY, Repository, new_repository

pytestmark = pytest.mark.xdist_group("faults")

SECOND_SEED = "results/tiny/kept/*/seed-2/*.npz"  # its checkpoints, so the first seed is finished
SAME = "the same command"
TABLE = "results/tiny/runs.parquet"
VARIES = ["seconds", "seconds_per_epoch", "compute_seconds", "cells_per_second", "peak_memory_mb", "git_commit"]
FAULTY = deepcopy(STUDY) | {
    "experiments": {"likelihood": {"points": [{"likelihood": "zip"}]}},
    "parameters": {"encoder": "8-4", "batch_size": 32, "max_epochs": 150, "stop_patience": 150},
    "checkpoint_seconds": 0,
}


def study(folder: Path) -> Repository:
    """A project with a study of one setting, two seeds and some seconds of training; nothing is run."""
    repository = new_repository(folder)
    repository.write_study(FAULTY)
    return repository


def runs(repository: Repository) -> pd.DataFrame:
    """The runs table without what varies from time to time."""
    return pd.read_parquet(repository.folder / TABLE).drop(columns=VARIES)


def completes(repository: Repository, whole: Repository) -> None:
    """The same command brings the study to the runs table of one that met no fault."""
    repository.snakemake(TABLE)
    pd.testing.assert_frame_equal(runs(repository), runs(whole))


def started(folder: Path) -> tuple[Repository, subprocess.Popen]:
    """The study in the midst of its second seed, and its Snakemake, in a process group as a terminal starts it."""
    repository = study(folder)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "config/tiny.yaml", "--", TABLE]
    log = (repository.folder / "snakemake.log").open("w")
    process = subprocess.Popen(command, cwd=repository.folder, stdout=log, stderr=log, start_new_session=True)
    give_up = time.monotonic() + 120
    while not list(repository.folder.glob(SECOND_SEED)):
        assert process.poll() is None, Path(log.name).read_text()
        assert time.monotonic() < give_up, f"no {SECOND_SEED}"
        time.sleep(0.02)
    return repository, process


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Repository:
    """The study, never interrupted; read only."""
    repository = study(tmp_path_factory.mktemp("whole") / "project")
    repository.snakemake(TABLE)
    return repository


@pytest.fixture
def finished(whole, tmp_path) -> Repository:
    """A copy of the finished study."""
    shutil.copytree(whole.folder, tmp_path / "project", symlinks=True)
    return Repository(tmp_path / "project")


@pytest.mark.fault("Ctrl-C on Snakemake during a training", where="local", times=1, then=SAME)
def test_ctrl_c_and_the_same_command(whole, tmp_path):
    repository, process = started(tmp_path / "project")
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) != 0
    (first,) = repository.folder.glob("results/tiny/kept/*/seed-1.npz")
    assert list(repository.folder.glob(SECOND_SEED))
    assert not (repository.folder / TABLE).exists()
    finished_at = first.stat().st_mtime_ns
    completes(repository, whole)
    assert first.stat().st_mtime_ns == finished_at
    assert [path.name for path in sorted(first.parent.iterdir())] == ["seed-1.npz", "seed-2.npz"]


@pytest.mark.fault("SIGKILL of a training under Snakemake", where="local", times=1, then=SAME)
def test_a_training_process_is_killed_and_the_same_command(whole, tmp_path):
    repository, process = started(tmp_path / "project")
    subprocess.run(["pkill", "-KILL", "-g", str(process.pid), "-f", "zipo study train"], check=True)
    assert process.wait(60) != 0
    completes(repository, whole)


@pytest.mark.fault(
    "SIGKILL of Snakemake and all it started", where="local", times=1, then="`--unlock`, then the same command"
)
def test_a_machine_that_went_down_needs_its_lock_opened(whole, tmp_path):
    repository, process = started(tmp_path / "project")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)
    assert "--unlock" in repository.try_snakemake(TABLE).stdout
    repository.snakemake("--unlock")
    completes(repository, whole)


@pytest.mark.fault(
    "a second Snakemake in the same folder, which refuses", where="local", times=1, then="the first, undisturbed"
)
def test_a_second_snakemake_refuses_clearly_and_harms_nothing(whole, tmp_path):
    repository, process = started(tmp_path / "project")
    second = repository.try_snakemake(TABLE)
    assert second.returncode != 0
    assert "Directory cannot be locked. Please make sure that no other Snakemake process" in second.stdout
    assert process.wait(120) == 0
    pd.testing.assert_frame_equal(runs(repository), runs(whole))


def damage(file: Path) -> None:
    """Overwrite three bytes in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3] = b"???"
    file.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.fault(f"a damaged {what}", where="local", times=1, then=SAME))
        for name, what in {"data/toy.h5ad": "data set file", "runs/*/seeds-1-2.json": "file of rows"}.items()
    ],
)
def test_a_damaged_file_is_set_aside_and_the_same_command_makes_it_anew(whole, finished, name):
    (file,) = finished.folder.glob(f"results/tiny/{name}")
    (finished.folder / TABLE).unlink()
    if name.startswith("data"):  # its counts are read where a seed is trained
        shutil.rmtree(finished.folder / "results" / "tiny" / "runs")
        shutil.rmtree(finished.folder / "results" / "tiny" / "kept")
    damage(file)
    failed = finished.try_snakemake(TABLE)
    assert failed.returncode != 0
    assert f"{file.relative_to(finished.folder)}: damaged (" in failed.stdout
    completes(finished, whole)


@pytest.mark.fault("a full disk when the table is written", where="local", times=1, then=SAME)
def test_a_full_disk_at_the_table_costs_the_table_alone(whole, finished):
    (finished.folder / TABLE).unlink()
    (finished.folder / "results/tiny/runs.part.parquet").symlink_to("/dev/full")
    failed = finished.try_snakemake(TABLE)
    assert failed.returncode != 0
    assert f"error: {TABLE}: cannot be written (No space left on device); make room" in failed.stdout
    assert finished.planned(TABLE) == {"runs_table": 1}
    completes(finished, whole)


@pytest.mark.fault("results copied to another place without Snakemake's records", where="local", times=1, then=SAME)
def test_results_that_move_to_another_machine_are_not_trained_again(whole, tmp_path):
    repository = study(tmp_path / "elsewhere")
    shutil.copytree(whole.folder / "results", repository.folder / "results", copy_function=shutil.copyfile)
    for file in (repository.folder / "zipo").rglob("*.py"):
        file.touch()  # a clone that is younger than the results
    # without Snakemake's own records every step is run, but no seed is trained
    assert repository.planned(TABLE) == {"prepare": 1, "train": 1, "runs_table": 1}
    repository.snakemake(TABLE)
    logs = [path.read_text() for path in repository.folder.glob("results/tiny/logs/train/*/*.log")]
    assert [line.split(": ")[-1] for log in logs for line in log.splitlines()] == ["kept from an earlier job"] * 2
    pd.testing.assert_frame_equal(pd.read_parquet(repository.folder / TABLE), pd.read_parquet(whole.folder / TABLE))


@pytest.mark.fault("a user who is not root, and a package that is read-only", where="local", times=1, then=SAME)
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user; as that user every test does this")
def test_a_user_who_is_not_root_and_may_not_write_to_the_package(whole, tmp_path):
    nobody = 65534
    repository = study(tmp_path / "project")
    for folder, _, files in os.walk(repository.folder):
        for path in [folder, *(os.path.join(folder, file) for file in files)]:
            os.chown(path, *((0, 0) if "/zipo" in path else (nobody, nobody)))
    subprocess.run(["chmod", "--recursive", "a-w", repository.folder / "zipo"], check=True)
    # may read as root may, since the tests' own folders and interpreter belong to root, and write as anyone
    become = ["setpriv", f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups"]
    become += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "config/tiny.yaml", "--", TABLE]
    environment = os.environ | {"HOME": str(repository.folder / "results")}
    done = subprocess.run(become + command, cwd=repository.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (repository.folder / TABLE).stat().st_uid == nobody
    assert not list((repository.folder / "zipo").rglob("*.pyc"))
    pd.testing.assert_frame_equal(runs(repository), runs(whole))
