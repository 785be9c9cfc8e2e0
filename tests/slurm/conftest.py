"""A cluster to test on, and a tiny study run on it by the profile that users run."""

import subprocess
import sys

import pytest

from ..workflow.conftest import STUDY, Repository
from .cluster import Cluster, install, missing

# the profile's waits are for real clusters
PATIENCE = {
    "--slurm-init-seconds-before-status-checks": "2",
    "--max-status-checks-per-second": "10",
    "--latency-wait": "5",
}
# one setting and two seeds, on the CPU even where the machine has a GPU
SMALL = STUDY | {"experiments": {"alpha_z": {"grid": {"alpha_z": [1]}}}, "device": "cpu"}


class ClusterStudy(Repository):
    """A tiny study whose Snakemake runs on the cluster."""

    def __init__(self, repository: Repository, cluster: Cluster):
        super().__init__(repository.folder)
        self.cluster = cluster

    def start(self, *arguments: str) -> subprocess.Popen:
        """`snakemake --profile slurm`, started."""
        command = [sys.executable, "-m", "snakemake", "--profile", "slurm", "--configfile", "config/tiny.yaml"]
        return subprocess.Popen(
            [*command, *(word for pair in PATIENCE.items() for word in pair), *arguments],
            cwd=self.folder,
            env=self.cluster.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def try_snakemake(self, *arguments: str, seconds: float = 150) -> subprocess.CompletedProcess:
        """`snakemake --profile slurm`, ended by SIGKILL after some seconds."""
        with self.start(*arguments) as process:
            try:
                output, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
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
