"""Seconds until ZiPo predicts held-out molecules as well as scVI and DCA do when they have finished.

    python benchmarks/time_to_quality.py COUNTS.h5ad [...] [--peer scvi dca] [--set NAME=VALUE ...]

Nine tenths of the molecules of each data set are trained on (doi 10.1101/786269); the others are parted at random into
validation and test molecules. Peers denoise the training molecules at their own defaults, and ZiPo trains on them with
the paper's schedule, at the hyper-parameters that --set gives. After each of its epochs the clock stops, and the
Poisson deviance of the held-out molecules from its denoised counts is taken. The epoch that counts is the first that
predicts the validation molecules as well as the peer does; how well it does is then read from the test molecules.
Everything runs on one thread, each method in a process of its own.
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
from scipy.sparse import csr_matrix, load_npz, save_npz
from throughput import THREADING

SHARE, SEED = 0.9, 1
PARTS = ("validation", "test")  # of the held-out molecules, half of them each


def deviances(folder: Path, denoised: np.ndarray) -> dict[str, float]:
    """Mean Poisson deviance of the validation and of the test molecules from the denoised training molecules."""
    from zipo.metrics import held_out_counts
    from zipo.metrics.shared.case import Case

    training = ad.read_h5ad(folder / "training.h5ad").X
    share = SHARE / (SHARE + (1 - SHARE) / 2)  # of the molecules that are in training or in the part
    by_part = {}
    for part in PARTS:
        case = Case(training, denoised, held_out=csr_matrix(load_npz(folder / f"{part}.npz")), training_share=share)
        by_part[part] = held_out_counts.score(case)["poisson_deviance"]
    return by_part


def train(folder: Path, parameters: dict) -> list[dict]:
    """After each epoch of ZiPo: seconds of training, and the deviances."""
    from zipo.model.estimator import ZiPo

    training = ad.read_h5ad(folder / "training.h5ad")
    model, curve = ZiPo(seed=SEED, device="cpu", **parameters), []
    scored = 0.0
    started = time.perf_counter()

    def after_epoch(epoch: int, nll: float) -> None:
        nonlocal scored
        stopped = time.perf_counter()
        curve.append({"seconds": stopped - started - scored, **deviances(folder, model.denoise(training))})
        scored += time.perf_counter() - stopped

    model.fit(training, on_epoch=after_epoch)
    return curve


def first_as_good(curve: list[dict], validation: float) -> dict | None:
    """The first epoch whose deviance of the validation molecules is no larger than this; None if there is none."""
    return next((epoch for epoch in curve if epoch["validation"] <= validation), None)


def split_molecules(file: Path, folder: Path) -> None:
    """Write training.h5ad, nothing but counts in it, validation.npz and test.npz."""
    from zipo.datasets.thinning import thin

    data = ad.read_h5ad(file)
    training, held_out = thin(data.X, SHARE, SEED)
    ad.AnnData(training, obs=data.obs[[]], var=data.var[[]]).write_h5ad(folder / "training.h5ad")
    for part, counts in zip(PARTS, thin(held_out, 0.5, SEED + 1), strict=True):
        save_npz(folder / f"{part}.npz", counts)


def compare(file: Path, names: list[str], parameters: dict) -> dict:
    """Run peers and ZiPo on one data set; a row of the report."""
    from zipo.benchmark.running import launch
    from zipo.methods import method

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        split_molecules(file, folder)
        training = ad.read_h5ad(folder / "training.h5ad")
        row: dict = {"dataset": file.stem, "cells": training.n_obs, "genes": training.n_vars, "peers": {}}
        for peer in names:
            peers.install(peer)
            result_folder, limits = folder / peer, {"seed": SEED, "threads": 1, "seconds": 3600}
            result = launch.run(method(peer), folder / "training.h5ad", result_folder, **limits)
            if result.status != "ok":
                raise SystemExit(f"{peer}: {result.reason}")
            denoised = launch.arrays(result_folder)["denoised"]
            row["peers"][peer] = {"seconds": result.seconds, **deviances(folder, denoised)}
        assignments = [f"{name}={json.dumps(value)}" for name, value in parameters.items()]
        command = [sys.executable, __file__, "--curve", str(folder), "--set", *assignments]
        threads = dict.fromkeys(THREADING, "1")
        finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | threads)
        row["curve"] = json.loads(finished.stdout.splitlines()[-1])
    for peer in row["peers"].values():
        peer["reached"] = first_as_good(row["curve"], peer["validation"])
    return row


def report(row: dict) -> None:
    """Print a row."""
    best = min(row["curve"], key=lambda epoch: epoch["validation"])
    print(f"\n{row['dataset']}: {row['cells']} cells x {row['genes']} genes, one thread; deviances of test molecules")
    print(f"  zipo      {row['curve'][-1]['seconds']:7.1f} s in all, ", end="")
    print(f"deviance {best['test']:.4f} after {best['seconds']:.1f} s, its best by validation molecules")
    for name, peer in row["peers"].items():
        print(f"  {name:9} {peer['seconds']:7.1f} s in all, deviance {peer['test']:.4f}: ", end="")
        if reached := peer["reached"]:
            share = reached["seconds"] / peer["seconds"]
            print(f"by validation reached by zipo after {reached['seconds']:.1f} s, {share:.2f} of its time, ", end="")
            print(f"where its deviance is {reached['test']:.4f}")
        else:
            print("not reached by zipo")


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
