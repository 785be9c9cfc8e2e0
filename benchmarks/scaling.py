"""Seconds per cell and peak memory of training from counts on disk, as the cells grow a hundredfold.

    python benchmarks/scaling.py [--cells 10000 100000 1000000] [--steps 1000] [--json FILE]

Counts are simulated into .h5ad files (scaling_simulation.py) and trained on (scaling_training.py), each in a process of
its own: on Linux a process starts with the peak memory of the one that it was forked from. Every size takes the same
number of steps of the same batches, in turn, once in each round with another seed; seconds are medians over the rounds.
With the smallest size the same steps are also taken from memory, and from disk with a tenth of the file in memory at
once, which shuffles as a larger file would: the losses on held-out cells should differ by no more than seeds do.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean, median, stdev

import h5py
from throughput import THREADING

HERE = Path(__file__).resolve().parent
FEWEST_FETCHES = 10  # that an epoch takes where learning is compared


def script(name: str, *arguments: object, threads: int = 1) -> str:
    """What a script of this folder prints."""
    environment = os.environ | dict.fromkeys(THREADING, str(threads))
    command = [sys.executable, str(HERE / name), *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout


def train(file: Path, options: argparse.Namespace, seed: int, *more: object) -> dict:
    """The answer of scaling_training.py for one training."""
    size = ("--steps", options.steps, "--batch-size", options.batch_size, "--threads", options.threads)
    return json.loads(script("scaling_training.py", file, *size, "--seed", seed, *more, threads=options.threads))


def summary(runs: list[dict]) -> dict:
    """One row of the report from all rounds of a size."""
    row = {"cells": runs[0]["cells"], "peak_mb": max(run["peak_mb"] for run in runs)}
    row |= {name: median(run[name] for run in runs) for name in runs[0] if name not in (*row, "nll")}
    return row | {"nll": [run["nll"] for run in runs]}


def report(rows: list[dict], learning: dict[str, list[float]], options: argparse.Namespace) -> None:
    settings = f"{options.steps} steps of {options.batch_size} cells on {options.threads} threads"
    print(f"{settings}, medians of {options.rounds} rounds; survey is one pass over the file before training")
    print(f"{'cells':>9} {'passes':>7} {'us/cell':>8} {'cpu':>7} {'loading':>8} {'survey':>7} {'peak MB':>8}")
    for row in rows:
        passes = options.steps * options.batch_size / row["cells"]
        times = [1e6 * row[f"{name}seconds_per_cell"] for name in ("", "cpu_", "survey_")]
        print(
            f"{row['cells']:9d} {passes:7.2f} {times[0]:8.1f} {times[1]:7.1f} {100 * row['loading_share']:6.1f} % "
            f"{times[2]:7.1f} {row['peak_mb']:8.0f}"
        )
    times, peaks = [row["seconds_per_cell"] for row in rows], [row["peak_mb"] for row in rows]
    print(f"from fastest to slowest {100 * (max(times) / min(times) - 1):.0f} %; peak memory ", end="")
    print(f"{min(peaks):.0f} to {max(peaks):.0f} MB")
    print(f"\nNLL of held-out cells after the same steps, {rows[0]['cells']} cells, by seed")
    for name, losses in learning.items():
        spread = f"{stdev(losses):.5f}" if len(losses) > 1 else "unknown"
        print(f"  {name:22} mean {mean(losses):.5f}, spread {spread}:", *(f"{loss:.5f}" for loss in losses))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[10**4, 10**5, 10**6])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write rows and losses there, too")
    options = parser.parse_args()
    sizes = sorted(options.cells)
    runs: dict[int, list[dict]] = {cells: [] for cells in sizes}
    learning: dict[str, list[float]] = {"from memory": [], "from disk, shuffled": []}
    with tempfile.TemporaryDirectory() as folder:
        files = {cells: Path(folder) / f"{cells}.h5ad" for cells in sizes}
        for cells, file in files.items():
            script("scaling_simulation.py", cells, file)
        with h5py.File(files[sizes[0]]) as file:
            tenth = len(file["X/data"]) // FEWEST_FETCHES
        for seed in range(1, options.rounds + 1):
            for cells, file in files.items():
                runs[cells].append(train(file, options, seed))
            for name, more in zip(learning, (["--memory"], ["--fetch", tenth]), strict=True):
                learning[name].append(train(files[sizes[0]], options, seed, *more)["nll"])
    rows = [summary(runs[cells]) for cells in sizes]
    report(rows, learning, options)
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "nll": learning}, indent=2) + "\n")


if __name__ == "__main__":
    main()
