"""A study on a real cluster that meets a fault: what was finished stays, and the numbers are as without it."""

import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ..workflow.conftest import Repository, new_repository
from ..workflow.test_faults import FAULTY, SAME, SECOND_SEED, TABLE, runs
from .conftest import ClusterStudy, finish

pytestmark = pytest.mark.xdist_group("slurm")

ITSELF = "itself, by a retry"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Repository:
    """The study, never interrupted, on no cluster; read only."""
    repository = new_repository(tmp_path_factory.mktemp("whole") / "project")
    repository.write_study(FAULTY | {"device": "cpu"})
    repository.snakemake(TABLE)
    return repository


@pytest.fixture
def study(whole, cluster, tmp_path):
    """The study with its data set there, so that its training is the one job; no job is left behind."""
    shutil.copytree(whole.folder, tmp_path / "project", symlinks=True)
    study = ClusterStudy(Repository(tmp_path / "project"), cluster)
    for name in ("kept", "runs", "logs/train"):
        shutil.rmtree(study.folder / "results/tiny" / name)
    (study.folder / TABLE).unlink()
    yield study
    cluster.cancel_all()


class Interrupted:
    """A study on the cluster at its second seed: its Snakemake, its job, and the file of its finished seed."""

    def __init__(self, study: ClusterStudy):
        self.study, self.cluster = study, study.cluster
        before = self.cluster.jobs()
        self.snakemake = study.start("--", TABLE)
        wait("a checkpoint of the second seed", lambda: list(study.folder.glob(SECOND_SEED)))
        (self.job,) = set(self.cluster.jobs()) - set(before)
        (self.first,) = study.folder.glob("results/tiny/kept/*/seed-1.npz")
        self.finished_at = self.first.stat().st_mtime_ns

    def trainings(self) -> list[int]:
        """The processes that train."""
        return [process for process in self.cluster.processes() if b"study\0train" in command(process)]

    def wait_for(self, state: str) -> None:
        """Wait until the job is in a state."""
        wait(f"{self.job} to be {state}", lambda: self.job.number in [job.number for job in self.cluster.jobs(state)])

    def goes_on(self, whole: Repository) -> str:
        """What Snakemake prints, once it has completed the study as if there had been no fault."""
        done = finish(self.snakemake)
        assert done.returncode == 0, done.stdout
        self.assert_as(whole)
        return done.stdout

    def assert_as(self, whole: Repository) -> None:
        """No finished seed was trained again, the numbers are right, and nothing else is kept."""
        pd.testing.assert_frame_equal(runs(self.study), runs(whole))
        assert self.first.stat().st_mtime_ns == self.finished_at
        assert sorted(path.name for path in self.first.parent.iterdir()) == ["seed-1.npz", "seed-2.npz"]


def wait(what: str, done: Callable[[], object], seconds: float = 100) -> None:
    """Wait until something is done."""
    give_up = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < give_up, f"waited {seconds:g} s for {what}"
        time.sleep(0.05)


def command(process: int) -> bytes:
    """The words of a process's command, with zeros between them."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:  # it has ended
        return b""


def states(study: ClusterStudy, output: str) -> list[str]:
    """How the jobs ended that Snakemake says it submitted, the oldest first."""
    numbers = re.findall(r"SLURM jobid (\d+)", output)
    return [job.state for job in study.cluster.jobs() if job.number in numbers]


def asked(output: str, resource: str) -> list[int]:
    """How much of a resource the attempts at the training asked for, the least first."""
    return sorted({int(number) for number in re.findall(rf" {resource}=(\d+).* gpu=1", output)})


# as if the state were large: it is written until four seconds after the signal
SLOW = """

def _save_slowly(self, state, save=Checkpoints._save):
    save(self, state)
    if self.stop_soon:
        time.sleep(4)
        save(self, state)

