"""A real SLURM cluster of one node with pretended GPUs, on loopback, in a folder of its own."""

import getpass
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("munged", "munge", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "setpriv")
SEARCH = os.pathsep.join([*os.get_exec_path(), "/usr/sbin", "/sbin"])

CONF = """\
ClusterName=test
SlurmctldHost={node}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# neither systemd nor cgroups nor accounting
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
TaskProlog={folder}/prolog
MpiDefault=none
SwitchType=switch/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
# a declared machine, not the one this runs on
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
NodeName={node} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} Gres=gpu:{gpus} State=UNKNOWN
PartitionName=cpu Nodes={node} Default=YES MaxTime=2-0
PartitionName=gpu Nodes={node} MaxTime=2-0
# answers at once
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
ReturnToService=2
SlurmdTimeout=15
MinJobAge=300
KillWait=20
MailProg=/bin/true
"""
# what each task of a job saw
PROLOG = """\
#!/bin/sh
echo "$SLURM_JOB_ID $CUDA_VISIBLE_DEVICES" >> {folder}/tasks
"""
# Snakemake's job step drops SLURM_CONF before it calls srun.
SRUN = """\
#!/bin/sh
SLURM_CONF={folder}/slurm.conf exec {srun} "$@"
"""


class Job(NamedTuple):
    """A job as squeue knows it: its number, its state, as in RUNNING, and what Snakemake calls it."""

    number: str
    state: str
    comment: str


