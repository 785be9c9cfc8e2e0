"""Seconds per cell and peak memory of denoising an .h5ad to another, with the sizes that ZiPo chooses for it.

    python benchmarks/denoised_file.py COUNTS.h5ad DENOISED.h5ad [--threads 2]

The answer is one JSON object: cells, genes, encoder, write_seconds_per_cell, gigabytes written, and peak_mb of the
process with Python and torch. The model is trained on a few cells for an epoch: its results do not matter here.
"""

import argparse
import json
import resource
import time
from pathlib import Path

import anndata as ad
import torch

from zipo.model.estimator import ZiPo
from zipo.model.output import write_denoised

TRAINED_ON = 1000  # cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("counts", type=Path)
    parser.add_argument("denoised", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    adata = ad.read_h5ad(options.counts, backed="r")
    model = ZiPo.for_data(adata, max_epochs=1).fit(adata[:TRAINED_ON])
    started = time.perf_counter()
    write_denoised(model, adata, options.denoised)
    row = {
        "cells": adata.n_obs,
        "genes": adata.n_vars,
        "encoder": model.parameters.encoder,
        "write_seconds_per_cell": (time.perf_counter() - started) / adata.n_obs,
        "gigabytes": options.denoised.stat().st_size / 1e9,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,  # Linux counts in KiB
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main()
