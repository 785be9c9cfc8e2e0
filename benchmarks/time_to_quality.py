"""Seconds until ZiPo predicts held-out molecules as well as scVI and DCA do when they have finished.

    python benchmarks/time_to_quality.py COUNTS.h5ad [...] [--peer scvi dca] [--set NAME=VALUE ...]

Molecules of each data set are split (0.9 to train on, doi 10.1101/786269), peers denoise the training molecules at
their own defaults, and ZiPo trains on them with the paper's schedule, at the hyper-parameters that --set gives. After
each of its epochs the clock stops, and the Poisson deviance of the held-out molecules is taken. Everything runs on one
thread, each method in a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anndata as ad
import numpy as np
import peers
import yaml
from scipy.sparse import load_npz, save_npz
from throughput import THREADING

SHARE, SEED = 0.9, 1


def deviance(training, held_out, **arrays: np.ndarray) -> float:
    """Mean Poisson deviance of the held-out counts; `arrays` as a method gives them."""
    from zipo.metrics import held_out_counts
    from zipo.metrics.shared.case import Case

    case = Case(counts=training.X, held_out=held_out, training_share=SHARE, **arrays)
    return held_out_counts.score(case)["poisson_deviance"]


def train(folder: Path, parameters: dict) -> list[tuple[float, float]]:
    """Seconds of training and the deviance after each epoch of ZiPo."""
    from zipo.estimator import ZiPo

    training, held_out = ad.read_h5ad(folder / "training.h5ad"), load_npz(folder / "held_out.npz")
    model, curve = ZiPo(seed=SEED, device="cpu", **parameters), []
    scored = 0.0
    started = time.perf_counter()

    def after_epoch(epoch: int, nll: float) -> None:
        nonlocal scored
        stopped = time.perf_counter()
        found = deviance(training, held_out, denoised=model.denoise(training), **model.distribution(training))
        curve.append((stopped - started - scored, found))
        scored += time.perf_counter() - stopped

    model.fit(training, on_epoch=after_epoch)
    return curve


def split_molecules(file: Path, folder: Path) -> None:
    """Write training.h5ad, nothing but counts in it, and held_out.npz."""
    from zipo.datasets.thinning import thin

    data = ad.read_h5ad(file)
    training, held_out = thin(data.X, SHARE, SEED)
    ad.AnnData(training, obs=data.obs[[]], var=data.var[[]]).write_h5ad(folder / "training.h5ad")
    save_npz(folder / "held_out.npz", held_out)


def compare(file: Path, names: list[str], parameters: dict) -> dict:
    """A row of the report."""
    from zipo.methods import method
    from zipo.methods.shared import launch

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        split_molecules(file, folder)
        training, held_out = ad.read_h5ad(folder / "training.h5ad"), load_npz(folder / "held_out.npz")
        row: dict = {"dataset": file.stem, "cells": training.n_obs, "genes": training.n_vars, "peers": {}}
        for peer in names:
            peers.install(peer)
            out, limits = folder / peer, {"seed": SEED, "threads": 1, "seconds": 3600}
            result = launch.run(method(peer), folder / "training.h5ad", out, **limits)
            if result.status != "ok":
                raise SystemExit(f"{peer}: {result.reason}")
            row["peers"][peer] = {
                "seconds": result.seconds,
                "deviance": deviance(training, held_out, **launch.arrays(out)),
            }
        given = [f"{name}={json.dumps(value)}" for name, value in parameters.items()]
        command = [sys.executable, __file__, "--curve", str(folder), "--set", *given]
        threads = dict.fromkeys(THREADING, "1")
        finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | threads)
        row["curve"] = json.loads(finished.stdout.splitlines()[-1])
    for peer in row["peers"].values():
        reached = [seconds for seconds, found in row["curve"] if found <= peer["deviance"]]
        peer["reached_after"] = reached[0] if reached else None
    return row


def report(row: dict) -> None:
    """Print a row."""
    best = min(row["curve"], key=lambda point: point[1])
    print(f"\n{row['dataset']}: {row['cells']} cells x {row['genes']} genes, one thread")
    print(f"  zipo      {row['curve'][-1][0]:7.1f} s in all, best deviance {best[1]:.4f} after {best[0]:.1f} s")
    for name, peer in row["peers"].items():
        print(f"  {name:9} {peer['seconds']:7.1f} s in all, deviance {peer['deviance']:.4f}: ", end="")
        if peer["reached_after"] is None:
            print("not reached by zipo")
        else:
            share = peer["reached_after"] / peer["seconds"]
            print(f"reached by zipo after {peer['reached_after']:.1f} s, {share:.2f} of its time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("counts", nargs="*", type=Path, help="raw counts as prepared by the study")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="hyper-parameters of ZiPo")
    parser.add_argument("--peer", nargs="*", choices=["scvi", "dca"], default=["scvi", "dca"])
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    parser.add_argument("--curve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    parameters = {name: yaml.safe_load(value) for name, _, value in (each.partition("=") for each in options.set)}
    if options.curve:
        print(json.dumps(train(options.curve, parameters)))
        return
    rows = []
    for file in options.counts:
        rows.append(compare(file, options.peer, parameters))
        report(rows[-1])
        if options.json:
            options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
