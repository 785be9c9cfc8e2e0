"""Runs a method on a file of counts under a time limit; the result has a status and its reason in one sentence."""

import json
import os
import platform
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

import zipo
from zipo.benchmark.running import environment
from zipo.benchmark.running.check import fault_of
from zipo.benchmark.running.exchange import NAMES
from zipo.methods import Method
from zipo.shared.errors import InputError

RUNNER = Path(__file__).with_name("runner.py")
THREADING = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
LONGEST_REASON = 300  # characters


@dataclass
class Result:
    """Outcome of running a method once."""

    method: str
    seed: int
    parameters: dict
    """All of them, defaults included."""
    threads: int
    status: str = "failed"
    """ok, failed, timeout, invalid or unavailable."""
    reason: str = ""
    """One sentence; empty if all went well."""
    seconds: float | None = None
    """Time of the denoising alone, without reading, writing and imports."""
    peak_mb: float | None = None
    """Most memory held by the method's process."""
    versions: dict[str, str] = field(default_factory=dict)
    processor: str = ""
    """Model of the processor that it ran on."""
    finished: str = ""
    """Date on which it ended, as 2026-01-31."""

    @classmethod
    def read(cls, folder: Path) -> "Result":
        """From the folder that `run` wrote."""
        return cls(**json.loads((folder / "result.json").read_text()))


def arrays(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of a successful run, memory-mapped: denoised, latent, rates, zero_probability and size, those
    that it has; fields of `zipo.metrics.shared.case.Case`."""
    return {name: np.load(file, mmap_mode="r") for name in NAMES if (file := folder / f"{name}.npy").exists()}


def run(
    method: Method,
    counts: Path,
    folder: Path,
    *,
    seed: int,
    threads: int,
    seconds: float,
    parameters: dict | None = None,
    environments: Path | None = None,
    python: Path | None = None,
) -> Result:
    """Run a method on an .h5ad with raw counts, for at most so many seconds.

    - `folder`: takes result.json, log.txt and, if the status is ok, the arrays; it appears complete or not at all.
    - `parameters`: those that differ from the method's defaults.
    - `environments`: the folder that holds the methods' environments, each under its name; by default the user's.
    - `python`: the Python of the method's environment, if it was made by other means.

    Raises InputError for a parameter that the method does not have; never for a method's fault.
    """
    overrides = parameters or {}
    if unknown := sorted(overrides.keys() - method.parameters.keys()) if not method.fault else []:
        known = ", ".join(method.parameters) or "none"
        raise InputError(f"method {method.name}: parameter {unknown[0]!r} is unknown; known are {known}")
    result = Result(method.name, seed, method.parameters | overrides, threads)
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    if method.fault:
        result.reason = method.fault
    elif python is None and (reason := environment.missing(method.env, environments)):
        result.status, result.reason = "unavailable", reason
    else:
        job: dict = {"method": str(method.file), "counts": str(counts.resolve()), "output": str(part.resolve())}
        job |= {"seed": seed, "threads": threads, "parameters": overrides}
        (part / "job.json").write_text(json.dumps(job))
        python = python or environment.python_of(method.env, environments)
        code = run_in_group(
            [str(python), str(RUNNER), str(part / "job.json")], part / "log.txt", seconds, method, threads
        )
        set_outcome(result, code, seconds, part)
        if result.status == "ok" and (reason := fault_of(arrays(part), counts, method.keeps_library)):
            result.status, result.reason = "invalid", reason
    result.reason = " ".join(result.reason.split())[:LONGEST_REASON]
    result.processor, result.finished = processor(), date.today().isoformat()
    publish(result, part, folder)
    return result


def processor() -> str:
    """Model of this machine's processor, as far as the system tells."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def run_in_group(command: list[str], log: Path, seconds: float, method: Method, threads: int) -> int | None:
    """Run a command with a time limit; its exit code, None if the limit ended it.

    It leads a process group, which is killed at its end: no process that a method starts outlives it.
    """
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    if method.env is None:
        variables["PYTHONPATH"] = str(Path(zipo.__file__).parents[1])
    variables |= dict.fromkeys(THREADING, str(threads)) | {"PYTHONNOUSERSITE": "1", "PYTHONHASHSEED": "0"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=variables, start_new_session=True
        )
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def set_outcome(result: Result, code: int | None, seconds: float, folder: Path) -> None:
    """Set status and reason of the result from how the runner ended and what it wrote."""
    result_file = folder / "result.json"
    if code is None:
        result.status, result.reason = "timeout", f"not finished after {seconds:g} seconds"
    elif result_file.exists():
        for name, value in json.loads(result_file.read_text()).items():
            setattr(result, name, value)
    elif code < 0:
        result.reason = f"killed by signal {-code} ({signal.Signals(-code).name})"
        if -code == signal.SIGKILL:
            result.reason += ", as where memory runs out"
    else:
        lines = (folder / "log.txt").read_text(errors="replace").strip().splitlines()
        last_line = f"; its last words were: {lines[-1].strip()}" if lines else ""
        result.reason = f"ended with exit code {code} before it gave an answer{last_line}"


def publish(result: Result, part: Path, folder: Path) -> None:
    """Move the run to its folder, with result, log and, if the status is ok, arrays, and nothing else."""
    published = {"result.json", "log.txt", *(f"{name}.npy" for name in NAMES if result.status == "ok")}
    for path in part.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in published:
            path.unlink()
    (part / "result.json").write_text(json.dumps(asdict(result), indent=2) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
