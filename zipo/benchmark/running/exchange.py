"""Files exchanged with a method that is a program in another language.

A method file's `command` is a list of strings, in which {here} is the folder of that file, {input} and {output} are
folders, {seed} and {threads} numbers, and each parameter stands under its name. In the input folder are

- counts.mtx: raw counts, cells x genes, MatrixMarket;
- cells.txt and genes.txt: their names, one a line; batch.txt: each cell's batch, where known.

The program writes denoised, and latent, rates, zero_probability or size if it has them, into the output folder, each
as <name>.csv (numbers alone, a line for each cell, commas between) or as <name>.npy. Exit code 0 means done, and 69
that something it needs is not installed, as its last line on standard error says; what it prints is kept in the log.
A method file's `install`, a sentence, says what to install where the program or what it needs is not.

Runs in the method's environment, without ZiPo.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import anndata as ad
import numpy as np
from scipy.io import mmwrite
from scipy.sparse import csr_matrix

NOT_INSTALLED = 69  # EX_UNAVAILABLE of sysexits.h
NAMES = ("denoised", "latent", "rates", "zero_probability", "size")


class Missing(Exception):
    """The program, or something it needs, is not installed."""


def run(module: ModuleType, counts: ad.AnnData, job: dict, parameters: dict) -> dict[str, np.ndarray]:
    """Run a method's command on the counts; the arrays that it wrote.

    Raises Missing if the program or something it needs is not installed, RuntimeError if it fails.
    """
    source, target = (Path(job["output"]) / name for name in ("input", "answer"))
    write_input(counts, source)
    target.mkdir()
    fields = {"here": Path(job["method"]).parent, "input": source, "output": target}
    fields |= {"seed": job["seed"], "threads": job["threads"]}
    program, *arguments = (word.format(**fields, **parameters) for word in module.command)
    # programs of the environment come first
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    if not (executable := shutil.which(program, path=path)):
        raise Missing(with_advice(f"{program} is not installed", module))
    environment = os.environ | {"PATH": path}
    ended = subprocess.run(
        [executable, *arguments], env=environment, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    sys.stderr.write(ended.stderr)
    if ended.returncode:
        last_line = (ended.stderr.strip() or "it printed no error").splitlines()[-1]
        if ended.returncode == NOT_INSTALLED:
            raise Missing(with_advice(last_line, module))
        raise RuntimeError(f"{program} ended with exit code {ended.returncode}: {last_line}")
    arrays = {name: values for name in NAMES if (values := read(target, name)) is not None}
    shutil.rmtree(source)
    shutil.rmtree(target)
    return arrays


def with_advice(reason: str, module: ModuleType) -> str:
    """Why a method cannot run and, where its file says it, what to install."""
    return "; ".join(filter(None, [reason, getattr(module, "install", "")]))


def write_input(counts: ad.AnnData, folder: Path) -> None:
    """Write the counts as the files that a program reads."""
    folder.mkdir()
    mmwrite(folder / "counts.mtx", csr_matrix(counts.X).astype(np.int64), field="integer", symmetry="general")
    columns = {"cells": counts.obs_names, "genes": counts.var_names}
    if "batch" in counts.obs:
        columns["batch"] = counts.obs["batch"]
    for name, values in columns.items():
        (folder / f"{name}.txt").write_text("".join(f"{value}\n" for value in values))


def read(folder: Path, name: str) -> np.ndarray | None:
    """An array that the program wrote, float32; None if it did not. A single line of sizes is one for each gene."""
    if (file := folder / f"{name}.npy").exists():
        return np.load(file).astype(np.float32)
    if (file := folder / f"{name}.csv").exists():
        values = np.loadtxt(file, delimiter=",", dtype=np.float32, ndmin=2)
        return values[0] if name == "size" and len(values) == 1 else values
    return None
