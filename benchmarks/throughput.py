"""Training speed and memory of the engine against plain PyTorch and peers, and against this machine's limit.

    python benchmarks/throughput.py [--shape liver myeloma] [--likelihood zip zinb] [--peer scvi dca] [--json FILE]
                                    [--history FILE]

Engines train in turn, a few steps at a time, so that a busy minute of the machine slows all alike. Each lives in a
process of its own: memory is measured, and what one does to the allocator must not help the other.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import history
import limit
import peers
from shapes import SHAPES, Shape

from zipo.shared.errors import InputError

HERE = Path(__file__).resolve().parent
THREADING = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
WARM_UP = 3
PHASED = 4  # steps, at least, over which phases are timed


class Contestant:
    """An engine at work in a process of its own (contestant.py)."""

    def __init__(self, engine: str, counts: Path, parameters: dict, threads: int):
        command = [sys.executable, str(HERE / "contestant.py"), engine, "--counts", str(counts)]
        command += ["--parameters", json.dumps(parameters), "--threads", str(threads)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment(threads))
        self.name = engine

    def ask(self, **request):
        """The answer to a request, as contestant.py lists them."""
        print(json.dumps(request), file=self.process.stdin, flush=True)
        if not (reply := self.process.stdout.readline()):
            raise SystemExit(f"{self.name} ended with status {self.process.wait()}; its message is above")
        return json.loads(reply)

    def warm_up(self, seconds: float) -> None:
        """Take some steps, and set how many fill a turn of that length."""
        self.ask(steps=WARM_UP)
        self.steps = max(2, math.ceil(2 * seconds / self.ask(steps=2)))

    def turn(self) -> float:
        """Seconds a step, over one turn."""
        return self.ask(steps=self.steps) / self.steps

    def phases(self) -> dict[str, float]:
        """Each phase's share of a step."""
        spent = self.ask(phases=max(self.steps, PHASED))
        return {phase: seconds / sum(spent.values()) for phase, seconds in spent.items()}


def environment(threads: int) -> dict[str, str]:
    """The variables of a contestant's process: threads as asked, and an allocator as a user has it."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MALLOC_") and name not in ("LD_PRELOAD", "GLIBC_TUNABLES")
    }
    return variables | dict.fromkeys(THREADING, str(threads))


def compare(shape: Shape, likelihood: str, counts: Path, options: argparse.Namespace) -> dict:
    """Engine and plain PyTorch in turn on the same counts; a row of the table."""
    parameters = {"likelihood": likelihood, "encoder": shape.encoder, "batch_size": shape.batch_size}
    ours, plain = (Contestant(engine, counts, parameters, options.threads) for engine in ("ours", "plain"))
    try:
        for each in (ours, plain):
            each.warm_up(options.seconds)
        turns = [(ours.turn(), plain.turn()) for _ in range(options.rounds)]
        ratios = sorted(theirs / mine for mine, theirs in turns)
        return {
            "cells_per_second": median(shape.batch_size / mine for mine, _ in turns),
            "plain_cells_per_second": median(shape.batch_size / theirs for _, theirs in turns),
            "ratios": ratios,
            "ratio": median(ratios),
            "ratio_least": ratios[0],
            "ratio_most": ratios[-1],
            "peak_mb": ours.ask(peak=True),
            "plain_peak_mb": plain.ask(peak=True),
            "phases": ours.phases(),
            "plain_phases": plain.phases(),
        }
    finally:
        for each in (ours, plain):
            each.process.kill()
            each.process.wait()


def report(row: dict, shape: Shape, parts: list[limit.Part], rates: dict[str, float]) -> None:
    """Print a row, with the shares of its phases and its limit."""
    print(
        f"\n{row['shape']}, {row['likelihood']}: {shape.genes} genes, {100 * shape.density:.3g} % of counts not zero,"
    )
    print(f"encoder {shape.encoder}, batches of {shape.batch_size} cells")
    spread = f"{row['ratio_least']:.2f} to {row['ratio_most']:.2f}"
    print(f"  {'':8} {'cells/s':>9} {'peak MB':>9}   " + " ".join(f"{phase:>9}" for phase in row["phases"]))
    for name, prefix in (("ours", ""), ("plain", "plain_")):
        shares = " ".join(f"{100 * share:7.0f} %" for share in row[f"{prefix}phases"].values())
        speed, peak = row[f"{prefix}cells_per_second"], row[f"{prefix}peak_mb"]
        print(f"  {name:8} {speed:9.0f} {peak:9.0f}   {shares}")
    for name, peer in row["peers"].items():
        print(f"  {name:8} {peer['cells_per_second']:9.0f} {peer['peak_mb']:9.0f}   at its own defaults")
    print(f"  ours / plain: {row['ratio']:.2f} times the speed ({spread}), ", end="")
    print(f"{row['peak_mb'] / row['plain_peak_mb']:.2f} times the memory")
    least = ", ".join(f"{part.name} {1000 * part.seconds(rates):.1f}" for part in parts)
    print(f"  least ms a step: {least}")
    work, traffic = sum(part.operations for part in parts), sum(part.traffic for part in parts)
    print(
        f"  limit: {work / 1e9:.3g} GFLOP and {traffic / 1e6:.0f} MB a step, {row['limit_cells_per_second']:.0f} ",
        end="",
    )
    print(f"cells/s, of which ours reaches {100 * row['share_of_limit']:.0f} %", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shape", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--likelihood", nargs="+", choices=limit.HEADS, default=["zip"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each engine")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a turn, at least two steps")
    parser.add_argument("--peer", nargs="+", choices=peers.PEERS, default=[], help="time these too; installs them once")
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    parser.add_argument("--history", type=Path, help="append a line for each row, as history.py has them")
    options = parser.parse_args()
    if options.history:
        if options.rounds < history.LEAST_ROUNDS:
            parser.error(f"--history needs --rounds {history.LEAST_ROUNDS} or more, for the spread over turns")
        try:
            history.read(options.history)
        except InputError as error:
            parser.error(str(error))
        circumstances = history.Circumstances.now(options.threads)  # a new line changes a file of the commit
    for peer in options.peer:
        peers.install(peer)

    command = [sys.executable, str(HERE / "limit.py"), "--threads", str(options.threads)]
    rates = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    print(f"{options.threads} threads: {rates['operations'] / 1e9:.0f} GFLOP/s, {rates['traffic'] / 1e9:.1f} GB/s")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.shape:
            shape, counts = SHAPES[name], Path(folder) / f"{name}.npz"
            # drawn elsewhere: a process starts with the peak memory of the one that it was forked from
            subprocess.run([sys.executable, str(HERE / "shapes.py"), name, str(counts)], check=True)
            timed = {
                peer: peers.run(peer, counts, options.threads, environment(options.threads)) for peer in options.peer
            }
            for likelihood in options.likelihood:
                parts = limit.parts(shape, likelihood)
                fastest = shape.batch_size / sum(part.seconds(rates) for part in parts)
                row = {"shape": name, "likelihood": likelihood} | compare(shape, likelihood, counts, options)
                row |= {"limit_cells_per_second": fastest, "share_of_limit": row["cells_per_second"] / fastest}
                row |= {"peers": timed}
                rows.append(row)
                report(row, shape, parts, rates)
                if options.json:
                    options.json.write_text(json.dumps(rows, indent=2) + "\n")
                if options.history:
                    history.record(row, circumstances, options.history)


if __name__ == "__main__":
    main()
