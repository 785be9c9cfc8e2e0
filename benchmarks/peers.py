"""Other methods, each in an environment of its own under the user's cache, trained at their own defaults."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zipo" / "peers"
# requirements, in the order to install them in: those of a later line come without their own
PEERS = {
    "scvi": [["torch==2.13.0", "scvi-tools==1.4.2"]],
    # DCA's last release, of 2021, asks for packages that are no longer to be had; these do instead
    "dca": [
        [
            "tensorflow-cpu==2.15.1",
            "keras==2.15.0",
            "numpy<2",
            "scanpy==1.10.4",
            "anndata<0.11",
            "scipy<1.14",
            "pandas<2.3",
            "setuptools<81",
            "six",
        ],
        ["dca==0.3.4"],
    ],
}


def install(peer: str) -> None:
    """Make a peer's environment, unless it is there; needs Python 3.11 and a package index."""
    folder = CACHE / peer
    done = folder / "installed"
    if done.exists():
        return
    print(f"installing {peer} into {folder}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    python = str(folder / "bin" / "python")
    pip = [uv, "pip", "install", "--quiet", "--python", python] if uv else [python, "-m", "pip", "install", "--quiet"]
    environment = dict(os.environ)
    if "PIP_FIND_LINKS" in environment:
        environment["UV_FIND_LINKS"] = environment["PIP_FIND_LINKS"]  # uv does not read pip's variable
    for number, requirements in enumerate(PEERS[peer]):
        subprocess.run([*pip, *(["--no-deps"] if number else []), *requirements], check=True, env=environment)
    done.touch()


def run(peer: str, counts: Path, threads: int, environment: dict[str, str]) -> dict[str, float]:
    """Its cells_per_second and peak_mb on these counts."""
    command = [str(CACHE / peer / "bin" / "python"), str(HERE / f"peer_{peer}.py"), str(counts), str(threads)]
    kept = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=kept)
    if finished.returncode:
        raise SystemExit(f"{peer} ended with status {finished.returncode}; its message is above")
    return json.loads(finished.stdout.splitlines()[-1])
