"""Check and time the engine on a GPU, and write a table for people and one for programs.

    python benchmarks/gpu.py --out gpu                        # gpu.md and gpu.json; an hour at most
    python benchmarks/gpu.py --out trial --device cpu --small # a trial of this script on a processor

Needs torch built for the GPU, numpy, scipy and pydantic; neither the package nor what else it needs has to be there.
Each part runs in a process of its own under a time limit, since an error on a GPU leaves a process unusable: a part
that fails is a line of the table, with its last message, and the others go on. Both files are written after every part.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gpu_table import markdown

HERE = Path(__file__).resolve().parent
KINDS = ("numbers", "precision", "refinement", "waiting", "checkpoints")
SHAPES = ("demo", "liver", "myeloma")
ENGINES = ("engine", "engine_dense", "engine_compiled", "plain", "plain_resident", "plain_compiled")
SEEDS = (1, 2, 4, 8, 12)
MINUTES = 15  # for a part
ABOUT = """
import json, platform, torch
cuda = torch.cuda.is_available()
device = torch.cuda.get_device_properties(0) if cuda else None
try: import triton; triton = triton.__version__
except ImportError: triton = None
print(json.dumps({"about": {
    "device": device.name if cuda else platform.processor() or platform.machine(),
    "memory_gb": device.total_memory / 1e9 if cuda else None,
    "capability": f"{device.major}.{device.minor}" if cuda else None,
    "torch": torch.__version__, "cuda": torch.version.cuda, "triton": triton, "python": platform.python_version()}}))
"""


@dataclass(frozen=True)
class Part:
    """A process whose last line of output is a JSON object."""

    section: str
    name: str
    command: tuple[str, ...]


def parts(chosen: list[str], small: bool) -> list[Part]:
    """The processes of the chosen sections, in their order."""
    shapes, seeds = (SHAPES[:1], SEEDS[:2]) if small else (SHAPES, SEEDS)
    engines = ("engine", "engine_dense", "plain_resident") if small else ENGINES
    every = [Part("about", "about", ("-c", ABOUT))]
    every += [Part("checks", kind, ("gpu_checks.py", kind)) for kind in KINDS]
    every += [Part("speed", "rates", ("gpu_speed.py", "rates"))]
    every += [Part("speed", f"{shape} {each}", ("gpu_speed.py", shape, each)) for shape in shapes for each in engines]
    every += [
        Part("seeds", f"{shape} {way} {number}", ("gpu_seeds.py", shape, way, str(number)))
        for shape in shapes
        for way in ("streams", "processes")
        for number in seeds
    ]
    return [part for part in every if part.section in ("about", *chosen)]


def run(part: Part, switches: list[str], environment: dict[str, str], seconds: float) -> dict:
    """What a part printed, or why there is nothing."""
    first, *others = part.command
    command = [sys.executable, first, *others] if first == "-c" else [sys.executable, str(HERE / first), *others]
    command += [] if first == "-c" else switches
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment)
    except subprocess.TimeoutExpired:
        return {"failed": f"took longer than {seconds:.0f} seconds"}
    try:
        if done.returncode == 0:
            return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        pass
    lines = done.stderr.strip().splitlines() or ["no message"]
    return {"failed": f"status {done.returncode}: {lines[-1]}"[:500], "messages": lines[-40:]}


def environment_of(folder: Path) -> dict[str, str]:
    """The variables of a part, whose package is this repository's, installed or not."""
    places = [str(HERE.parent)]
    try:
        version("zipo")
    except PackageNotFoundError:  # which the package asks for its version
        about = folder / "zipo-0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: zipo\nVersion: 0\n")
        places.append(str(folder))
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [*places, os.environ.get("PYTHONPATH", "")]))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="write OUT.md and OUT.json")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="sizes of a trial, whose speeds mean nothing")
    parser.add_argument(
        "--section", nargs="+", choices=["checks", "speed", "seeds"], default=["checks", "speed", "seeds"]
    )
    parser.add_argument("--minutes", type=float, default=MINUTES, help="for each part")
    options = parser.parse_args()
    switches = ["--device", options.device] + ["--small"] * options.small
    results = {"device": options.device, "small": options.small, "parts": []}
    with tempfile.TemporaryDirectory() as folder:
        environment = environment_of(Path(folder))
        for part in parts(options.section, options.small):
            outcome = run(part, switches, environment, 60 * options.minutes)
            results["parts"].append({"section": part.section, "name": part.name} | outcome)
            options.out.with_suffix(".json").write_text(json.dumps(results, indent=2) + "\n")
            options.out.with_suffix(".md").write_text(markdown(results))
            print(f"{part.section}: {part.name}: {outcome.get('failed', 'done')}", flush=True)


if __name__ == "__main__":
    main()