Checkpoints._save = _save_slowly
"""


@pytest.mark.fault("`scancel` of a job", where="SLURM", times=1, then=ITSELF)
def test_a_cancelled_job_has_time_for_its_checkpoint_and_is_tried_again(study, whole):
    study.edit("zipo/engine/checkpoints.py", SLOW)
    stopped = Interrupted(study)
    cancelled_at = time.time()
    study.cluster.cancel(stopped.job)
    wait("the training to end", lambda: not stopped.trainings())
    assert max(path.stat().st_mtime for path in study.folder.glob(SECOND_SEED)) > cancelled_at + 4
    output = stopped.goes_on(whole)
    assert "stopped as asked; the same command goes on from the checkpoint" in output
    assert states(study, output) == ["CANCELLED", "COMPLETED"]


@pytest.mark.slow
@pytest.mark.fault("a time limit", where="SLURM", times=1, then=ITSELF)
def test_a_job_out_of_time_is_tried_again_with_twice_as_much(study, whole):
    stopped = Interrupted(study)
    study.cluster.expire(stopped.job)
    output = stopped.goes_on(whole)
    assert states(study, output) == ["TIMEOUT", "COMPLETED"]
    first, second = asked(output, "runtime")
    assert second == 2 * first


@pytest.mark.slow
@pytest.mark.fault("memory exceeded", where="SLURM", times=1, then=ITSELF)
def test_a_job_out_of_memory_is_tried_again_with_more(study, whole):
    (first,) = whole.folder.glob("results/tiny/kept/*/seed-1.npz")
    kept = study.folder / first.relative_to(whole.folder)
    kept.parent.mkdir(parents=True)
    shutil.copy2(first, kept)
    little = ["train:mem_mb=400*attempt", "train:gpu=1", "train:slurm_partition=gpu"]
    output = study.snakemake("--set-resources", *little, "--", TABLE)
    assert asked(output, "mem_mb") == [400, 800]
    assert states(study, output) == ["FAILED", "COMPLETED"]
    assert "exceeded memory limit (" in (study.cluster.folder / "slurmd.log").read_text()
    assert kept.stat().st_mtime_ns == first.stat().st_mtime_ns
    assert sorted(path.name for path in kept.parent.iterdir()) == ["seed-1.npz", "seed-2.npz"]
    pd.testing.assert_frame_equal(runs(study), runs(whole))


@pytest.mark.slow
@pytest.mark.fault("SIGKILL of a training", where="SLURM", times=1, then=ITSELF)
def test_a_killed_training_is_tried_again(study, whole):
    stopped = Interrupted(study)
    (training,) = stopped.trainings()
    os.kill(training, signal.SIGKILL)
    assert states(study, stopped.goes_on(whole)) == ["FAILED", "COMPLETED"]


@pytest.mark.fault("SIGKILL of slurmd, and its restart", where="SLURM", times=1, then="itself; the job went on")
def test_a_job_outlives_the_daemon_of_its_node(study, whole):
    stopped = Interrupted(study)
    study.cluster.restart("slurmd", signal.SIGKILL)
    assert states(study, stopped.goes_on(whole)) == ["COMPLETED"]


@pytest.mark.slow
@pytest.mark.fault(
    "a node gone with all its processes, then back", where="SLURM", times=1, then="itself, by SLURM's requeue"
)
def test_a_job_of_a_lost_node_is_started_again_by_slurm(study, whole):
    stopped = Interrupted(study)
    trainings = stopped.trainings()
    for process in study.cluster.processes():
        if b"slurmstepd" in command(process) or process in trainings:
            os.kill(process, signal.SIGKILL)
    study.cluster.end("slurmd", signal.SIGKILL)
    stopped.wait_for("PENDING")
    study.cluster.start("slurmd")
    assert states(study, stopped.goes_on(whole)) == ["COMPLETED"]


@pytest.mark.slow
@pytest.mark.fault("SIGKILL of slurmctld, and its restart", where="SLURM", times=1, then="itself; the job went on")
def test_a_job_and_its_snakemake_outlive_the_controller(study, whole):
    stopped = Interrupted(study)
    study.cluster.restart("slurmctld", signal.SIGKILL)
    assert states(study, stopped.goes_on(whole)) == ["COMPLETED"]


@pytest.mark.slow
@pytest.mark.fault("slurmctld gone for 15 s, without accounting", where="SLURM", times=1, then=f"Ctrl-C, then {SAME}")
def test_a_controller_gone_for_long_leaves_snakemake_waiting_and_the_job_working(study, whole):
    stopped = Interrupted(study)
    study.cluster.end("slurmctld", signal.SIGKILL)
    time.sleep(15)  # SLURM's commands try for 9
    study.cluster.start("slurmctld")
    stopped.wait_for("COMPLETED")
    time.sleep(5)
    os.killpg(stopped.snakemake.pid, signal.SIGINT)
    finish(stopped.snakemake)
    study.snakemake("--", TABLE)
    stopped.assert_as(whole)


@pytest.mark.fault("Ctrl-C on Snakemake during a training", where="SLURM", times=1, then=SAME)
def test_ctrl_c_cancels_the_jobs_and_the_same_command_goes_on(study, whole):
    stopped = Interrupted(study)
    os.killpg(stopped.snakemake.pid, signal.SIGINT)
    assert finish(stopped.snakemake).returncode != 0
    stopped.wait_for("CANCELLED")
    study.snakemake("--", TABLE)
    stopped.assert_as(whole)
