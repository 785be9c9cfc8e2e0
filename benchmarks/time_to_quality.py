"""Seconds in which ZiPo predicts held-out molecules as well as scVI and DCA, beside the seconds that these take.

    python benchmarks/time_to_quality.py COUNTS.h5ad [...] [--peer scvi dca] [--set NAME=VALUE ...]

Every method denoises nine tenths of the molecules of each data set (doi 10.1101/786269), peers at their own defaults
and ZiPo at the preset and hyper-parameters that --set gives; the Poisson deviance of the other molecules is taken from
the denoised counts. ZiPo's seconds are those of the whole command: training, refinement and denoising. Everything runs
on one thread, each method in a process of its own, one after the other.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import anndata as ad
import peers
import yaml
from scipy.sparse import csr_matrix

SHARE, SEED = 0.9, 1
SECONDS = 3600  # at most, for each method


def measure(name: str, parameters: dict[str, Any], training: Path, held_out: csr_matrix, folder: Path) -> dict:
    """Seconds that a method took and the mean Poisson deviance of the held-out molecules."""
    from zipo.benchmark.running import launch
    from zipo.methods import method
    from zipo.metrics import held_out_counts
    from zipo.metrics.shared.case import Case

    limits: dict[str, Any] = {"seed": SEED, "threads": 1, "seconds": SECONDS}
    result = launch.run(method(name), training, folder, parameters=parameters, **limits)
    if result.status != "ok":
        raise SystemExit(f"{name}: {result.reason}")
    case = Case(ad.read_h5ad(training).X, launch.arrays(folder)["denoised"], held_out=held_out, training_share=SHARE)
    return {"seconds": result.seconds, "deviance": held_out_counts.score(case)["poisson_deviance"]}


def compare(file: Path, names: list[str], parameters: dict[str, Any]) -> dict:
    """Run peers and ZiPo on one data set; a row of the report."""
    from zipo.datasets.thinning import thin

    data = ad.read_h5ad(file)
    training, held_out = thin(data.X, SHARE, SEED)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        counts = folder / "training.h5ad"
        ad.AnnData(training, obs=data.obs[[]], var=data.var[[]]).write_h5ad(counts)
        methods = {}
        for name in ["zipo", *names]:
            if name != "zipo":
                peers.install(name)
            chosen = parameters if name == "zipo" else {}
            methods[name] = measure(name, chosen, counts, held_out, folder / name)
    return {"dataset": file.stem, "cells": data.n_obs, "genes": data.n_vars, "methods": methods}


def report(row: dict) -> None:
    """Print a row."""
    zipo = row["methods"]["zipo"]
    print(f"\n{row['dataset']}: {row['cells']} cells x {row['genes']} genes, one thread")
    for name, method in row["methods"].items():
        print(f"  {name:9} {method['seconds']:7.1f} s, deviance {method['deviance']:.4f}", end="")
        if name == "zipo":
            print()
        elif zipo["deviance"] <= method["deviance"]:
            print(f": reached by zipo in {zipo['seconds'] / method['seconds']:.2f} of its time")
        else:
            print(": not reached by zipo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("counts", nargs="+", type=Path, help="raw counts as prepared by the study")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="preset and parameters of ZiPo")
    parser.add_argument("--peer", nargs="*", choices=["scvi", "dca"], default=["scvi", "dca"])
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    options = parser.parse_args()
    parameters = {name: yaml.safe_load(value) for name, _, value in (each.partition("=") for each in options.set)}
    rows = []
    for file in options.counts:
        rows.append(compare(file, options.peer, parameters))
        report(rows[-1])
        if options.json:
            options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
