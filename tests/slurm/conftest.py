"""A cluster to test on, and a tiny study run on it by the profile that users run."""

import os
import signal
import subprocess
import sys

import pytest

from ..workflow.conftest import STUDY, Repository
from .cluster import Cluster, install, missing

# the profile's waits are for real clusters
PATIENCE = {"--max-status-checks-per-second": "10", "--latency-wait": "5"}
# and so are the plugin's, which grow by ten seconds each time
IMPATIENT = """
import asyncio, snakemake.cli
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
async def sleep(self): await asyncio.sleep(0.5)
RemoteExecutor.sleep = sleep
snakemake.cli.main()
"""
# one setting and two seeds, on the CPU even where the machine has a GPU
SMALL = STUDY | {"experiments": {"alpha_z": {"grid": {"alpha_z": [1]}}}, "device": "cpu"}


class ClusterStudy(Repository):
    """A tiny study whose Snakemake runs on the cluster."""

    def __init__(self, repository: Repository, cluster: Cluster):
        super().__init__(repository.folder)
        self.cluster = cluster

    def start(self, *arguments: str) -> subprocess.Popen:
        """`snakemake --profile slurm`, started in a process group of its own, as a terminal does."""
        command = ["env", "--default-signal=INT", sys.executable, "-c", IMPATIENT]
        command += ["--profile", "slurm", "--configfile", "config/tiny.yaml"]
        return subprocess.Popen(
            [*command, *(word for pair in PATIENCE.items() for word in pair), *arguments],
            cwd=self.folder,
            env=self.cluster.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def try_snakemake(self, *arguments: str, seconds: float = 150) -> subprocess.CompletedProcess:
        """`snakemake --profile slurm`, ended by SIGKILL after some seconds."""
        return finish(self.start(*arguments), seconds)


def finish(process: subprocess.Popen, seconds: float = 150) -> subprocess.CompletedProcess:
    """What a started Snakemake comes to, ended by SIGKILL after some seconds."""
    with process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, output)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A running cluster; tests that use it share one xdist group, so that there is one."""
    if missing():
        install()
    if missing():
        pytest.skip(f"SLURM is not installed: no {', '.join(missing())}, and only root on Debian installs it here")
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
