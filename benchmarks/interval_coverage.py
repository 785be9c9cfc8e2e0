"""How often intervals of denoised counts hold the truth, on simulated counts whose true rates are known.

    python benchmarks/interval_coverage.py [--datasets simulated_programs simulated_trajectory] [--cells 900]

Denoises each simulated data set of config/datasets.yaml with ZiPo's default preset and prints which share of the true
rates, each cell's own expected counts of a gene, lies within 1.645 standard errors of the denoised count: in all, and
of genes by their mean true rate. The nominal share is 90 %.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import anndata as ad
import numpy as np

from zipo.shared.yaml_files import read_yaml

CATALOGUE = Path(__file__).resolve().parents[1] / "config" / "datasets.yaml"
DATASETS = ("simulated_programs", "simulated_trajectory", "simulated_batches")
WIDTH = 1.645
MEANS = (0.0, 0.1, 1.0, np.inf)
"""Bounds between which genes are taken together, by their mean true rate."""


def coverage(data: ad.AnnData, denoised: np.ndarray, standard_error: np.ndarray) -> list[float]:
    """Share of the true rates within the intervals, of all genes and of those between two of MEANS; NaN of none."""
    truth = np.asarray(data.layers["true_rates"])
    held = (np.abs(denoised - truth) <= WIDTH * standard_error).mean(axis=0)
    places = np.digitize(truth.mean(axis=0), MEANS[1:-1])
    parts = [held[places == place] for place in range(len(MEANS) - 1)]
    return [float(held.mean()), *(float(part.mean()) if part.size else float("nan") for part in parts)]


def simulated(name: str, cells: int | None) -> ad.AnnData:
    """A simulated data set of the catalogue, or as many cells of its kind."""
    from zipo.datasets.simulation import simulate
    from zipo.datasets.sources.simulated import SimulatedSource

    source = read_yaml(CATALOGUE)[name]["source"]
    return simulate(SimulatedSource(**source | ({"cells": cells} if cells else {})))


def main() -> None:
    from zipo.model.estimator import ZiPo

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--datasets", nargs="+", default=DATASETS, help="simulated ones of config/datasets.yaml")
    parser.add_argument("--cells", type=int, help="cells of each, instead of those of the catalogue")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    bounds = [f"{low:g} to {high:g}" for low, high in pairwise(MEANS)]
    print(f"| data set | cells | all genes | {' | '.join(f'mean rate {name}' for name in bounds)} |")
    print("|---" * (3 + len(bounds)) + "|")
    for name in options.datasets:
        data = simulated(name, options.cells)
        model = ZiPo.for_data(data, seed=options.seed, device="cpu").fit(data)
        shares = coverage(data, model.denoise(data), model.denoised_se(data))
        print(f"| {name} | {data.n_obs:,} | {' | '.join(f'{share:.1%}' for share in shares)} |", flush=True)


if __name__ == "__main__":
    main()
