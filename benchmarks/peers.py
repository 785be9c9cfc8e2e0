"""Other methods, each in the environment that the benchmark of methods makes for it, trained at their own defaults."""

import json
import subprocess
from pathlib import Path

from zipo.benchmark.running import environment

HERE = Path(__file__).resolve().parent
PEERS = ("scvi", "dca")


def install(peer: str) -> None:
    """Make a peer's environment, unless it is there; needs Python 3.11 and a package index."""
    folder = environment.default_folder() / peer
    print(f"making {folder}, unless it is there", flush=True)
    made = environment.make(peer, folder)
    if made.status != "ok":
        raise SystemExit(f"{peer}: {made.reason}")


def run(peer: str, counts: Path, threads: int, variables: dict[str, str]) -> dict[str, float]:
    """Train a peer on these counts; its cells_per_second and peak_mb."""
    python = environment.python_of(peer, None)
    command = [str(python), str(HERE / f"peer_{peer}.py"), str(counts), str(threads)]
    environment_variables = {name: value for name, value in variables.items() if name != "PYTHONPATH"}
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment_variables)
    if finished.returncode:
        raise SystemExit(f"{peer} ended with status {finished.returncode}; its message is above")
    return json.loads(finished.stdout.splitlines()[-1])
