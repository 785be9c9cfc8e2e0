"""Environments made from a file of pinned packages with venv and pip, for programs that do not run in ZiPo's.

Packages after the line WITHOUT_REQUIREMENTS are installed without their requirements, which are no longer available.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from zipo.shared.atomic_files import atomic_write
from zipo.shared.locks import exclusive_lock

WITHOUT_REQUIREMENTS = "# without their own requirements:"
LONGEST_REASON = 300  # characters
UV_ERROR = "\N{MULTIPLICATION SIGN}"  # that uv's messages begin with


@dataclass
class Environment:
    """Outcome of making an environment; environment.json in its folder."""

    status: str
    """ok or unavailable."""
    reason: str
    """Why it is unavailable; empty if it is not."""
    pins: str
    """SHA-256 of the file of pins; when the file changes, the environment is made anew."""
    python: str = ""
    """Path of its Python."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of Python and of the pinned packages."""


def read(folder: Path) -> Environment | None:
    """Outcome of making the environment in a folder; None if that was not finished."""
    file = folder / "environment.json"
    return Environment(**json.loads(file.read_text())) if file.exists() else None


def make(file: Path, folder: Path) -> Environment:
    """Make the environment of a file of pins in a folder, unless it exists with the same pins; one process at a time.

    environment.json is written last: an environment without it is not finished. If it cannot be made, that says why.
    """
    pins = hashlib.sha256(file.read_bytes()).hexdigest()
    with exclusive_lock(folder.with_name(f"{folder.name}.lock"), f"another process makes {folder}"):
        existing = read(folder)
        if existing and existing.status == "ok" and existing.pins == pins:
            return existing
        shutil.rmtree(folder, ignore_errors=True)
        try:
            install(file, folder)
        except (subprocess.CalledProcessError, OSError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            output = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
            return record(Environment("unavailable", reason_of(output), pins), folder)
        pinned = (pin.partition("==") for part in parts(file) for pin in part)
        versions = {"python": platform.python_version()} | {package: version for package, _, version in pinned}
        return record(Environment("ok", "", pins, str(folder / "bin" / "python"), versions), folder)


def parts(file: Path) -> tuple[list[str], list[str]]:
    """Pins to install with their requirements, and pins to install without."""
    first, _, second = file.read_text().partition(WITHOUT_REQUIREMENTS)
    with_requirements, without_requirements = (
        [line.strip() for line in part.splitlines() if line.strip() and not line.startswith("#")]
        for part in (first, second)
    )
    return with_requirements, without_requirements


def install(file: Path, folder: Path) -> None:
    """Make a virtual environment of the Python that runs this, with the packages of a file of pins.

    Raises CalledProcessError with the installer's output.
    """
    uv_path = uv()
    run([sys.executable, "-m", "venv", *(["--without-pip"] if uv_path else []), str(folder)])
    python = str(folder / "bin" / "python")
    pip = [uv_path, "pip", "install", "--python", python] if uv_path else [python, "-m", "pip", "install"]
    with_requirements, without_requirements = parts(file)
    run([*pip, "--quiet", *with_requirements])
    if without_requirements:
        run([*pip, "--quiet", "--no-deps", *without_requirements])


def uv() -> str | None:
    """Path of uv, which installs in seconds what takes pip minutes; None where it is missing, and pip is used."""
    next_to_python = Path(sys.executable).with_name("uv")
    return str(next_to_python) if next_to_python.exists() else shutil.which("uv")


def run(command: list[str]) -> None:
    """Run a command; CalledProcessError with its standard error if it fails."""
    environment = dict(os.environ)
    if "PIP_FIND_LINKS" in environment:
        environment["UV_FIND_LINKS"] = environment["PIP_FIND_LINKS"]  # uv does not read pip's variable
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)


def reason_of(output: str) -> str:
    """An installer's error in one line: its last message, which uv spreads over several."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    starts = [i for i, line in enumerate(lines) if line.lower().startswith(("error:", UV_ERROR))]
    message = " ".join(lines[starts[-1] if starts else -1 :])
    return " ".join(message.replace("╰─▶", "").removeprefix(UV_ERROR).split())[:LONGEST_REASON]


def record(result: Environment, folder: Path) -> Environment:
    """Write the outcome of making an environment into its folder, and return it."""
    with atomic_write(folder / "environment.json") as part:
        part.write_text(json.dumps(asdict(result), indent=2) + "\n")
    return result