class Cluster:
    """The daemons munged, slurmctld and slurmd, and what a test may do to them and to their jobs.

    Snakemake is started with `environment`. Whatever runs with that environment is this cluster's, and `stop` ends it.
    """

    def __init__(self, folder: Path, *, cpus: int = 4, memory_mb: int = 64_000, gpus: int = 2):
        self.folder = folder
        self.node = socket.gethostname().split(".")[0]
        self.daemons: dict[str, subprocess.Popen] = {}
        conf = folder / "slurm.conf"
        self.environment = os.environ | {
            "SLURM_CONF": str(conf),
            "PATH": os.pathsep.join([str(folder / "bin"), SEARCH]),
            "OMP_NUM_THREADS": "1",
        }
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)  # a job starts Python three times
        for name in ("bin", "state", "spool", "gpus"):
            (folder / name).mkdir()
        for gpu in range(gpus):
            (folder / "gpus" / f"gpu{gpu}").symlink_to("/dev/null")  # a character device is asked for
        (folder / "gres.conf").write_text(f"Name=gpu File={folder}/gpus/gpu[0-{gpus - 1}]\n")
        (folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
        conf.write_text(
            CONF.format(
                folder=folder,
                node=self.node,
                user=getpass.getuser(),
                ports=free_ports(2),
                cpus=cpus,
                memory_mb=memory_mb,
                gpus=gpus,
            )
        )
        (folder / "prolog").write_text(PROLOG.format(folder=folder))
        (folder / "bin" / "srun").write_text(SRUN.format(folder=folder, srun=shutil.which("srun", path=SEARCH)))
        for script in ("prolog", "bin/srun"):
            (folder / script).chmod(0o755)
        key = folder / "munge.key"
        key.write_bytes(random.randbytes(1024))
        key.chmod(0o600)

    def start(self, *names: str) -> None:
        """Start daemons, by default all, and wait until they answer."""
        for name in names or ("munged", "slurmctld", "slurmd"):
            # a daemon dies with the process that started it
            command = ["setpriv", "--pdeathsig", "TERM", name, *self._arguments(name)]
            with (self.folder / f"{name}.out").open("a") as output:
                self.daemons[name] = subprocess.Popen(
                    command,
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            self._wait(f"{name} to answer", lambda name=name: self._answers(name))
        self._wait("the node", lambda: self.run("sinfo", "-h", "-o", "%t").split()[0] in ("idle", "mix", "alloc"))

    def end(self, name: str, sign: signal.Signals = signal.SIGTERM) -> None:
        """End a daemon by a signal, SIGKILL after ten seconds."""
        daemon = self.daemons.pop(name)
        daemon.send_signal(sign)
        try:
            daemon.wait(10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def restart(self, name: str, sign: signal.Signals = signal.SIGTERM) -> None:
        """End a daemon and start it again."""
        self.end(name, sign)
        self.start(name)

    def stop(self) -> None:
        """Cancel all jobs, end all daemons, and kill what still runs with this cluster's environment."""
        if {"slurmctld", "slurmd"} <= self.daemons.keys():
            self.cancel_all()
        for name in reversed(list(self.daemons)):
            self.end(name)
        for process in self.processes():
            os.kill(process, signal.SIGKILL)

    def run(self, *command: str) -> str:
        """What a command of SLURM prints."""
        return subprocess.run(
            command, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30
        ).stdout

    def jobs(self, *states: str) -> list[Job]:
        """Jobs in some states, by default all of the last five minutes, the oldest first."""
        lines = self.run(
            "squeue", "--noheader", f"--states={','.join(states) or 'all'}", "--sort=i", "--format=%i|%T|%k"
        )
        return [Job(*line.split("|", 2)) for line in lines.splitlines()]

    def cancel(self, job: Job) -> None:
        """Cancel a job."""
        self.run("scancel", job.number)

    def cancel_all(self) -> None:
        """Cancel all jobs, and wait until they are gone."""
        self.run("scancel", "--user", getpass.getuser())
        self._wait("jobs to end", lambda: not self.run("squeue", "--noheader"), failing=False)

    def expire(self, job: Job) -> None:
        """Have a running job reach its time limit now, as limits are in minutes."""
        self.run("scontrol", "update", f"JobId={job.number}", "EndTime=now")

    def devices(self) -> dict[str, set[str]]:
        """What the tasks of each job saw as CUDA_VISIBLE_DEVICES, by the job's number."""
        seen: dict[str, set[str]] = {}
        for line in (self.folder / "tasks").read_text().splitlines():
            number, _, devices = line.partition(" ")
            seen.setdefault(number, set()).add(devices)
        return seen

    def processes(self) -> list[int]:
        """Processes that were started with this cluster's environment: daemons, jobs, Snakemake."""
        mark = f"SLURM_CONF={self.environment['SLURM_CONF']}".encode()
        actual = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in entry.read_bytes().split(b"\0"):
                    actual.append(int(entry.parent.name))
            except OSError:  # ended meanwhile, or somebody else's
                continue
        return actual

    def _arguments(self, name: str) -> list[str]:
        if name != "munged":
            return ["-D"]
        names = {"socket": "socket", "key-file": "key", "pid-file": "pid", "seed-file": "seed", "log-file": "log"}
        files = [f"--{option}={self.folder}/munge.{ending}" for option, ending in names.items()]
        return ["--foreground", "--force", *files]  # whatever the modes of the folders above

    def _answers(self, name: str) -> bool:
        if (daemon := self.daemons[name]).poll() is not None:
            raise RuntimeError(f"{name} ended with {daemon.returncode}; see {self.folder}")
        if name == "munged":
            return "MUNGE:" in self.run("munge", f"--socket={self.folder}/munge.socket", "--no-input")
        if name == "slurmctld":
            return "is UP" in self.run("scontrol", "ping")
        return "Version" in self.run("scontrol", "show", "slurmd")

    def _wait(self, what: str, done: Callable[[], bool], seconds: float = 20, failing: bool = True) -> None:
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                if not failing:
                    return
                raise RuntimeError(f"waited {seconds:g} s for {what}; see {self.folder}")
            time.sleep(0.05)


def free_ports(number: int) -> list[int]:
    """Ports nobody listens to, below those that the system hands out."""
    actual: list[int] = []
    while len(actual) < number:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if port not in actual and probe.connect_ex(("127.0.0.1", port)):
                actual.append(port)
    return actual


def missing() -> list[str]:
    """Programs that a cluster needs and this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name, path=SEARCH) is None]


def install() -> None:
    """Install Debian's packages where we may."""
    if os.geteuid() or not shutil.which("apt-get"):
        return
    settings = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    options = ["-qq", "--yes", "-o", "DPkg::Lock::Timeout=120"]
    for command in (["update"], ["install", "--no-install-recommends", *PACKAGES]):
        with suppress(subprocess.TimeoutExpired):  # what is still missing then is told
            subprocess.run(["apt-get", *options, *command], env=settings, capture_output=True, timeout=300)
