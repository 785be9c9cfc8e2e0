"""Minutes and peak memory of assembling the paper's two GEO deposits, on generated deposits of full size.

    python benchmarks/assembly.py [liver] [plates] [--scale 1.0]

Each deposit is generated and assembled in processes of their own; this one stays small, because on Linux a process
starts with the peak memory of the one that it was forked from. The bar is 4 GB each.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the generator is one of the tests' modules
# Table I: 119.7 million of the liver's entries are nonzero; MARS-seq plates have 1.94 %
FULL_SIZE = {
    "liver": {"cells": 68_100, "genes": 33_694, "density": 120e6 / (68_100 * 33_694)},
    "plates": {"plates": 135, "genes": 28_000, "density": 0.0194},
}
SCALED = {"liver": "cells", "plates": "plates"}


def generate(deposit: str, folder: Path, scale: float) -> dict:
    """Write a deposit; its numbers of cells, genes and nonzero entries, and the sum of its counts."""
    from tests.datasets import geo_tree

    size = dict(FULL_SIZE[deposit])
    size[SCALED[deposit]] = max(1, round(size[SCALED[deposit]] * scale))
    write = {"liver": geo_tree.write_liver, "plates": geo_tree.write_plates}[deposit]
    return _summary(write(folder, level=1, **size).counts)


def assemble(deposit: str, folder: Path) -> dict:
    """Read a deposit; the same numbers, to be compared with those of `generate`."""
    from zipo.datasets.geo import liver, plates
    from zipo.datasets.geo.soft import supplement_path

    if deposit == "liver":
        return _summary(liver.read_liver(folder / supplement_path(liver.ACCESSION, "")).X)
    tar, metadata = (folder / supplement_path(plates.ACCESSION, name) for name in (plates.ARCHIVE, plates.METADATA))
    return _summary(plates.read_plates(tar, metadata, None).X)


def _summary(counts) -> dict:
    return {
        "cells": counts.shape[0],
        "genes": counts.shape[1],
        "entries": counts.nnz,
        "sum": float(counts.data.sum(dtype="f8")),
    }


def measure(step: str, deposit: str, folder: Path, scale: float) -> dict:
    """Run one step in a fresh process; the numbers that it printed, its peak memory in GB, and its minutes."""
    started = time.perf_counter()
    command = [sys.executable, __file__, deposit, "--step", step, "--folder", str(folder), "--scale", str(scale)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output, _ = child.communicate()
    if child.returncode:
        raise SystemExit(f"{step} {deposit} failed")
    return json.loads(output) | {"minutes": (time.perf_counter() - started) / 60}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("deposits", nargs="*", choices=[*FULL_SIZE, []], metavar="{liver,plates}")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the cells or plates (default: all)")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--step", choices=["generate", "assemble"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        if options.step == "generate":
            row = generate(options.deposits[0], options.folder, options.scale)
        else:
            row = assemble(options.deposits[0], options.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9  # Linux counts in KiB
        print(json.dumps(row | {"peak": peak}))
        return
    print(f"{'deposit':8} {'cells':>7} {'genes':>7} {'entries':>12} {'MB on disk':>11} {'minutes':>8} {'peak GB':>8}")
    for deposit in options.deposits or FULL_SIZE:
        with tempfile.TemporaryDirectory() as folder:
            written = measure("generate", deposit, Path(folder), options.scale)
            size = sum(os.path.getsize(path) for path in Path(folder).rglob("GSE*") if path.is_file()) / 1e6
            read = measure("assemble", deposit, Path(folder), options.scale)
        if any(read[key] != written[key] for key in ("cells", "genes", "entries", "sum")):
            raise SystemExit(f"{deposit}: wrote {written}, but read {read}")
        print(
            f"{deposit:8} {read['cells']:7} {read['genes']:7} {read['entries']:12} {size:11.0f} "
            f"{read['minutes']:8.2f} {read['peak']:8.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
